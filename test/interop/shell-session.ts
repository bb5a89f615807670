/** What lasts longer than a line: watches, sessions, profiles, the prompt, processes. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { patiently } from '../e2e/cli.ts';
import { note, run, zoosh } from './live-shell.ts';
import { base, client, dataOf, digest, ENV, HOME, hex, SERVER, shell, statOf, statText } from './shell-rig.ts';

test('watches: set by every command, told on standard error, removed one kind at a time', async () => {
  const at = await base('watch');
  await client.create(`${at}/p`);
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  const set = async (...events: string[]): Promise<void> => {
    const { version } = await statOf(`${at}/p`);
    await sh.hears('set p x', `${version + 1}\n`, ...events);
  };
  await sh.ok('get -w p', '');
  await set(`changed  ${at}/p`);
  await set();
  await sh.ok('get p watch', 'x\n');
  await set(`changed  ${at}/p`);
  await sh.ok('stat -w p', statText(await statOf(`${at}/p`)));
  await set(`changed  ${at}/p`);
  await sh.ok('stat p watch', statText(await statOf(`${at}/p`)));
  await set(`changed  ${at}/p`);
  await sh.ok('exists -w p', 'yes\n');
  await set(`changed  ${at}/p`);
  await sh.line('exists -w new');
  await sh.hears('create new', `${at}/new\n`, `created  ${at}/new`);
  await sh.ok('ls -w p');
  await sh.hears('create p/a', `${at}/p/a\n`, `children ${at}/p`);
  await sh.ok('ls p watch', 'a\n');
  await sh.hears('delete p/a', `${at}/p/a\n`, `children ${at}/p`);
  await sh.ok('ls -Rw new', `${at}/new\n`);
  await sh.hears('delete new', `${at}/new\n`, `deleted  ${at}/new`);
  await sh.ok('get -w p', 'x\n');
  await client.set(`${at}/p`, 'by another');
  await sh.hears('sync', '', `changed  ${at}/p`);

  await sh.ok('addWatch -m PERSISTENT p');
  await set(`changed  ${at}/p`);
  await set(`changed  ${at}/p`);
  await sh.hears('create p/b', `${at}/p/b\n`, `children ${at}/p`);
  await sh.hears('create p/b/c', `${at}/p/b/c\n`);
  await sh.hears('removewatches -p p', '', `watch removed ${at}/p`);
  await set();
  await sh.ok('addWatch p');
  await sh.hears('create p/b/d', `${at}/p/b/d\n`, `created  ${at}/p/b/d`);
  await sh.hears('set p/b/d 1', '1\n', `changed  ${at}/p/b/d`);
  await sh.hears('delete p/b/d', `${at}/p/b/d\n`, `deleted  ${at}/p/b/d`);
  await sh.ok('printwatches', 'on\n');
  await sh.ok('printwatches off');
  await set();
  await sh.ok('printwatches', 'off\n');
  await sh.ok('printwatches on');
  await set(`changed  ${at}/p`);
  await sh.hears('removewatches -r p', '', `watch removed ${at}/p`);
  await set();

  await sh.ok('get -w p', 'x\n');
  await sh.ok('ls -w p', 'b\n');
  await sh.hears('removewatches -d p', '', `data watch removed ${at}/p`);
  await set();
  await sh.hears('removewatches -c p', '', `child watch removed ${at}/p`);
  await sh.hears('create p/e', `${at}/p/e\n`);
  await sh.ok('get -w p', 'x\n');
  await sh.hears('removewatches -al p', '', `data watch removed ${at}/p`);
  const none = [`error: no such watch: ${at}/p`, ' hint: watches lists those there are'];
  await sh.no('removewatches p', 25, ...none);
  await sh.no('removewatches -d p', 25, ...none);
  await sh.no('removewatches -cd p', 2, 'error: removewatches: one of -c -d -p -r -a');

  // a script is told every event, however many there are in a second
  await sh.ok('addWatch p');
  const storm = Array.from({ length: 40 }, (_, n) => `create p/s${n}`).join(' && ');
  const told = (await sh.line(storm)).err.split('\n').map((line) => line.slice(9));
  assert.deepEqual(told, [...Array.from({ length: 40 }, (_, n) => `created  ${at}/p/s${n}`), '']);

  await using js = shell('-o', 'json');
  await js.json(`addWatch -m persistent ${at}/p`, { path: `${at}/p`, mode: 'PERSISTENT', id: 1 });
  const { err } = await js.line(`set ${at}/p 1`);
  const { time, zxid, ...event } = JSON.parse(err) as Record<string, string>;
  assert.deepEqual(event, { type: 'NodeDataChanged', state: 'SyncConnected', path: `${at}/p` });
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  assert.ok(zxid === undefined || zxid === hex((await statOf(`${at}/p`)).mzxid), zxid);
});

test('sessions, targets and profiles', async () => {
  const at = await base('session');
  await using sh = shell('-o', 'plain');
  await sh.ok('version', /^client\tzoosh \d+\.\d+\.\d+\S*\nprotocol\t0\nserver\t3\.\d+\.\d+\S* at 127\.0\.0\.1:\d+\n$/);
  await sh.ok('config', '\n');
  await sh.ok('config -c', /^0 *\n$/);
  await sh.ok('config -ws', `\n${statText(await statOf('/zookeeper/config'))}`);
  await sh.no('config -cs', 2, 'error: config: -c cannot be combined with -s');
  await sh.no(
    'reconfig --remove 1',
    30,
    'error: refused: will not change the members of the ensemble: nobody is there to ask',
    ' hint: say --yes before the command',
  );
  await using sure = shell('--yes', '-o', 'plain');
  const disabled = [
    'error: reconfiguration is disabled on this server: /zookeeper/config',
    ' hint: reconfigEnabled=true in the zoo.cfg of every server allows it',
  ];
  const members = join(HOME, 'members');
  writeFileSync(members, 'server.1=h:1:2;3\n');
  for (const options of ['-s -v 1 --add 2=h:1:2;3 --remove 1', '--members 1=h:1:2;3', `--file ${members}`])
    await sure.no(`reconfig ${options}`, 24, ...disabled);
  await sh.ok(`create -e ${at}/mine`, `${at}/mine\n`);
  const gone = { out: '', err: `gone with the session before: 1 ephemeral node (${at}/mine)\n`, status: 0 };
  const watch = 'gone with the session before: 1 watch (/zookeeper/config)\n'; // of config -ws
  assert.deepEqual(await sh.line('close'), { ...gone, err: gone.err + watch });
  assert.equal(await client.exists(`${at}/mine`), undefined, 'gone with the session');
  await sh.no('ls', 3, 'error: not connected', ' hint: connect begins a new session');
  await sh.ok('connect');
  await sh.ok(`create -e ${at}/mine`, `${at}/mine\n`);
  await sh.ok('getEphemerals', `${at}/mine\n`);
  await sh.ok(`getEphemerals ${at}/m`, `${at}/mine\n`);
  await sh.ok('getEphemerals /elsewhere');
  assert.deepEqual(await sh.line(`connect ${SERVER}${at}`), gone);
  assert.equal(await client.exists(`${at}/mine`), undefined, 'gone with the session');
  await sh.ok('create below chroot && ls / && get /below', '/below\nbelow\nchroot\n');
  assert.equal(String(await dataOf(`${at}/below`)), 'chroot');
  await sh.no('get /nope', 10, 'error: node does not exist: /nope');

  writeFileSync(join(HOME, 'ca.pem'), '');
  await sh.ok('profile list');
  await sh.ok(`profile add here ${SERVER}${at} --auth digest:env:WHO --timeout 20s --color red --protect`);
  await sh.ok(`profile add far zk1:2181,zk2:2181/app --read-only --tls-ca ${join(HOME, 'ca.pem')}`);
  await sh.no(
    `profile add far zk1:2181`,
    11,
    'error: there is a profile far already',
    ' hint: profile show far shows it; --replace puts this in its place',
  );
  await sh.ok('profile add far zk1:2181 --replace');
  await sh.ok('profile list', `here\t${SERVER}${at}\tprotected\nfar\tzk1:2181\t\n`);
  await sh.ok(`profile add far zk1:2181,zk2:2181/app --read-only --tls-ca ${join(HOME, 'ca.pem')} --replace`);
  await sh.ok('profile default far');
  await sh.ok('profile', `here\t${SERVER}${at}\tprotected\nfar\tzk1:2181,zk2:2181/app\tdefault, read-only\n`);
  await sh.ok(
    'profile show here',
    `server\t${SERVER}${at}\nauth\tdigest from env:WHO\ntimeout\t20s\ncolor\tred\nprotect\tyes\n`,
  );
  await sh.ok('use here');
  assert.deepEqual((await sh.out('whoami')).trim().split('\n').sort(), ['digest\tal', 'ip\t127.0.0.1']);
  await sh.ok('ls', 'below\n');
  await sh.no(
    'set below x',
    30,
    'error: refused: set: the profile is protected',
    ' hint: say --yes before the command',
  );
  await sh.no('use nowhere', 2, 'error: no profile nowhere', ' hint: profile add nowhere HOST:PORT makes one');
  await sh.ok('connect @here && ls', 'below\n');
  await sh.ok('profile rm far');
  await sh.ok('profile list', `here\t${SERVER}${at}\tin use, protected\n`);
  await sh.ok('settings concurrency', '32\n');
  await sh.ok('settings concurrency 4 --save');
  await sh.ok('settings', /^concurrency\t4\trequests in flight of one command$/m);
  await sh.ok('help', /^ *Change +.*\bcreate /m);
  await sh.ok('help create', /^usage: create \[-s\]/m);
  await sh.ok('help exit-codes', /^ *10 {2}a path does not exist/m);
  await sh.ok('history -g x --all 3');
  await sh.ok('history --clear');
  await using js = shell('-o', 'json', '--timeout', '12s');
  await js.ok('connect', new RegExp(`^\\{"server":"${SERVER}","session":"0x[0-9a-f]+","timeoutMs":12000\\}\\n$`));
  await js.json('close', { closed: true });
  await js.json('settings concurrency', '4');
});

test('a prompt on a terminal: history and redo', async () => {
  const at = await base('prompt');
  const lines = [`create ${at}/p 1`, 'history', `set ${at}/p 2`, 'redo 3', 'redo', `get ${at}/p`, 'quit'];
  const terminal = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:-1])
seen = ""
def until(text):
    global seen
    while text not in seen:
        if not select.select([fd], [], [], 60)[0]: sys.exit("never: " + text + " in " + seen)
        seen += os.read(fd, 65536).decode(errors="replace")
    at = seen.index(text) + len(text)
    out, seen = seen[:at], seen[at:]
    sys.stdout.write(out)
until("> ")
for line in sys.argv[-1].split("\\n"):
    os.write(fd, (line + "\\r").encode())
    if line != "quit": until("> ")
sys.stdout.write(seen)
try:
    # to its end: it may still be drawing what is behind
    while part := os.read(fd, 65536): sys.stdout.write(part.decode(errors="replace"))
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  for (const line of lines) note(line);
  const { out, err, status } = await run(
    '/usr/bin/python3',
    ['-c', terminal, process.execPath, 'bin/zoosh.js', ...patiently([SERVER]), lines.join('\n')],
    ENV,
  );
  const text = String(out);
  assert.equal(status, 0, err + text);
  assert.match(text, new RegExp(`created ${at}/p`));
  assert.match(text, new RegExp(` 1 +create ${at}/p 1\r\n 2 +history\r\n`));
  assert.deepEqual([String(await dataOf(`${at}/p`)), (await statOf(`${at}/p`)).version], ['2', 3], text);
});

test('one-shot processes: output, exit codes, sessions closed', async () => {
  const at = await base('once');
  await client.create(`${at}/p`, 'data');
  await client.create(`${at}/p/child`);
  await client.create(`${at}/e`, null, { mode: 'ephemeral' });
  await client.create(`${at}/locked`, null, { acl: [{ scheme: 'digest', id: `eve:${digest('eve:x')}`, perms: 31 }] });
  const expected: [string[], number, string, string][] = [
    [['get', `${at}/p`], 0, 'data\n', ''],
    [['-o', 'json', 'exists', `${at}/p`], 0, 'true\n', ''],
    [['exists', `${at}/nope`], 1, 'no\n', ''],
    [['create'], 2, '', 'error: create: PATH is missing'],
    [['get', `${at}/nope`], 10, '', `error: node does not exist: ${at}/nope`],
    [['create', `${at}/p`], 11, '', `error: node already exists: ${at}/p`],
    [['set', `${at}/p`, 'x', '-v', '7'], 12, '', `error: the version given is not the current one: ${at}/p`],
    [['delete', `${at}/p`], 13, '', `error: node has children: ${at}/p`],
    [['get', `${at}/locked`], 14, '', `error: not permitted by the ACL: ${at}/locked`],
    [['create', `${at}/x`, '', 'world:anyone:z'], 15, '', 'error: unknown permission z in world:anyone:z'],
    [['create', `${at}/e/x`], 16, '', `error: an ephemeral node cannot have children: ${at}/e/x`],
    [['create', '-t', '1m', `${at}/x`], 21, '', 'error: this server has TTL nodes turned off'],
    [['removewatches', `${at}/p`], 25, '', `error: no such watch: ${at}/p`],
    [
      ['--read-only', 'set', `${at}/p`, 'x'],
      30,
      '',
      'error: refused: set changes something, and this shell is read-only',
    ],
    [['--auth', 'nosuch:x', 'ls', '/'], 4, '', 'error: authentication failed'],
    [['frobnicate'], 127, '', 'error: unknown command frobnicate'],
    [['create', '-e', `${at}/gone`], 0, `${at}/gone\n`, ''],
    [['create', '-es', `${at}/gone-`], 0, `${at}/gone-0000000004\n`, ''],
  ];
  const stay = expected.slice(0, -2);
  const check = async ([words, status, out, first]: (typeof expected)[number]): Promise<void> => {
    const found = await zoosh(['-s', SERVER, ...words], ENV);
    assert.deepEqual(
      { status: found.status, out: String(found.out), first: found.err.split('\n')[0] },
      { status, out, first },
      words.join(' '),
    );
  };
  for (let from = 0; from < stay.length; from += 4) await Promise.all(stay.slice(from, from + 4).map(check));
  for (const each of expected.slice(-2)) await check(each);
  assert.deepEqual((await client.getChildren(at)).children, ['e', 'locked', 'p'], 'ephemerals end with the process');
  const nobody = await zoosh(['--connect-timeout', '300ms', '127.0.0.1:1', 'ls', '/'], ENV);
  assert.deepEqual(
    [nobody.status, nobody.err.split('\n')[0], /^ 127\.0\.0\.1:1: .*refused/m.test(nobody.err)],
    [3, 'error: no server could be reached', true],
    nobody.err,
  );

  const script = async (text: string, ...options: string[]) => {
    const { out, err, status } = await zoosh([...options, SERVER], ENV, text);
    return [String(out), err, status];
  };
  assert.deepEqual(await script(`get ${at}/p\nget ${at}/nope\nget ${at}/p\n`), [
    'data\n',
    `stdin:2: error: node does not exist: ${at}/nope\n`,
    10,
  ]);
  assert.deepEqual(await script(`delete ${at}/p\nget ${at}/nope\nget ${at}/p\n`, '-k'), [
    'data\n',
    `stdin:1: error: node has children: ${at}/p\n hint: deleteall deletes a node and all below it\nstdin:2: error: node does not exist: ${at}/nope\n2 of 3 commands failed (lines 1, 2)\n`,
    13,
  ]);
  assert.deepEqual(await script(`get ${at}/p\nquit 9\nget ${at}/p\n`), ['data\n', '', 9]);
  assert.deepEqual(await script(`exists ${at}/nope\nexit\n`), ['no\n', '', 1]);
  note('quit 9');
  assert.deepEqual(await script(`create -e ${at}/gone\nls ${at}\n`), [`${at}/gone\ne\ngone\nlocked\np\n`, '', 0]);
  assert.equal(await client.exists(`${at}/gone`), undefined, 'gone with the script');
});

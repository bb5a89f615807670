/** Values inside JSON, the tests and actions of find, ACLs of whole subtrees: in a shell on a server in this process. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { registry } from '../../src/commands/index.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect, type Stat } from '../../src/index.ts';
import { toHuman } from '../../src/out/human.ts';
import { toPlain } from '../../src/out/plain.ts';
import { render } from '../../src/out/render.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { ByteReader } from '../../src/shell/byte-reader.ts';
import type { Output } from '../../src/shell/output.ts';
import { walkNodes } from '../../src/shell/walk.ts';
import { type RigOptions, rig } from './rig.ts';

let server: EmbeddedServer;
let client: Client;
const folder = mkdtempSync(join(tmpdir(), 'zoosh-values-'));
before(async () => {
  server = await startEmbedded();
  client = await connect(server.connectString);
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const SCREEN = { theme: plainTheme(true), width: 80, now: 0 };

/** What lines of a script print, and how the last of them ended. */
async function run(lines: string, options: RigOptions = {}) {
  const it = rig(client, {}, new Map(), options);
  const status = await it.shell.run(lines);
  const out = it.shown.map((output) => toPlain(output).toString()).join('');
  return { status, out, told: it.told.map(({ failure }) => failure.message), plans: it.plans, warned: it.warned };
}
const prints = async (line: string, out: string, status = 0): Promise<void> => {
  const ran = await run(line);
  assert.deepEqual([ran.out, ran.status], [out, status], `${line}: ${ran.told}`);
};
const dataOf = async (path: string): Promise<string> => String((await client.get(path)).data);

test('one value of a JSON document is shown and replaced, the rest stays byte by byte', async () => {
  const text = '{ "level": "info", "id": 12345678901234567890, "ports": [1, 2] }';
  await client.create('/json', text);
  await prints('get --at .level /json', 'info\n');
  await prints('get --at .id /json', '12345678901234567890\n');
  await prints('get --at .ports[1] /json; get --at . /json', `2\n${text}\n`);
  await prints('set --at .level /json warn', '1\n');
  await prints('set --at .ports[0] /json {"tls": true}', '2\n');
  await prints('set --at .level /json \'"5"\'; set --at .new /json 5', '3\n4\n');
  assert.equal(
    await dataOf('/json'),
    '{ "level": "5", "id": 12345678901234567890, "ports": [{"tls": true}, 2], "new": 5 }',
  );
  const faults: readonly (readonly [string, number, string])[] = [
    ['get --at .nope /json', 10, 'the data of /json has no such value'],
    ['set --at .level.x /json 1', 10, 'the data of /json has no place for such a value'],
    ['get --at .x /', 10, 'the data of / is not JSON'],
    ['get --at level /json', 2, '--at is like .level, .ports[0] or ."a key": not level'],
    ['get --at .level -b /json', 2, 'get: --at shows a value, not bytes'],
    ['set --at .level --append /json x', 2, 'set: --append and --at exclude each other'],
  ];
  for (const [line, status, message] of faults) {
    const ran = await run(line);
    assert.deepEqual([ran.status, ran.told], [status, [message]], line);
  }
});

test('a value that somebody else changes meanwhile is replaced in what they wrote', async () => {
  await client.create('/race', '{"a":0,"b":0}');
  await Promise.all(
    Array.from({ length: 3 }, async (_, at) => {
      const ran = await run(`set --at .a /race ${at}; set --at .${at} /race ${at}`);
      assert.equal(ran.status, 0, String(ran.told));
    }),
  );
  const { a, ...rest } = JSON.parse(await dataOf('/race')) as Record<string, number>;
  assert.ok(a !== undefined && a < 3);
  assert.deepEqual(rest, { '0': 0, '1': 1, '2': 2, b: 0 });
});

test('find by the whole path, by creation and by ACL; -ls, -exec and -delete', async () => {
  for (const path of ['/f', '/f/a', '/f/a/x', '/f/b', '/f/b/x', '/f/b/y z']) await client.create(path, 'd');
  await client.setAcl('/f/b', [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }]);
  await prints('find /f -path "/f/b*"', '/f/b\n/f/b/x\n/f/b/y z\n');
  await prints('find /f -acl ip', '/f/b\n');
  await prints('find /f -ctime -1h -name x -print', '/f/a/x\n/f/b/x\n');
  await prints('find /f -ctime +1d', '', 1);
  assert.match((await run('find /f -name a -ls')).out, /^persistent\t0\t1\t1\t[^\t]+\t0x0\t\/f\/a\n$/);
  await prints('find /f -leaf -exec echo {} is {name}', '/f/a/x is x\n/f/b/x is x\n/f/b/y z is y z\n');
  assert.equal((await run('find /f -count -ls')).status, 2);
  const gone = await run('find /f/b -name "?*" -delete', { asks: true });
  assert.deepEqual([gone.out, gone.status], ['/f/b/x\n/f/b/y z\n/f/b\n', 0], String(gone.told));
  assert.deepEqual(
    gone.plans.map(({ what, count }) => [what, count]),
    [['delete 3 nodes', 3]],
  );
  await prints('find /f -name nothing -delete', '', 1);
  assert.equal((await run('find /f -name a -delete')).status, 13, 'a node with children stays');
});

test('find -delete goes on past nodes that cannot go, and says which', async () => {
  for (const path of ['/go', '/go/a', '/go/a/keep', '/go/a/x', '/go/b', '/go/b/x', '/go/c']) await client.create(path);
  const ran = await run('find /go -name "[abcx]" -delete');
  assert.deepEqual([ran.out, ran.status], ['/go/a/x\n/go/b/x\n/go/b\n/go/c\n', 13]);
  assert.deepEqual(ran.warned, ['/go/a stays: it has children that stay']);
  // what lies deeper than the walk goes is not known beforehand: the transaction fails, the others go all the same
  for (const path of ['/go/b', '/go/c', '/go/c/deep']) await client.create(path);
  const deep = await run('find /go -depth 1 -name "[abc]" -delete');
  assert.deepEqual([deep.out, deep.status], ['/go/b\n', 13]);
  assert.deepEqual(deep.warned, ['/go/a stays: it has children that stay', '/go/c stays: it has children that stay']);
  assert.deepEqual((await run('find / -delete')).status, 30);
  assert.equal((await run('find /zookeeper -name quota -delete')).status, 30);
  assert.deepEqual((await client.getChildren('/go')).children, ['a', 'c']);
  assert.equal((await run('tree --limit 0 /go')).status, 2);
});

test('find -delete and getAcl -R answer in parts when there is much, in JSON one document', async () => {
  await client.create('/much');
  const names = Array.from({ length: 2500 }, (_, at) => `n${String(at).padStart(4, '0')}`);
  await client.multi(names.map((name) => ({ op: 'create', path: `/much/${name}`, data: null, options: {} })));
  const screen = { theme: plainTheme(true), width: 80, now: 0 };
  const json = async (line: string): Promise<unknown> => {
    const it = rig(client);
    assert.equal(await it.shell.run(line), 0);
    assert.ok(it.shown.length > 2, line);
    const parts = it.shown.map((part) => render(part, { mode: 'json', isTerminal: false }, screen));
    return JSON.parse(Buffer.concat(parts).toString());
  };
  const listed = (await json('ls -R /much')) as { children: string[] };
  assert.deepEqual([listed.children.length, listed.children[2500]], [2501, '/much/n2499']);
  const acls = (await json('getAcl -R /much')) as { path: string; acl: unknown }[];
  assert.equal(acls.length, 2501);
  assert.deepEqual([acls[0]?.path, acls[2500]?.path], ['/much', '/much/n2499']);
  assert.deepEqual(await json('find /much -delete'), {
    paths: [...names.map((name) => `/much/${name}`), '/much'],
    deleted: 2501,
  });
});

test('what find deletes is one change, and undo brings it back', async () => {
  for (const path of ['/u', '/u/a', '/u/b']) await client.create(path, 'kept');
  const it = rig(client, {}, new Map(), { trash: folder });
  assert.equal(await it.shell.run('find /u -leaf -delete'), 0);
  assert.deepEqual((await client.getChildren('/u')).children, []);
  assert.equal(await it.shell.run('undo'), 0, it.told.map(({ failure }) => failure.message).join());
  assert.deepEqual((await client.getChildren('/u')).children, ['a', 'b']);
  assert.equal(await dataOf('/u/a'), 'kept');
});

test('getAcl -R has every node behind its path; watches have numbers', async () => {
  for (const path of ['/acl', '/acl/b']) await client.create(path);
  await client.setAcl('/acl/b', [{ perms: 1, scheme: 'world', id: 'anyone' }]);
  await prints('getAcl -R /acl', '/acl\tworld:anyone:cdrwa\n/acl/b\tworld:anyone:r\n');
  assert.equal((await run('getAcl -R -s /acl')).status, 2);
  const { out } = await run('addWatch /acl; watches; unwatch 1; watches');
  assert.match(out, /^1\t\/acl\tpersistentRecursive\t\d{4}-\S+Z\t0\n$/);
});

test('cp --acl alone keeps ACLs as cp does; with an ACL behind it that one takes their place', async () => {
  await client.create('/cp', 'x', { acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
  for (const [line, acl] of [
    ['cp /cp /cp-1', 'r'],
    ['cp --acl /cp /cp-2', 'r'],
    ['cp --acl world:anyone:cdrwa /cp /cp-3', 'cdrwa'],
    ['cp --acl=world:anyone:rw /cp /cp-4', 'rw'],
    ['cp /cp /cp-5 --acl', 'r'],
  ] as const) {
    assert.equal((await run(line)).status, 0, line);
    const copy = /\/cp-\d/.exec(line)?.[0];
    await prints(`getAcl ${copy}`, `world:anyone:${acl}\n`);
  }
  assert.equal((await run('cp --acl --no-acl /cp /cp-6')).status, 2);
});

test('repeat ends at the first failure, with -k it goes on and has its code', async () => {
  const ends = rig(client);
  assert.equal(await ends.shell.run('repeat 3 get /nope'), 10);
  assert.equal(ends.told.length, 1);
  const goes = rig(client, {}, new Map(), { keepGoing: true });
  assert.equal(await goes.shell.run('repeat 3 get /nope'), 10);
  assert.deepEqual(goes.warned, Array(3).fill('error: node does not exist: /nope'));
});

test('with -k a failure within repeat, each and find -exec is one of the script, whatever comes behind it', async () => {
  await client.create('/k');
  await client.create('/k/a');
  for (const line of ['repeat 2 get /nope', 'each /k/* do get /nope', 'find /k -name a -exec get /nope']) {
    const it = rig(client, {}, new Map(), { keepGoing: true });
    await it.shell.run(`${line}\necho x\nget /nope2`, { line: 1, isScript: true });
    assert.equal(it.shell.firstFailure, 10, line);
    assert.deepEqual(it.shell.failedLines, [1, 3], line);
    assert.equal(it.told.filter(({ failure }) => failure.path === '/nope').length, 0, `${line}: told once`);
    assert.ok(it.warned.length > 0, line);
  }
  // of several the first that is no
  const found = await run('find /k -exec exists {}/a');
  assert.equal(found.status, 1);
});

test('the path of a node is no pattern, whatever its name', async () => {
  await client.create('/odd');
  for (const name of ['*', '{a,b}', '[ab]', 'a', 'b'])
    for (const path of [`/odd/${name}`, `/odd/${name}/tmp`]) await client.create(path);
  const left = async (): Promise<string[]> => {
    const names = (await client.getChildren('/odd')).children;
    const all = await Promise.all(names.map((name) => client.exists(`/odd/${name}/tmp`)));
    return names.filter((_name, at) => all[at] !== undefined).sort();
  };
  assert.deepEqual(await left(), ['*', '[ab]', 'a', 'b', '{a,b}']);
  await prints('each /odd/[*] do delete -f {}/tmp', '/odd/*/tmp\n');
  assert.deepEqual(await left(), ['[ab]', 'a', 'b', '{a,b}']);
  await prints("find /odd -depth 1 -name '{a,b}' -exec delete -f {}/tmp", '/odd/{a,b}/tmp\n');
  assert.deepEqual(await left(), ['[ab]', 'a', 'b']);
  // what stands around it may be one
  await prints("find /odd -depth 1 -name '[[]ab]' -exec ls -R {}/t*", '/odd/[ab]/tmp\n');
  await prints("each '/odd/[[]ab]' do delete -f {}/tmp", '/odd/[ab]/tmp\n');
  assert.deepEqual(await left(), ['a', 'b']);
});

test('find -delete asks about ephemeral nodes of others, as delete does, and says how many', async () => {
  await client.create('/eph');
  const other = await connect(server.connectString);
  const expected = ['2 nodes, 6B', '  /eph/a  /eph/b', '  2 are ephemeral and belong to 1 live session'];
  for (const line of ['find /eph -ephemeral -delete', 'delete /eph/*']) {
    for (const name of ['a', 'b']) await other.create(`/eph/${name}`, 'xyz', { mode: 'ephemeral' });
    const { plans } = await run(line, { asks: true, trash: folder });
    const [plan] = plans as { hasOthersEphemerals?: boolean; details?: readonly string[] }[];
    assert.equal(plan?.hasOthersEphemerals, true, line);
    assert.deepEqual(plan?.details, expected, line);
  }
  await other.close();
});

test('set -v = asks whose data counts when somebody was quicker', async () => {
  await client.create('/raced', 'base');
  for (const [answer, status, data] of [
    ['theirs', 0, 'theirs'],
    ['mine', 0, 'mine'],
  ] as const) {
    const asked: string[] = [];
    const choose = (question: string): string => {
      asked.push(question);
      return answer;
    };
    const it = rig(client, {}, new Map(), { asks: true, trash: folder, choose });
    await it.shell.run('get /raced');
    await client.set('/raced', 'theirs');
    assert.equal(await it.shell.run('set -v = /raced mine'), status);
    assert.deepEqual(asked, ['Somebody else changed /raced meanwhile.']);
    assert.equal(await dataOf('/raced'), data);
    assert.ok(it.shown.some(({ type }) => type === 'differences'));
  }
  // what Enter means, the first answer, destroys nothing
  const entered = rig(client, {}, new Map(), { asks: true, trash: folder });
  await entered.shell.run('get /raced');
  await client.set('/raced', 'theirs');
  assert.equal(await entered.shell.run('set -v = /raced mine'), 0);
  assert.equal(await dataOf('/raced'), 'theirs');
  // where nobody is there it is a failure
  const it = rig(client);
  await it.shell.run('get /raced');
  await client.set('/raced', 'theirs');
  assert.equal(await it.shell.run('set -v = /raced mine'), 12);
});

test('edit asks whose data counts: Enter edits again, and what is given up for theirs is kept in a file', async () => {
  await client.create('/edited', 'base');
  const it = rig(client, {}, new Map(), { asks: true, trash: folder });
  const answers: string[] = [];
  let runs = 0;
  const editor = async (line: string): Promise<number> => {
    const file = /'([^']+)'$/.exec(line)?.[1] ?? '';
    writeFileSync(file, 'mine');
    if (runs++ === 0) await client.set('/edited', 'theirs');
    return 0;
  };
  // the first answer is what Enter means
  const offered: string[] = [];
  const choose = async (_: string, of: readonly { readonly value: string }[]): Promise<string> => {
    offered.push(...of.map(({ value }) => value));
    return answers.shift() ?? of[0]?.value ?? '';
  };
  Object.assign(it.shell.ports, { os: editor, choose });
  assert.equal(await it.shell.run('edit /edited'), 0, it.told[0]?.failure.message);
  assert.deepEqual([offered, runs], [['edit', 'theirs', 'mine'], 2]);
  assert.equal(await dataOf('/edited'), 'mine');
  runs = 0;
  await client.set('/edited', 'base');
  answers.push('theirs');
  assert.equal(await it.shell.run('edit /edited'), 0);
  assert.equal(await dataOf('/edited'), 'theirs');
  const kept = /^what you wrote is kept in (\S+); set \/edited @\1 writes it$/.exec(it.warned.at(-1) ?? '')?.[1] ?? '';
  assert.equal(readFileSync(kept, 'utf8'), 'mine');
  rmSync(dirname(kept), { recursive: true });
});

test('events -f where nothing is watched is refused: it would wait for nothing', async () => {
  const { status, told } = await run('events -f');
  assert.deepEqual([status, told], [2, ['events -f: nothing is watched in this session, so nothing would come']]);
});

test('words that reset what everybody reads are of the risk of the ensemble, so a protected profile wants its name', () => {
  const word = registry.find('4lw');
  for (const [name, risk] of [
    ['srst', 'cluster'],
    ['crst', 'cluster'],
    ['stmk', 'cluster'],
    ['mntr', 'read'],
  ])
    assert.equal(word?.riskOf?.({ word: name } as never), risk, name);
});

test('a tree that is cut off says how much there is', async () => {
  await client.create('/t');
  for (const name of ['a', 'b', 'c']) await client.create(`/t/${name}`);
  const it = rig(client);
  await it.shell.run('tree --limit 2 /t');
  assert.deepEqual(toHuman(it.shown[0] as Output, SCREEN).at(-1), 'stopped after 2 nodes of 4; --limit shows more');
});

test('a file read in lines is never in memory as a whole, wherever its pieces end', async () => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `line ${at} ${'x'.repeat(at % 300)}`);
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += 10_007) yield Buffer.from(bytes.subarray(at, at + 10_007));
  }
  const reader = new ByteReader(pieces());
  assert.equal((await reader.peek(6)).toString(), 'line 0');
  let most = 0;
  for (const line of lines) {
    assert.equal((await reader.line())?.toString(), line);
    most = Math.max(most, (await reader.peek(1)).buffer.byteLength);
  }
  assert.equal(await reader.line(), undefined);
  assert.ok(most < 50_000, `${most} bytes kept of ${bytes.length}`);
});

test('a node of very many children is listed in parts: the same text, one document', async () => {
  await client.create('/folder');
  const names = Array.from({ length: 12_000 }, (_, at) => `n${String(at).padStart(5, '0')}`);
  for (let at = 0; at < names.length; at += 1000)
    await client.multi(
      names.slice(at, at + 1000).map((name) => ({ op: 'create', path: `/folder/${name}`, data: null, options: {} })),
    );
  const screen = { theme: plainTheme(true), width: 80, now: 0 };
  const as = async (line: string, mode: 'json' | 'plain' | 'zkcli' | 'human'): Promise<string> => {
    const it = rig(client);
    assert.equal(await it.shell.run(line), 0);
    assert.equal(it.shown.length, 13, line);
    return Buffer.concat(it.shown.map((part) => render(part, { mode, isTerminal: false }, screen))).toString();
  };
  assert.equal(await as('ls /folder', 'plain'), `${names.join('\n')}\n`);
  assert.equal(await as('ls /folder', 'zkcli'), `[${names.join(', ')}]\n`);
  assert.deepEqual(JSON.parse(await as('ls /folder', 'json')), { path: '/folder', children: names });
  assert.deepEqual(Object.keys(JSON.parse(await as('ls -s /folder', 'json'))), ['path', 'children', 'stat']);
  assert.doesNotMatch(await as('ls -r /folder', 'human'), /no children/);
  const long = (await as('ls -l -r /folder', 'plain')).trimEnd().split('\n');
  assert.deepEqual([long.length, long[0]?.split('\t').at(-1)], [12_000, 'n11999']);
  // in an order of their stats, of which only the number is kept
  await client.set('/folder/n05000', 'longest');
  await client.set('/folder/n00007', 'long');
  await client.create('/folder/n00009/below');
  const bySize = (await as('ls -S -1 /folder', 'plain')).trimEnd().split('\n');
  const others = names.filter((name) => name !== 'n05000' && name !== 'n00007');
  assert.deepEqual(bySize, ['n05000', 'n00007', ...others]);
  assert.deepEqual((await as('ls -S -r /folder', 'plain')).trimEnd().split('\n'), bySize.toReversed());
  await prints(
    'ls -S --limit 1 -1 /folder; ls -c --limit 2 -1 /folder; ls -t --limit 1 -1 /folder',
    'n05000\nn00009\nn00000\nn00007\n',
  );
  const back = (await run('ls -R -r /folder')).out.trimEnd().split('\n');
  assert.deepEqual(
    back,
    ['/folder', ...names.map((name) => `/folder/${name}`), '/folder/n00009/below'].sort().toReversed(),
  );
  const few = (await run('ls -R -r -l --limit 2000 /folder')).out.trimEnd().split('\n');
  assert.deepEqual([few.length, few.map((line) => line.split('\t').at(-1)).join()], [2000, back.slice(0, 2000).join()]);
});

test('a walk has as many reads under way as it may, in every folder', async () => {
  const stat = { ...((await client.exists('/')) as Stat), numChildren: 0 };
  let [under, most] = [0, 0];
  const perFolder = new Map<string, number>();
  const tree = {
    async getChildren(path: string) {
      const folder = path.split('/')[1] ?? '';
      under++;
      most = Math.max(most, under);
      const isLeaf = path.split('/').length > 2;
      if (isLeaf) perFolder.set(folder, Math.max(perFolder.get(folder) ?? 0, under));
      await new Promise((resolve) => setTimeout(resolve, 1));
      under--;
      const count = isLeaf ? 0 : 100;
      const children = Array.from({ length: count }, (_, at) => `n${String(at).padStart(2, '0')}`);
      return { children, stat: { ...stat, numChildren: count } };
    },
  } as unknown as Client;
  let seen = 0;
  const { signal } = new AbortController();
  for await (const _node of walkNodes(tree, '/', { signal, inflight: 8 })) seen++;
  assert.deepEqual([seen, most, perFolder.size], [10_101, 8, 100]);
  for (const [folder, each] of perFolder) assert.equal(each, 8, folder);
});

test('at a prompt the empty config of a server alone is explained; a script gets it as it is', async () => {
  const why = 'a standalone server has no members: its config is empty';
  assert.deepEqual((await run('config', { trash: folder })).warned, [why]);
  assert.deepEqual((await run('config')).warned, []);
});

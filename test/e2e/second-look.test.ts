/** What an operator ran into who tried the shell with scripts, exports, profiles and recipes: what was lost, skipped or called done. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/index.ts';
import { lateIf, timely } from '../patience.ts';
import { until } from '../recipes/world.ts';
import { BIN, type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-second-'));
const file = (name: string): string => join(folder, name);
const BOB = ['--auth', 'digest:bob:secret'];
let client: Client;
let bob: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  bob = await connect(server.hosts, { auth: [{ scheme: 'digest', auth: 'bob:secret' }] });
  await bob.create('/lim', '');
  await bob.create('/lim/pub', '1');
  const own = [{ perms: 31, scheme: 'auth', id: '' }];
  await bob.create('/lim/priv', 's', { acl: own });
  await bob.create('/lim/priv/k', 's2', { acl: own });
});
after(async () => {
  await client.close();
  await bob.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const one = (...words: string[]): Promise<Ran> => zoosh([server.hosts, ...words]);
const asBob = (...words: string[]): Promise<Ran> => zoosh([...BOB, server.hosts, ...words]);
const isThere = async (path: string): Promise<boolean> => (await bob.exists(path)) !== undefined;

test('what an export could not read is not taken for what was not there', async () => {
  for (const [name, ...how] of [
    ['lim.ndjson', 'export', '/lim'],
    ['lim.zka', 'export', '--format', 'archive', '/lim'],
    ['lim-dir', 'export', '--format', 'dir', '/lim'],
    ['lim-cp', 'cp', '-r', '/lim'],
  ] as const) {
    const place = file(name);
    const made = await one(...how, how[0] === 'cp' ? `file:${place}` : place);
    assert.deepEqual([made.code, /not permitted to read \/lim\/priv/.test(made.stderr)], [14, true], name);
    const pruned = await asBob('apply', '-f', place, '--prune');
    assert.equal(pruned.code, 14, name);
    assert.match(pruned.stderr, /lacks \/lim\/priv, which could not be read when it was made\n hint: export again/);
    const mirrored = await asBob('mirror', '--delete', `file:${place}`, '/lim');
    assert.deepEqual([mirrored.code, /lacks \/lim\/priv/.test(mirrored.stderr)], [14, true], name);
    assert.ok(await isThere('/lim/priv/k'), name);
    // nothing is said of it, so that it does not differ
    const differs = await asBob('diff', '-r', '/lim', `file:${place}`);
    assert.deepEqual([differs.stdout, differs.code], ['', 14], name);
    const rootOnly = await asBob('diff', '/lim', `file:${place}`);
    assert.deepEqual([rootOnly.code, rootOnly.stderr], [0, ''], 'what is not compared is not told');
    const applied = await asBob('apply', '-f', place);
    assert.equal(applied.code, 14, applied.stderr);
    const imported = await asBob('import', place, '--root', `/from-${name}`);
    assert.equal(imported.code, 14, imported.stderr);
    assert.match(imported.stderr, /not permitted to read, when .* was made, \/lim\/priv/);
    assert.deepEqual((await bob.getChildren(`/from-${name}`)).children, ['pub']);
  }
});

test('a file that holds one node says nothing about what is below it: nothing there is deleted by it', async () => {
  for (const path of ['/top', '/top/kept', '/top/kept/too']) await client.create(path, 'v');
  const place = file('top.ndjson');
  assert.equal((await one('cp', '/top', `file:${place}`)).code, 0);
  await client.set('/top', 'other');
  for (const words of [
    ['apply', '-f', place, '--prune'],
    ['mirror', '--delete', `file:${place}`, '/top'],
  ]) {
    const ran = await one(...words);
    assert.equal(ran.code, 2, ran.stdout);
    assert.match(
      ran.stderr,
      /top\.ndjson holds \/top alone, so --(?:prune|delete) would delete everything below it\n hint: cp -r/,
    );
  }
  assert.ok(await isThere('/top/kept/too'));
  assert.equal((await one('apply', '-f', place)).code, 0);
  assert.equal((await client.get('/top')).data?.toString(), 'v');
  assert.ok(await isThere('/top/kept/too'));
  // with what is below it such a file may delete
  assert.equal((await one('cp', '-r', '/top', `file:${place}`)).code, 0);
  await client.create('/top/more');
  assert.equal((await one('apply', '-f', place, '--prune')).code, 0);
  assert.deepEqual((await client.getChildren('/top')).children, ['kept']);
});

test('a part that was not done, and a program that failed, end commands of -c and of scripts alike', async () => {
  const script = file('part.zk');
  const run = async (text: string): Promise<readonly (string | number)[]> => {
    writeFileSync(script, text);
    const out: (string | number)[] = [];
    for (const ran of [await one('-c', text).catch(() => undefined), await zoosh([server.hosts, script])])
      if (ran !== undefined) out.push(ran.code, ran.stdout);
    const dashC = await zoosh(['-c', text, server.hosts]);
    return [...out.slice(-2), dashC.code, dashC.stdout];
  };
  for (const [text, code, stdout] of [
    [`export /lim ${file('x.nd')}\necho reached\n`, 14, ''],
    [`export /lim | cat >${file('y.nd')}\necho reached\n`, 14, ''],
    ['ls -R /lim | grep -c pub\necho reached\n', 0, '1\nreached\n'],
    ['ls -R /lim\necho reached\n', 14, '/lim\n/lim/priv\n/lim/pub\n'],
    ['lock /jobs/y -- sh -c "exit 2"\necho reached\n', 2, ''],
    ['!sh -c "exit 5"\necho reached\n', 5, ''],
    ['!sh -c "exit 1"\necho reached\n', 0, 'reached\n'],
    ['exists /nope\necho reached\n', 0, 'no\nreached\n'],
    [`export /lim ${file('x.nd')} || echo handled\necho reached\n`, 0, 'handled\nreached\n'],
    ['echo one\n!sh -c "exit 7"\n', 7, 'one\n'],
    ['get /nope && echo yes || echo no\n', 0, 'no\n'],
    ['get /lim/pub && get /nope || echo no\n', 0, '1\nno\n'],
    ['get /nope && echo yes\necho reached\n', 10, ''],
  ] as const)
    assert.deepEqual(await run(text), [code, stdout, code, stdout], text);
  const several = await zoosh(['-c', '!sh -c "exit 4"', '-c', 'echo reached', server.hosts]);
  assert.deepEqual([several.code, several.stdout], [4, '']);
});

test('why a script ended there is said, with -q, too, and under -k once', async () => {
  const script = file('why.zk');
  writeFileSync(script, 'echo one\nls -R /lim\necho two\n');
  const quiet = await zoosh(['-q', server.hosts, script]);
  assert.equal(quiet.code, 14);
  assert.match(quiet.stderr, /why\.zk:2: error: ls: a part of it was not done\n/);
  const inner = file('inner.zk');
  writeFileSync(inner, 'get /nope\necho in\n');
  writeFileSync(script, `run ${inner}\necho out\n`);
  const counted = await zoosh(['-k', server.hosts, script]);
  assert.deepEqual([counted.code, counted.stdout], [10, 'in\nout\n']);
  assert.match(counted.stderr, /^1 of \d+ commands failed/m);
  // under -k each says where it stands, too; a line of the file that is run is none of the script's
  assert.equal(
    counted.stderr,
    `${inner}:1: error: node does not exist: /nope\n1 of 4 commands failed (line ${inner}:1)\n`,
  );
  writeFileSync(
    script,
    'echo one\nls -R /lim\neach /lim/p* do get {}/no\nrepeat 1 get /nope\nfind /lim/pub -exec get {}/no\n',
  );
  const goesOn = await zoosh(['-q', '-k', server.hosts, script]);
  assert.equal(goesOn.code, 14);
  const told = goesOn.stderr.split('\n');
  assert.ok(told.includes(`${script}:2: error: ls: a part of it was not done`), goesOn.stderr);
  const loud = await zoosh(['-k', server.hosts, script]);
  // also to whoever wants no warnings
  for (const { stderr } of [loud, goesOn])
    for (const line of [
      `${script}:3: /lim/pub: error: node does not exist: /lim/pub/no`,
      `${script}:4: error: node does not exist: /nope`,
      `${script}:5: /lim/pub: error: node does not exist: /lim/pub/no`,
    ])
      assert.ok(stderr.split('\n').includes(line), stderr);
  const operations = file('operations.zk');
  writeFileSync(operations, 'create /lim/new\n\nbogus /lim\n');
  writeFileSync(script, `echo one\ntxn -f ${operations}\n`);
  const within = await zoosh([server.hosts, script]);
  assert.equal(
    within.stderr,
    `${script}:2: error: ${operations}:3: unknown command bogus\n hint: help lists the commands\n`,
  );
  assert.equal(await client.exists('/lim/new'), undefined);
  // something that was not done is not hidden by an answer before it
  const each = await one('each', '/lim/*', 'do', 'grep', 'nope', '{}');
  assert.equal(each.code, 14, each.stderr);
  const diffed = await zoosh(['-c', 'diff -r /lim /lim | wc -l\necho on', server.hosts]);
  assert.deepEqual([diffed.code, diffed.stdout.trim()], [0, '0\non'], diffed.stderr);
});

test('a lock on the profiles that nobody holds any more is taken away, once', async () => {
  const home = { ZOOSH_HOME: file('stale') };
  assert.equal((await zoosh(['profile', 'add', 'first', 'h:1'], '', home)).code, 0);
  const lock = file('stale/config/config.json.lock');
  for (let round = 0; round < 3; round++) {
    writeFileSync(lock, '');
    utimesSync(lock, new Date(0), new Date(0));
    const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}${round}`);
    for (const ran of await Promise.all(names.map((name) => zoosh(['profile', 'add', name, 'h:1'], '', home))))
      assert.equal(ran.code, 0, ran.stderr);
    const { profiles } = JSON.parse(readFileSync(file('stale/config/config.json'), 'utf8'));
    for (const name of names) assert.ok(Object.hasOwn(profiles, name), name);
    assert.equal(existsSync(lock), false);
  }
});

test('a file that says how it is to be run is not run otherwise', async () => {
  const script = file('atomic.zk');
  for (const line of ['atomic', 'continue-on-error', 'output json']) {
    writeFileSync(script, `#!/usr/bin/env zoosh\n# words\n#: ${line}\nput /half/a 1\nassert exists /nope\n`);
    const ran = await zoosh(['-c', `run ${script}`, server.hosts]);
    assert.equal(ran.code, 2);
    assert.ok(ran.stderr.includes(`says #: ${line}, which is so only for a whole shell`), ran.stderr);
    assert.equal(await isThere('/half/a'), false);
  }
  writeFileSync(script, '# words\nput /whole/a 1\n#: atomic\n');
  assert.equal((await zoosh(['-c', `run ${script}`, server.hosts])).code, 0, 'behind a command it is a comment');
});

test('what only reads is read under --read-only', async () => {
  await client.create('/counted', '7');
  for (const [words, stdout] of [
    [['counter', 'get', '/counted'], '7\n'],
    [['queue', 'len', '/lim/pub'], '0\n'],
  ] as const) {
    const ran = await zoosh(['--read-only', server.hosts, ...words]);
    assert.deepEqual([ran.code, ran.stdout], [0, stdout], ran.stderr);
  }
  for (const words of [['queue', 'peek', '/lim/pub']])
    assert.equal((await zoosh(['--read-only', server.hosts, ...words])).code, 1);
  for (const words of [
    ['counter', 'incr', '/counted'],
    ['queue', 'put', '/lim/pub', 'x'],
    ['elect', '/lim/pub', '--', 'true'],
  ])
    assert.equal((await zoosh(['--read-only', server.hosts, ...words])).code, 30, words.join(' '));
});

test('who does not wait takes what is free, and only that', async () => {
  for (const command of ['lock', 'elect', 'semaphore']) {
    const words = command === 'semaphore' ? [command, '-n', '1'] : [command];
    const ran = await one(...words, '--wait', '0s', `/free/${command}`, '--', 'echo', 'got');
    assert.deepEqual([ran.code, ran.stdout], [0, 'got\n'], ran.stderr);
    const holder = spawn(process.execPath, [BIN, server.hosts, ...words, `/busy/${command}`, '--', 'sleep', '60'], {
      env: { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent', ZOOSH_CODE_CACHE: 'off' },
    });
    try {
      await until(
        'it is held',
        async () =>
          (await isThere(`/busy/${command}`)) && (await bob.getChildren(`/busy/${command}`)).children.length > 0,
      );
      await timely(async () => {
        const began = performance.now();
        const busy = await one(...words, '--wait', '0s', `/busy/${command}`, '--', 'echo', 'got');
        assert.deepEqual([busy.code, busy.stdout], [124, ''], busy.stderr);
        const ms = performance.now() - began;
        return lateIf(ms > 4000, `${Math.round(ms)} ms`);
      });
      await timely(async () => {
        const began = performance.now();
        assert.equal((await one(...words, '--wait', '50ms', `/busy/${command}`, '--', 'echo', 'got')).code, 124);
        const ms = performance.now() - began;
        return lateIf(ms > 900, `${Math.round(ms)} ms`);
      });
    } finally {
      holder.kill();
    }
  }
});

test('an undo that nobody sees says which change it is', async () => {
  const ran = await one('undo');
  assert.equal(ran.code, 30);
  assert.match(ran.stderr, /nobody is there to see which change it takes back\n hint: undo list shows them: undo N/);
});

test('a file that was there is not replaced by one that holds nothing', async () => {
  const kept = file('kept.nd');
  assert.equal((await asBob('cp', '-r', '/lim', `file:${kept}`)).code, 0);
  const before = readFileSync(kept, 'utf8');
  const ran = await one('cp', '-r', '/lim/priv', `file:${kept}`);
  assert.equal(ran.code, 14);
  assert.equal(readFileSync(kept, 'utf8'), before);
});

test('deleting above what may not be listed is told as what it is', async () => {
  const ran = await one('deleteall', '/lim');
  assert.deepEqual([ran.code, /\/lim\/priv/.test(ran.stderr)], [14, true], ran.stderr);
  assert.ok(await isThere('/lim/priv/k'));
  // it names the one that stands in the way
  await bob.create('/del');
  const own = [{ perms: 31, scheme: 'auth', id: '' }];
  for (const path of ['/del/h1', '/del/h1/k', '/del/h2']) await bob.create(path, '', { acl: own });
  const both = await one('deleteall', '/del');
  assert.deepEqual([both.code, /: \/del\/h1\n/.test(both.stderr)], [14, true], both.stderr);
});

test('profiles that shells keep at the same time are all kept', async () => {
  const home = { ZOOSH_HOME: file('home') };
  const names = [...'abcdefgh'];
  for (const ran of await Promise.all(names.map((name) => zoosh(['profile', 'add', name, 'h:1'], '', home))))
    assert.equal(ran.code, 0, ran.stderr);
  const kept = (): string[] =>
    Object.keys(JSON.parse(readFileSync(file('home/config/config.json'), 'utf8')).profiles).sort();
  assert.deepEqual(kept(), names);
  // a shell that was there before sees it and loses nothing
  const script = `profile list\n!'${process.execPath}' '${BIN}' profile add late h:2\nprofile show late\nprofile add mine h:3\nprofile rm a\n`;
  const ran = await zoosh([server.hosts], script, { ...home, ZOOSH_CODE_CACHE: 'off' });
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(kept(), [...names.slice(1), 'late', 'mine']);
  writeFileSync(file('home/config/config.json'), '{ not json');
  const broken = await zoosh(['profile', 'add', 'z', 'h:1'], '', home);
  assert.equal(broken.code, 2);
  assert.equal(
    readFileSync(file('home/config/config.json'), 'utf8'),
    '{ not json',
    'what a person is writing is left alone',
  );
  // a server that is named needs nothing from it; where a profile could be meant it does
  const named = await zoosh([server.hosts, 'exists', '/'], '', home);
  assert.deepEqual([named.code, named.stdout], [0, 'yes\n'], named.stderr);
  assert.match(named.stderr, /is not valid JSON: .*; it is ignored, since a server was named\n$/);
  for (const words of [
    ['ls', '/'],
    ['@prod', 'ls', '/'],
    ['-p', 'prod', 'ls', '/'],
  ])
    assert.match(
      (await zoosh(words, '', home)).stderr,
      /is not valid JSON[\s\S]*mend the file, or ignore it/,
      words[0],
    );
});

test('watch --until looks at what it has shown', async () => {
  await client.create('/shown', 'init');
  const watching = one('watch', '--until', 'data=*ready*', '--timeout', '20s', '--diff', '/shown');
  let isOver = false;
  void watching.finally(() => {
    isOver = true;
  });
  for (let at = 0; at < 100 && !isOver; at++) {
    await Promise.all([client.set('/shown', 'ready'), client.set('/shown', `go on ${at}`)]);
    await sleep(20);
  }
  for (let at = 0; !isOver; at++) {
    await client.set('/shown', at % 2 === 0 ? 'ready' : 'so');
    await sleep(100);
  }
  const ran = await watching;
  // it may have missed those that were gone at once, but never shown one and gone on
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stdout.split('\n').filter((line) => /-> "?ready/.test(line)).length, 1, ran.stdout);
});

/** Many nodes at once: exports, copies, moves, comparisons, searches, sums; watches and servers looked at. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { PathSource } from '../../src/shell/path-source.ts';
import { patiently } from '../e2e/cli.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { note, run, zoosh } from './live-shell.ts';
import { wholly } from './shell-looks.ts';
import { base, client, dataOf, digest, ENV, HOME, hex, one, SERVER, shell } from './shell-rig.ts';

const file = (name: string): string => join(HOME, name);
const equal = async (words: readonly string[], out: string | RegExp, status = 0, err?: RegExp): Promise<void> => {
  const got = await one(...words);
  assert.equal(got.status, status, `${words.join(' ')}: ${got.err}${got.out}`);
  if (typeof out === 'string') assert.equal(got.out.toString(), out, words.join(' '));
  else assert.match(got.out.toString(), out, words.join(' '));
  if (err !== undefined) assert.match(got.err, err);
};
const json = async (...words: string[]): Promise<unknown> => {
  note(words.join(' '), true);
  const { out, err } = await zoosh(['-o', 'json', SERVER, ...words], ENV);
  try {
    return JSON.parse(out.toString());
  } catch {
    throw new Error(`${words.join(' ')}: ${out} ${err}`);
  }
};

/** Runs a command that goes on until it is interrupted, which it is behind `during`; that can see what it said so far. */
async function goingOn(words: readonly string[], during: (said: () => string) => Promise<void>): Promise<void> {
  const args = ['bin/zoosh.js', ...patiently([SERVER, ...words])];
  const child = spawn(process.execPath, args, { env: ENV, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  try {
    await during(() => text);
  } finally {
    child.kill('SIGINT');
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(late);
  }
}
async function until(is: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await is()); await sleep(50))
    assert.ok(performance.now() < end, `never: ${what}`);
}

async function planted(name: string): Promise<string> {
  const at = await base(name);
  await client.set(at, 'root');
  await client.create(`${at}/bytes`, Buffer.from([0, 1, 255]));
  await client.create(`${at}/deep`, null);
  await client.create(`${at}/deep/er`, 'two\nlines\n');
  await client.create(`${at}/empty`, '');
  await client.create(`${at}/kept`, 'x', {
    acl: [
      { perms: 1, scheme: 'world', id: 'anyone' },
      { perms: 31, scheme: 'ip', id: '127.0.0.1' },
    ],
  });
  return at;
}

test('export and import: every form, option and conflict', async () => {
  const at = await planted('export');
  await client.create(`${at}/brief`, 'e', { mode: 'ephemeral' });
  await equal(
    ['export', at],
    /^\{"zoosh":"export","version":1,"root":"[^"]*","acl":true,"ends":"last"\}\n/,
    0,
    /^1 ephemeral node left out/,
  );
  await equal(
    ['export', '--no-acl', '--no-stat', `${at}/deep`],
    `{"zoosh":"export","version":1,"root":"${at}/deep","acl":false,"ends":"last"}\n{"path":"${at}/deep","data":null,"encoding":"null","kind":"persistent"}\n{"path":"${at}/deep/er","data":"two\\nlines\\n","encoding":"utf8","kind":"persistent","last":true}\n`,
  );
  await equal(['export', '--ephemerals', at, file('eph')], '');
  await equal(['import', '--root', `${at}-e`, file('eph')], 'created\t6\nupdated\t0\nsame\t0\nskipped\t1\n');
  await equal(
    ['import', '--as-persistent', '--root', `${at}-p`, file('eph')],
    'created\t7\nupdated\t0\nsame\t0\nskipped\t0\n',
  );
  for (const [name, ...options] of [
    ['zka', '--format', 'archive'],
    ['gz', '--gzip'],
    ['dir', '--format', 'dir'],
  ] as const) {
    await equal(['export', ...options, at, file(name)], '');
    await equal(['import', '--root', `${at}-${name}`, file(name)], 'created\t6\nupdated\t0\nsame\t0\nskipped\t0\n');
    await equal(['diff', '-r', at, `${at}-${name}`], '');
  }
  assert.ok(existsSync(file('dir/bytes/__data__')));
  await client.set(`${at}-zka/deep/er`, 'other');
  await equal(['import', '--root', `${at}-zka`, file('zka')], '', 11, /there is another node already/);
  await equal(
    ['import', '--on-conflict', 'skip', '--root', `${at}-zka`, file('zka')],
    'created\t0\nupdated\t0\nsame\t5\nskipped\t1\n',
  );
  await equal(
    ['import', '--on-conflict', 'overwrite', '--root', `${at}-zka`, file('zka')],
    'created\t0\nupdated\t1\nsame\t5\nskipped\t0\n',
  );
  await equal(
    ['import', '--atomic', '--no-acl', '--root', `${at}-a`, file('gz')],
    'created\t6\nupdated\t0\nsame\t0\nskipped\t0\n',
  );
  await equal(['import', '--acl', 'world:anyone:r', '--root', `${at}-f`, file('gz')], '', 14, /not permitted/);
  assert.deepEqual(await json('import', '--root', `${at}-j`, file('zka')), {
    created: 6,
    updated: 0,
    same: 0,
    skipped: 0,
  });
  assert.deepEqual(await json('export', at, file('j')), { path: at, file: file('j'), nodes: 6, bytes: 18 });
  await client.delete(`${at}/brief`);
});

test('cp and mv', async () => {
  const at = await planted('cp');
  await equal(['cp', '--keep-acl', at, `${at}-1`], 'created\t1\nupdated\t0\nsame\t0\nskipped\t0\n');
  await equal(['cp', at, `${at}-1`], '', 11, /already exists/);
  await equal(['cp', '-r', '-f', '--no-acl', at, `${at}-1`], 'created\t5\nupdated\t0\nsame\t1\nskipped\t0\n');
  await equal(
    ['cp', '-r', '--no-data', '--atomic', '--acl', 'world:anyone:cdrwa', at, `${at}-2`],
    'created\t6\nupdated\t0\nsame\t0\nskipped\t0\n',
  );
  assert.equal(await dataOf(`${at}-2/deep/er`), null);
  await equal(
    ['cp', '-r', `${at}/deep`, `${at}/empty`, `${at}-2/bytes/`],
    'created\t3\nupdated\t0\nsame\t0\nskipped\t0\n',
  );
  await equal(['cp', '-r', at, `file:${file('cp')}`], 'created\t6\nupdated\t0\nsame\t0\nskipped\t0\n');
  await equal(['cp', '-r', `file:${file('cp')}`, `${at}-3`], 'created\t6\nupdated\t0\nsame\t0\nskipped\t0\n');
  assert.deepEqual(await json('cp', '-r', '--as-persistent', at, `${at}-4`), {
    created: 6,
    updated: 0,
    same: 0,
    skipped: 0,
  });
  await equal(['mv', `${at}-4`, `${at}-5`], 'moved\t6\n');
  await equal(['diff', '-r', at, `${at}-5`], '');
  await equal(['mv', '-f', '--no-acl', `${at}-5`, `${at}-1`], 'moved\t6\n');
  assert.deepEqual(await json('mv', '--acl', 'world:anyone:cdrwa', `${at}-1`, `${at}-6`), { moved: 6 });
});

test('diff, apply, mirror', async () => {
  const at = await planted('diff');
  await equal(['export', at, file('diff')], '');
  await equal(['cp', '-r', at, `${at}-b`], /^created\t6\n/);
  await client.set(`${at}-b/deep/er`, 'two\nother\n');
  await client.create(`${at}-b/more`, 'm');
  await client.delete(`${at}-b/empty`);
  await equal(
    ['diff', '-r', at, `${at}-b`],
    `~\t${at}/deep/er\tdata "two\\nlines\\n" -> "two\\nother\\n"\n-\t${at}/empty\n+\t${at}/more\n`,
    1,
  );
  await equal(['diff', '-r', '--acl', at, `${at}-b`], `-\t${at}/empty\n+\t${at}/more\n`, 1);
  await equal(
    ['diff', '--data', '--stat', '--ephemerals', `${at}/deep/er`, `${at}-b/deep/er`],
    /\tversion 0 -> 1\n$/,
    1,
  );
  await equal(['apply', '--check', '--root', `${at}-b`, '-f', file('diff')], /^~[^\n]*\n\+[^\n]*\n$/, 1);
  await equal(
    ['apply', '--prune', '--root', `${at}-b`, '-f', file('diff')],
    'created\t1\nupdated\t1\ndeleted\t1\nsame\t4\nextra\t0\nephemerals\t0\n',
  );
  await equal(['diff', '-r', at, `${at}-b`], '');
  await equal(['apply', '--no-acl', '--root', `${at}-c`, '-f', file('diff')], /^created\t6\n/);
  await equal(['apply', '--acl', 'world:anyone:cdrwa', '--root', `${at}-c`, '-f', file('diff')], '');
  assert.deepEqual(await json('diff', '-r', `file:${file('diff')}`, at), {
    differences: [],
    equal: true,
    ephemeralsLeftOut: 0,
    same: 6,
  });
  assert.equal(((await json('apply', '--check', '-f', file('diff'))) as { same: number }).same, 6);
  await equal(['mirror', at, `${at}-m`], 'created\t6\nupdated\t0\ndeleted\t0\nsame\t0\n');
  await client.create(`${at}-m/extra`);
  await equal(['mirror', '--delete', '--no-acl', at, `${at}-m`], 'created\t0\nupdated\t0\ndeleted\t1\nsame\t6\n');
  assert.deepEqual(await json('mirror', '--acl', 'world:anyone:cdrwa', at, `${at}-m`), {
    created: 0,
    updated: 1,
    deleted: 0,
    same: 5,
  });
  note(`mirror -f ${at} ${at}-m`);
  await goingOn(['mirror', '-f', at, `${at}-m`], async () => {
    // the first it may have found when it began
    for (const value of ['found', 'followed']) {
      await client.set(`${at}/empty`, value);
      await until(async () => (await dataOf(`${at}-m/empty`))?.toString() === value, `${value} in the mirror`);
    }
  });
  assert.equal((await dataOf(`${at}-m/empty`))?.toString(), 'followed');
});

test('count, grep, du, top-nodes', async () => {
  const at = await planted('sums');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('count', '4\n');
  await sh.ok(`count -R ${at}`, '5\n');
  assert.equal(await json('count', '-R', at), 5);
  await sh.ok('grep lines', `${at}/deep/er:2:lines\n`);
  await sh.ok(`grep -i -F -A 1 -B 1 LINES ${at}/deep`, `${at}/deep/er-1-two\n${at}/deep/er:2:lines\n`);
  await sh.ok(`grep -l two ${at}`, `${at}/deep/er\n`);
  await sh.ok(`grep -c two ${at}`, `${at}/deep/er:1\n`);
  await sh.ok(`grep --text -E o ${at}/deep`, `${at}/deep/er:1:two\n`);
  assert.deepEqual(await json('grep', 'two', at), { matches: [{ path: `${at}/deep/er`, line: 1, text: 'two' }] });
  await sh.ok(`grep -v -E e ${at}/deep`, `${at}/deep/er:1:two\n`);
  await sh.ok(`du ${at}`, `18\t6\t${at}\n10\t2\t${at}/deep\n3\t1\t${at}/bytes\n1\t1\t${at}/kept\n0\t1\t${at}/empty\n`);
  await sh.ok(`du -d 0 -h ${at}`, `18B\t6\t${at}\n`);
  await sh.ok(`du -d 0 --limit 100 ${at}`, `18\t6\t${at}\n`);
  assert.deepEqual(await json('du', '-d', '0', at), [{ path: at, nodes: 6, bytes: 18 }]);
  await sh.ok(`top-nodes ${at} -n 2`, `10\t${at}/deep/er\n4\t${at}\n`);
  await sh.ok(`top-nodes ${at} --limit 100 -n 1`, `10\t${at}/deep/er\n`);
  await sh.ok(`top-nodes ${at} --by children`, `4\t${at}\n1\t${at}/deep\n`);
  assert.deepEqual(await json('top-nodes', at, '--by', 'subtree', '-n', '1'), [{ path: at, subtree: 5 }]);
});

test('acl and quota', async () => {
  const at = await base('acl-edits');
  await client.create(`${at}/b`);
  await using sh = shell('-o', 'plain');
  await sh.ok(`acl add ${at} ip:127.0.0.1:ra`, 'world:anyone:cdrwa,ip:127.0.0.1:ra\n');
  assert.deepEqual(await sh.line(`acl diff ${at} ${at}/b`), { out: '-\tip:127.0.0.1:ra\n', err: '', status: 1 });
  await sh.ok(`acl copy ${at} ${at}/b`, 'changed\t1\n');
  await sh.ok(`acl copy -R --no-acl ${at} ${at}`, 'changed\t2\n');
  await sh.ok(`acl rm ${at} world:anyone:w`, 'world:anyone:cdra,ip:127.0.0.1:ra\n');
  await sh.ok(`acl rm --force ${at} ip:127.0.0.1:r`, 'world:anyone:cdra,ip:127.0.0.1:a\n');
  await sh.ok('acl digest bob secret', `digest:bob:${digest('bob:secret')}\n`);
  const sha256 = createHash('sha256').update('bob:secret').digest('base64');
  await sh.ok('acl digest --sha256 bob secret', `digest256:bob:${sha256}\n`);
  assert.deepEqual(await json('acl', 'digest', 'bob', 'secret'), {
    scheme: 'digest',
    id: `bob:${digest('bob:secret')}`,
  });
  await sh.ok(`setquota -n 10 ${at}`);
  await sh.ok(`quota ls ${at}`, /^\/shell-[^\t]*\t\d+\/10\t\d+\/-\t\d+%\n$/);
  assert.equal(((await json('quota', 'ls', at)) as unknown[]).length, 1);
});

test('edit, undo, unwatch, events', async () => {
  const at = await base('edit');
  await client.set(at, '{"a":1}');
  const editor = file('editor');
  writeFileSync(editor, '#!/bin/sh\nsed -i s/1/2/ "$1"\n');
  chmodSync(editor, 0o755);
  for (const [words, out] of [
    [['edit', at], '2\n'],
    [['edit', '--no-pretty', at], '2\n'],
  ] as const) {
    note(words.join(' '));
    const { out: got, status, err } = await zoosh([SERVER, ...words], { ...ENV, EDITOR: editor });
    assert.equal(status, 0, err);
    if (words.length === 2) assert.equal(got.toString(), out);
  }
  assert.deepEqual(await dataOf(at), Buffer.from('{"a":2}'));
  // a home where nobody has changed anything yet
  const fresh = { ...ENV, ZOOSH_HOME: file('fresh') };
  for (const [words, status, out, err] of [
    [['-o', 'json', SERVER, 'undo', 'list'], 0, '[]\n', /^$/],
    [[SERVER, 'undo', '--no-acl'], 30, '', /nobody is there to see/],
    [[SERVER, 'undo', '--acl', 'auth::r', '9'], 2, '', /no change 9/],
  ] as const) {
    note(words.slice(words.indexOf('undo')).join(' '), out !== '');
    const ended = await zoosh(words, fresh);
    assert.deepEqual([ended.status, ended.out.toString()], [status, out], words.join(' '));
    assert.match(ended.err, err);
  }
  await using sh = shell('-o', 'plain');
  await sh.ok(`get -w ${at}`, '{"a":2}\n');
  assert.equal((await sh.line(`unwatch ${at}`)).status, 0);
  await sh.ok(`addWatch ${at}`);
  assert.equal((await sh.line('unwatch --all')).status, 0);
  await sh.ok('events -n 1 -g nothing --since 1h');
  await sh.ok('events --clear');
  assert.deepEqual(await json('events', '-n', '3'), []);
  note('events -f');
  const following = await run(
    'timeout',
    ['-s', 'INT', '2', process.execPath, 'bin/zoosh.js', SERVER, 'events', '-f'],
    ENV,
  );
  assert.equal(following.out.toString(), '');
  note('unwatch --all', true);
});

test('who, status, top, latency, doctor', async () => {
  const at = await base('who');
  const mine = await connect(SERVER);
  await mine.create(`${at}/e`, null, { mode: 'ephemeral' });
  const [found] = (await json('who', '--admin-port', '1', `${at}/e`)) as { session: string; client: string }[];
  assert.equal(found?.session, hex(mine.sessionId));
  assert.match(found?.client ?? '', /^127\.0\.0\.1:\d+$/);
  await mine.close();
  await equal(['who', at], '', 1, /it is persistent/);
  let server: { role: string; up: boolean; nodes: number } | undefined;
  // it asks for a moment only: one that stands still is down
  await timely(async () => {
    [server] = (await json('status')) as { role: string; up: boolean; nodes: number }[];
    return lateIf(server?.up !== true, JSON.stringify(server));
  });
  assert.deepEqual([server?.role, server?.up], ['standalone', true]);
  note('status --watch 1s');
  await goingOn(['status', '--watch', '500ms'], (said) =>
    until(() => said().split('\n').length > 2, 'a status once more'),
  );
  await wholly(at);
});

test('smoketest, bench: every phase and option, and nothing is left', async () => {
  const at = await base('tests');
  const root = `${at}/test`;
  const smoke = (await json('smoketest', '--servers', SERVER, '--timeout', '20s', '--root_znode', root)) as {
    successful: boolean;
    sessions: { server: string; watches: number }[];
  };
  assert.deepEqual(
    [smoke.successful, ...smoke.sessions.map(({ server, watches }) => [server, watches])],
    [true, [SERVER, 2], [SERVER, 2]],
  );
  // sessions that live through a machine that stands still for seconds
  const long = ['--timeout', '40s'];
  await equal(['smoketest', '-q', ...long, '--root_znode', root], 'Smoke test successful\n');
  await equal(
    ['smoketest', '-v', ...long],
    /NodeDeleted \/zk-smoketest\/session_1 after .*\n(.*\n)+Smoke test successful\n$/,
  );
  const options = ['--znode_count', '30', '--znode_size', '1k', '--watch_multiple', '2', '--timeout', '20s'];
  const bench = (await json('bench', '--servers', SERVER, '--root_znode', root, ...options)) as {
    servers: { server: string; phases: { count: number }[] }[];
  };
  const counts = [30, 30, 30, 30, 30, 60, 30, 60];
  assert.deepEqual(
    bench.servers.map(({ server, phases }) => [server, phases.map(({ count }) => count)]),
    [[SERVER, counts]],
  );
  await client.create(root, 'theirs');
  await equal(['bench', '--root_znode', root], '', 11, /^error: node already exists: /);
  await equal(
    ['bench', '--force', '-q', ...long, '--cluster', SERVER, '--root_znode', root, '--znode_count', '9'],
    'Latency test complete\n',
  );
  await equal(
    ['bench', '--synchronous', '-v', ...long, '--znode_count', '9'],
    /^created +9 permanent znodes {2}in +\d+ ms .*\n {8}p50 .*\n(.*\n)+Latency test complete\n$/m,
  );
  assert.deepEqual((await client.getChildren(root)).children, []);
  const { children } = await client.getChildren('/');
  assert.deepEqual(
    children.filter((name) => /^zk-/.test(name)),
    [],
  );
});

test('txn, check, commit, abort, let, run, clear; deleteall in one piece and without a copy', async () => {
  const at = await base('pieces');
  const script = file('more.zk');
  writeFileSync(script, `put ${at}/ran \${1}\n`);
  const pieces = file('pieces.zk');
  writeFileSync(pieces, `set ${at}/t 5\n`);
  const lines = [
    `txn { create ${at}/t 1; set ${at}/t 2 }`,
    'txn',
    `check ${at}/t 1`,
    `check ${at}/none absent`,
    `set ${at}/t 3`,
    'txn drop 3',
    `set ${at}/t 4`,
    'commit',
    'txn',
    `delete ${at}/t`,
    'abort',
    `txn -f ${pieces}`,
    `let x = ${at}/t`,
    `run ${script} 1`,
    'clear',
    `deleteall --no-trash ${at}/ran`,
    `deleteall --atomic ${at}/t`,
  ];
  for (const line of lines) note(line);
  const { status, err } = await zoosh([SERVER], ENV, `${lines.join('\n')}\n`);
  assert.deepEqual([status, err], [0, '']);
  assert.deepEqual((await client.getChildren(at)).children, []);
});

/**
 * No other tool lists so many: Apache bounds what it is asked, not what it answers (`jute.maxbuffer` is of requests there, and
 * of replies in its own clients, which give up at 1 MB), and our client takes replies of 64 MiB.
 */
test('half a million children of one node: listed, counted, found, deleted; Tab does not list them', async () => {
  const at = await base('wide');
  const TOTAL = 500_000;
  const sent: Promise<unknown>[] = [];
  for (let from = 0; from < TOTAL; from += 1000) {
    const ops = Array.from({ length: 1000 }, (_, n) => ({
      op: 'create' as const,
      path: `${at}/n${String(from + n).padStart(7, '0')}`,
      data: null,
      options: {},
    }));
    sent.push(client.multi(ops));
    if (sent.length >= 8) await sent.shift();
  }
  await Promise.all(sent);
  await equal(['count', at], `${TOTAL}\n`);
  const { out, status } = await zoosh([SERVER, 'ls', at], ENV);
  assert.deepEqual([status, out.length], [0, TOTAL * 9]);
  const found = await zoosh([SERVER, 'find', at, '-name', 'n*99999', '-limit', '3'], ENV);
  assert.equal(found.out.toString(), `${at}/n0099999\n${at}/n0199999\n${at}/n0299999\n`);
  const all = await zoosh([SERVER, 'find', at, '-count'], ENV);
  assert.equal(all.out.toString(), `${TOTAL + 1}\n`, all.err);
  await timely(async () => {
    const tabs: number[] = [];
    for (let round = 0; round < 3 || (round < 9 && Math.min(...tabs) >= 300); round++) {
      const began = performance.now();
      const tab = await zoosh(['__complete', '--shell', 'bash', '--', `zoosh ${SERVER} ls ${at}/n0`], ENV);
      tabs.push(performance.now() - began);
      assert.deepEqual([tab.out.toString(), tab.err], ['', '']);
    }
    return lateIf(!(Math.min(...tabs) < 300), `Tab took ${tabs.map(Math.round)} ms`);
  });
  const noList = { exists: (path: string) => client.exists(path), getChildren: () => assert.fail('listed') };
  const menu = await new PathSource(
    () => Promise.resolve(noList),
    () => performance.now(),
  ).children(at, true);
  assert.match(menu.message ?? '', /^500,000 children, too many for a menu/);
  const words = ['bin/zoosh.js', ...patiently([SERVER, 'deleteall', at])];
  const gone = await run(process.execPath, words, ENV, '', 600_000);
  assert.equal(gone.out.toString(), `${TOTAL + 1}\n`, gone.err);
});

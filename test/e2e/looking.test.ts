/** What is counted, found and measured; who owns what; how servers are. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS, timely } from '../patience.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['4lw.commands.whitelist=*', 'enforceQuota=true']);
const shy = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-looking-'));
let client: Client;
before(async () => {
  await Promise.all([server.start(), shy.start()]);
  client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  await shy[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const hash = (text: string): string => createHash('sha1').update(text).digest('base64');
const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);
const is = ({ code, stdout, stderr }: Ran, expected: string | RegExp, status = 0): void => {
  assert.equal(code, status, stderr + stdout);
  if (typeof expected === 'string') assert.equal(stdout, expected);
  else assert.match(stdout, expected);
};
const no = ({ code, stderr }: Ran, status: number, expected: RegExp): void => {
  assert.equal(code, status, stderr);
  assert.match(stderr, expected);
};
/** A server has three seconds to answer a word, its AdminServer two: who asks one that stood still asks again. */
const asked = (ask: () => Promise<Ran>, check: (ran: Ran) => void): Promise<void> =>
  timely(async () => {
    const ran = await ask();
    try {
      check(ran);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  });

test('count asks the server, once', async () => {
  await client.create('/c');
  await client.create('/c/a');
  await client.create('/c/a/b');
  await client.create('/c/d');
  is(await one('count', '/c'), '2\n');
  is(await one('count', '-R', '/c'), '3\n');
  is(await zoosh(['-o', 'json', server.hosts, 'count', '-R', '/c']), '3\n');
  no(await one('count', '/cc'), 10, /did you mean \/c \?/);
});

test('grep: lines, context, counts, paths, binary data', async () => {
  await client.create('/g', 'one\ntwo\nthree\nfour\n');
  await client.create('/g/a', 'Two twos\nnone');
  await client.create('/g/b', Buffer.from([0, 116, 119, 111, 255]));
  await client.create('/g/hidden', 'two', { acl: [{ perms: 31, scheme: 'digest', id: 'x:y' }] });
  is(await one('grep', 'two', '/g/a'), '/g/a:1:Two twos\n');
  is(await one('grep', 'two', '/g'), '/g:2:two\n/g/a:1:Two twos\n/g/b:binary data matches\n', 14);
  no(await one('grep', 'two', '/g'), 14, /not permitted to read \/g\/hidden/);
  is(await one('grep', '-i', '-c', 'TWO', '/g/a'), '/g/a:1\n');
  is(await one('grep', '-l', 'o', '/g/a'), '/g/a\n');
  is(await one('grep', '-A', '1', '-B', '1', 'two', '/g'), /^\/g-1-one\n\/g:2:two\n\/g-3-three\n/, 14);
  is(await one('grep', '-v', 'two', '/g/a'), '/g/a:2:none\n');
  is(await one('grep', '-F', 't.o', '/g/a'), '', 1);
  is(await one('grep', 't.o', '/g/a'), '/g/a:1:Two twos\n');
  no(await one('grep', '(', '/g'), 2, /-F looks for a text/);
});

test('du and top-nodes add up', async () => {
  await client.create('/du', '12345');
  await client.create('/du/a', 'x'.repeat(2000));
  await client.create('/du/a/b', 'y'.repeat(500));
  await client.create('/du/c');
  is(await one('du', '/du'), '2505\t4\t/du\n2500\t2\t/du/a\n0\t1\t/du/c\n');
  is(await one('du', '-d', '0', '-h', '/du'), '2.4k\t4\t/du\n');
  is(await one('top-nodes', '/du'), '2000\t/du/a\n500\t/du/a/b\n5\t/du\n');
  is(await one('top-nodes', '/du', '--by', 'children', '-n', '1'), '2\t/du\n');
  is(await one('top-nodes', '/du', '--by', 'subtree'), '3\t/du\n1\t/du/a\n');
  is(await zoosh(['-o', 'json', server.hosts, 'du', '-d', '0', '/du']), '[{"path":"/du","nodes":4,"bytes":2505}]\n');
});

test('du and top-nodes stop where they are told to, and say so', async () => {
  const stopped = /^stopped after 2 nodes: there is more, and --limit takes it\n$/m;
  const du = await one('du', '--limit', '2', '/du');
  is(du, '2005\t2\t/du\n2000\t1\t/du/a\n');
  assert.match(du.stderr, stopped);
  assert.match((await one('top-nodes', '--limit', '2', '/du')).stderr, stopped);
  assert.equal((await one('du', '--limit', '4', '/du')).stderr, ''); // there is no more
  for (const name of ['du', 'top-nodes']) no(await one(name, '--limit', '0', '/du'), 2, /at least 1/);
  no(await one('du', '/duu'), 10, /did you mean \/du \?/);
  no(await one('top-nodes', '--by', 'weight', '/du'), 2, /size.*children.*subtree/);
});

test('acl: add, take away, compare, copy, hash', async () => {
  await client.create('/acl');
  await client.create('/acl/child');
  is(await one('acl', 'add', '/acl', 'ip:127.0.0.1:r'), 'world:anyone:cdrwa,ip:127.0.0.1:r\n');
  is(await one('acl', 'add', '/acl', 'ip:127.0.0.1:a'), 'world:anyone:cdrwa,ip:127.0.0.1:ra\n');
  is(await one('acl', 'diff', '/acl', '/acl/child'), '-\tip:127.0.0.1:ra\n', 1);
  is(await one('acl', 'copy', '-R', '/acl', '/acl'), 'changed\t2\n');
  is(await one('acl', 'diff', '/acl', '/acl/child'), '');
  is(await one('acl', 'rm', '/acl', 'world:anyone:w'), 'world:anyone:cdra,ip:127.0.0.1:ra\n');
  no(await one('acl', 'rm', '/acl', 'sasl:x'), 10, /has no entry sasl:x/);
  no(await one('acl', 'rm', '/acl', 'world:anyone:a,ip:127.0.0.1'), 30, /nobody but a superuser/);
  no(await one('acl', 'rm', '/acl', 'world:anyone,ip:127.0.0.1'), 15, /nothing would be left/);
  is(await one('acl', 'rm', '/acl', 'ip:127.0.0.1'), 'world:anyone:cdra\n');
  is(await one('acl', 'digest', 'bob', 'secret'), `digest:bob:${hash('bob:secret')}\n`);
  no(await one('acl', 'digest', 'bob'), 2, /nobody is there to type it/);
  no(await one('acl', 'add', '/acl'), 2, /ENTRY is missing[\s\S]*acl add PATH ENTRY, an ENTRY is SCHEME:ID:PERMS/);
  no(await one('acl', 'rm', '/acl', 'world:anyone:q'), 15, /unknown permission q in world:anyone:q/);
  is(await zoosh(['--auth', 'digest:al:pw', server.hosts, 'create', '/acl/mine', 'x', 'auth::cdrwa']), '/acl/mine\n');
  is(await zoosh(['--auth', 'digest:al:pw', server.hosts, 'acl', 'add', '/acl/mine', 'world:anyone:r']), /^digest:al:/);
  no(await one('acl', 'add', '/acl/mine', 'world:anyone:w'), 15, /password hash/);
  is(
    await zoosh(['--auth', 'digest:al:pw', server.hosts, 'acl', 'rm', '/acl/mine', 'world:anyone']),
    /^digest:al:[^,]*\n$/,
  );
});

test('setAcl -R says how far it came, and what it could not list', async () => {
  await client.create('/deny');
  await client.create('/deny/a', 'x', { acl: [{ perms: 16, scheme: 'world', id: 'anyone' }] });
  await client.create('/deny/b', 'x', {
    acl: [{ perms: 31, scheme: 'digest', id: 'bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=' }],
  });
  no(
    await one('setAcl', '-R', '/deny', 'world:anyone:cdrwa'),
    14,
    /not permitted.*\/deny\/b\n 2 nodes changed before that\n/,
  );
  await client.create('/deny2', 'x', { acl: [{ perms: 16, scheme: 'world', id: 'anyone' }] });
  no(await one('setAcl', '-R', '/deny2', 'world:anyone:ra'), 14, /\/deny2/);
});

test('quota ls: all of them, with their use', async () => {
  await client.create('/q');
  await client.create('/q/one', '12345');
  is(await one('setquota', '-n', '10', '-B', '100', '/q'), '');
  await client.create('/q/two', '12345');
  is(await one('quota', 'ls', '/q'), /^\/q\t\d+\/10\t\d+\/100\t\d+%\n$/);
  is(await one('quota', 'ls', '/g'), '');
  no(await one('quota', 'ls', '/qq'), 10, /did you mean \/q \?/);
  const [found] = JSON.parse((await zoosh(['-o', 'json', server.hosts, 'quota', 'ls'])).stdout);
  assert.deepEqual([found.path, found.limits.count, found.limits.hardBytes], ['/q', 10, 100]);
});

test('who: the client behind an ephemeral node', async () => {
  await client.create('/e', null, { mode: 'ephemeral' });
  const owner = `0x${BigInt.asUintN(64, client.sessionId).toString(16)}`;
  const line = new RegExp(`^/e\t${owner}\t127\\.0\\.0\\.1:\\d+\t${server.hosts}\t20`);
  await asked(
    () => one('who', '/e'),
    (ran) => is(ran, line),
  );
  no(await one('who', '/c'), 1, /nobody holds \/c: it is persistent/);
  no(await one('who', '/nope'), 10, /does not exist/);
  const stranger = await connect(shy.hosts, { connectTimeoutMs: PATIENCE_MS });
  await stranger.create('/e', null, { mode: 'ephemeral' });
  await asked(
    () => zoosh([shy.hosts, 'who', '/e']),
    (ran) => no(ran, 21, /does not allow cons[\s\S]*4lw.commands.whitelist/),
  );
  await stranger.close();
});

test('status, top, latency, doctor: how the server is', async () => {
  await asked(
    () => zoosh(['-o', 'json', server.hosts, 'status']),
    ({ stdout }) => {
      const [found] = JSON.parse(stdout);
      assert.deepEqual([found.role, found.up, found.lag], ['standalone', true, 0]);
      assert.ok(found.uptimeMs >= 0 && found.nodes > 3);
    },
  );
  is(await one('status', '127.0.0.1:1'), /DOWN/, 1);
  await asked(
    () => one('status'),
    (ran) => is(ran, new RegExp(`^-\t${server.hosts}\tstandalone\tup\t0x`)),
  );
  await asked(
    () => one('top', '-i', '100ms', '-n', '1'),
    (ran) => is(ran, new RegExp(`^${server.hosts}\tstandalone\t\\d+\t0\t`)),
  );
  no(await zoosh(['127.0.0.1:1', 'top']), 3, /127\.0\.0\.1:1: refused\n hint: are they started/);
  is(await one('latency', '-n', '5'), /^read\t5\t[\d.]+\t[\d.]+\t[\d.]+\t[\d.]+\nsync\t5\t/);
  await client.create('/wide');
  await asked(
    () => one('doctor', '--admin-port', '1'),
    (health) => {
      assert.match(health.stdout, /^ok\t1 of 1 server serve/m);
      assert.match(health.stdout, /^FAIL\t.*anyone may delete what is below\taddauth, then setAcl -R/m);
      assert.equal(health.code, 1);
      for (const line of [
        /^ok\tTLS is not in use$/m,
        /^ok\tno AdminServer on port 1; four-letter words are asked instead$/m,
        /^ok\tclocks of 1 server and of this machine within \d+(\.\d)?m?s$/m,
        /^(ok\tdisk of .* of log, no snapshot yet, .*%\) free|(warn|FAIL)\t.* left on its disk\t.*)$/m,
        /^ok\t1 other client connected, from 1 host$/m,
      ])
        assert.match(health.stdout, line);
    },
  );
  no(await one('doctor', '/wid'), 10, /did you mean \/wide \?/);
  no(await one('doctor', '--admin-port', '0'), 2, /from 1 to 65535/);
  no(await one('doctor', '--limit', '0'), 2, /at least 1/);
  const screen = await zoosh(['-o', 'human', server.hosts, 'doctor']);
  assert.match(screen.stdout, /\n\d+ failures?, \d+ warnings?\n$/);
});

test('doctor: a server that allows no words, and what an AdminServer adds', async () => {
  await asked(
    () => zoosh([shy.hosts, 'doctor', '--admin-port', '1']),
    ({ stdout }) =>
      assert.match(stdout, /^warn\t.*: mntr, cons, conf, dirs not allowed, and no AdminServer on port 1: clocks/m),
  );
  const answers: Readonly<Record<string, object>> = {
    ruok: {},
    last_snapshot: { zxid: '0x1', timestamp: Date.now() / 1000 - 10 * 86_400 },
    dirs: { datadir_size: 2048, logdir_size: 4096 },
  };
  const admin = createServer((request, response) => {
    const [, word = ''] = /^\/commands\/(\w+)$/.exec(request.url ?? '') ?? [];
    response.setHeader('Date', new Date(Date.now() - 60_000).toUTCString());
    response.writeHead(answers[word] === undefined ? 404 : 200);
    response.end(JSON.stringify({ ...answers[word], command: word, error: null }));
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = admin.address() as AddressInfo;
    await asked(
      () => zoosh([shy.hosts, 'doctor', '--admin-port', String(port)]),
      ({ stdout }) => {
        assert.match(stdout, new RegExp(`^ok\tan AdminServer answers on port ${port} of ${shy.hosts}$`, 'm'));
        // give or take what the answer took, which counts in part
        assert.match(stdout, /^warn\tthe clock of .* is [56]\d\.\ds behind this machine's\tntp/m);
        assert.match(stdout, /^warn\t.* wrote its last snapshot 10d ago/m);
      },
    );
  } finally {
    admin.close();
  }
});

test('edit: with an editor that is a program', async () => {
  await client.create('/ed', '{"a":1,"b":[2]}');
  const editor = join(folder, 'editor');
  const using = (text: string): Record<string, string> => {
    writeFileSync(editor, `#!/bin/sh\n${text}\n`);
    chmodSync(editor, 0o755);
    return { EDITOR: editor };
  };
  const edit = (env: Record<string, string>, path = '/ed'): Promise<Ran> =>
    zoosh([server.hosts, 'edit', path], '', env);
  is(await edit(using('sed -i "s/\\"a\\": 1/\\"a\\": 9/" "$1"')), '1\n');
  assert.equal((await client.get('/ed')).data?.toString(), '{"a":9,"b":[2]}');
  is(await edit(using('true')), '');
  assert.equal((await client.exists('/ed'))?.version, 1);
  no(await edit(using('exit 3')), 31, /ended with 3: nothing was written/);
  await client.create('/ed/text', 'no newline');
  is(await edit(using('echo more >>"$1"'), '/ed/text'), '1\n');
  assert.equal((await client.get('/ed/text')).data?.toString(), 'no newline\nmore');
  const meddle = `ZOOSH_HOME=/nonexistent ${process.execPath} ${join(process.cwd(), 'bin/zoosh.js')} ${server.hosts} set /ed/text theirs && echo mine >"$1"`;
  const late = await edit(using(meddle), '/ed/text');
  no(late, 12, /somebody else changed it meanwhile/);
  const kept = /^what you wrote is kept in (\S+); set \/ed\/text @\1 writes it$/m.exec(late.stderr)?.[1] ?? '';
  assert.equal(readFileSync(kept, 'utf8'), 'mine\n');
  rmSync(dirname(kept), { recursive: true });
  no(await edit({ EDITOR: join(folder, 'nowhere') }), 127, /nowhere is not there/);
  assert.equal((await client.get('/ed/text')).data?.toString(), 'theirs');
  await client.create('/ed/bytes', Buffer.from([0, 255]));
  no(await edit(using('true'), '/ed/bytes'), 2, /is not text/);
});

test('unwatch and events: what was watched and told', async () => {
  const script = [
    'create /w x',
    'get -w /w',
    'addWatch /w',
    'watches',
    'set /w y',
    'sleep 300ms',
    'events -n 1',
    'events -n 5 -g "/nope*"',
    'unwatch /w',
    'watches',
    'unwatch /w',
  ].join('\n');
  const { stdout, stderr, code } = await zoosh([server.hosts], script);
  assert.equal(code, 25, stderr);
  assert.match(
    stdout,
    /\n1\t\/w\tdata\t\S+Z\t0\n2\t\/w\tpersistentRecursive\t\S+Z\t0\n1\n20\S+\tNodeDataChanged\t\/w\n$/,
  );
  assert.match(stderr, /no watch \/w/);
  const all = await zoosh([server.hosts], 'addWatch /w\nget -w /w\nunwatch --all\nwatches\nevents --clear\nevents\n');
  assert.deepEqual([all.code, all.stdout], [0, 'y\n'], all.stderr);
});

/** Every example that help shows is run, all of them in each run, on a tree that has what it names. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fourLetterWord } from '../../src/client/connect.ts';
import { registry } from '../../src/commands/index.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect } from '../../src/index.ts';
import { rig } from './rig.ts';

/** What goes on until somebody ends it, or waits for somebody else, is ended after so long, ms; the second time later. */
const ENDED_AFTER_MS = [150, 5000] as const;
const folder = mkdtempSync(join(tmpdir(), 'zoosh-examples-'));
const home = process.cwd();
let server: EmbeddedServer;
let hand: Client;
before(async () => {
  const settings = {
    '4lw.commands.whitelist': '*',
    maxClientCnxns: '0',
    'DigestAuthenticationProvider.superDigest': 'super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
  };
  server = await startEmbedded({ settings, logLevel: 'error' });
  hand = await connect(server.connectString);
  await hand.addAuth('digest', 'super:adminpass');
  process.chdir(folder);
  writeFileSync('config.json', '{}');
});
after(async () => {
  process.chdir(home);
  await hand.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function clear(path: string): Promise<void> {
  for (const name of (await hand.getChildren(path)).children) {
    const child = `${path === '/' ? '' : path}/${name}`;
    if (child === '/zookeeper') continue;
    await clear(child);
    await hand.delete(child);
  }
}

/** Every example has these. */
async function plant(): Promise<void> {
  const json = '{"level":"info","ports":[1,2]}';
  for (const path of ['/app', '/app/workers', '/backup', '/jobs', '/copy', '/old', '/archive', '/locks'])
    await hand.create(path);
  await hand.create('/app/config', json);
  for (const at of [1, 2, 3]) await hand.create(`/app/workers/w-${at}`, `web${at}:8080`, { mode: 'ephemeral' });
}

/** What was typed before, by command, or by example where its command's does not fit. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'create /app': ['deleteall /app'],
  'create -p /app/config {"level": "info"}': ['deleteall /app'],
  delete: ['mkdir /app/old /app/older'],
  'delete -v 3 /app/old': ['mkdir /app/old', 'set /app/old 1', 'set /app/old 2', 'set /app/old 3'],
  deleteall: ['mkdir -p /app/old/x /app/older /app/cache/y'],
  delquota: ['setquota -n 5 -N 9 -B 99999 /app'],
  listquota: ['setquota -n 500 /app'],
  mkdir: ['deleteall /app'],
  removewatches: ['addWatch /app', 'addWatch -m PERSISTENT /app', 'get -w /app'],
  'removewatches -d /app': ['get -w /app'],
  setAcl: ['addauth digest bob:secret'],
  'setAcl -v 2 /app world:anyone:ro,auth::all': [
    'addauth digest bob:secret',
    'setAcl /app auth::all',
    'setAcl /app auth::all',
  ],
  'set -v 3 /app/config x': ['set /app/config 1', 'set /app/config 2', 'set /app/config 3'],
  watches: ['addWatch /app'],
  unwatch: ['addWatch /app', 'addWatch /jobs'],
  'assert data /app/config "on"': ['set /app/config on'],
  'each /jobs/* do setquota -n 100 {}': ['mkdir /jobs/a'],
  'acl rm /app world:anyone': ['acl add /app ip:127.0.0.1:all'],
  'acl rm /app digest:bob:w': ['acl add /app digest:bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=:rw'],
  'acl copy /app /app/new': ['mkdir /app/new'],
  apply: ['export /app app.ndjson', 'set /app/config other'],
  import: ['export /app app.ndjson', 'export /app config.ndjson', 'export /app tree.json', 'deleteall /app'],
  cp: ['mkdir /app/a /app/b'],
  diff: ['put /app/a x', 'put /app/b x', 'export /app app.ndjson'],
  mv: ['put /app/old x', 'put /app/a x'],
  'mv -f /app/new /app/current': ['put /app/new x', 'put /app/current y'],
  undo: ['put /app/1 x', 'put /app/2 x', 'put /app/3 x'],
  who: ['create -e /app/leader web1'],
  'txn drop 2': ['txn', 'set /app/config 1', 'set /app/config 2'],
  'txn { check /a 3; set /a x; delete /b }': ['mkdir /a /b', 'set /a 1', 'set /a 2', 'set /a 3'],
  'repeat 3 txn { set /a x; create -s /log/n- }': ['mkdir /a /log'],
  'check /app/config 3': ['set /app/config 1', 'set /app/config 2', 'set /app/config 3', 'txn'],
  check: ['txn'],
  commit: ['txn', 'set /app/config 1'],
  abort: ['txn', 'set /app/config 1'],
  locks: ['mkdir /jobs/nightly'],
  'echo ${_}': ['get /app/config'],
};
/** What is not 0, and why that is right. */
const OTHERWISE: Readonly<Record<string, number>> = {
  'quit 3': 3,
  'find /app -name "worker-*" -ephemeral': 1, // they are called otherwise
  'find / -size +100k': 1,
  'find /locks -leaf -mtime +7d -delete': 1,
  'acl diff /app /old': 0,
  'diff -r /app file:app.ndjson': 0,
  'apply -f app.ndjson --check': 1,
  // a server wrote none here: test/e2e/snapshot-side.test.ts
  'apply -f snap:snapshot.1a2:/app --check': 2,
  'diff -r snap:snapshot.1a2:/app /app': 2,
  'grep jdbc /app': 1,
  'grep -F -l "a.b" /app/config': 1,
  'grep -i -c error': 1,
  doctor: 1, // everything is open to everyone
  'doctor /app --limit 1000000': 1,
  'doctor --admin-port 8090': 1,
};
/** Other servers, ensembles, profiles, programs, files and lines of a history. */
const ELSEWHERE =
  /^(ensemble|profile|use|redo|reconfig|lock|edit|run) |^redo$|--save$|zk\d|^connect|^elect .*--|^semaphore .*--|@prod:|@(host|logo)\.|env:ZK_AUTH|^addauth digest$/;

interface Ran {
  /** What is wrong with it. */
  readonly fault: string | undefined;
  readonly isEnded: boolean;
}
async function runs(name: string, line: string, trash: string, endedAfterMs: number): Promise<Ran> {
  await clear('/');
  await plant();
  const client = await connect(server.connectString);
  const it = rig(client, {}, new Map(), { server: server.connectString, trash: join(folder, trash) });
  it.shell.ports.session.word = (word, options) => fourLetterWord(word, options);
  for (const typed of BEFORE[line] ?? BEFORE[name] ?? []) await it.shell.run(typed);
  it.told.length = 0;
  let isEnded = false;
  const end = setInterval(() => {
    isEnded = true;
    it.shell.interrupt();
  }, endedAfterMs);
  const status = await it.shell.run(line);
  clearInterval(end);
  await client.close();
  const wanted = OTHERWISE[line] ?? 0;
  const isRight = status === wanted || status === 130;
  return { isEnded, fault: isRight ? undefined : `${status}, not ${wanted}: ${line}: ${it.told[0]?.failure.message}` };
}

test('every example of help runs', async () => {
  const bad: string[] = [];
  let at = 0;
  for (const spec of registry.all)
    for (const [line] of spec.examples) {
      if (ELSEWHERE.test(line)) continue;
      at++;
      const [short, long] = ENDED_AFTER_MS;
      let ran = await runs(spec.name, line, `undo-${at}`, short);
      // a busy machine was in the middle of it, and may have said so in words of its own
      if (ran.fault !== undefined && ran.isEnded) ran = await runs(spec.name, line, `undo-${at}-again`, long);
      if (ran.fault !== undefined) bad.push(ran.fault);
    }
  assert.ok(at > 100);
  assert.deepEqual(bad, []);
});

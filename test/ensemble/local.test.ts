/** Local ensembles with stand-ins for the servers: processes, files, ports, faults; nothing is left behind. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Ensemble } from '../../src/ensemble/ensemble.ts';
import { type Launch, launch } from '../../src/ensemble/launch.ts';
import { memberFolder } from '../../src/ensemble/layout.ts';
import { EnsemblesOf } from '../../src/ensemble/local.ts';
import { blockPorts, isFree } from '../../src/ensemble/ports.ts';
import { MemberProcess, processOf } from '../../src/ensemble/process.ts';
import { viewOf } from '../../src/ensemble/status.ts';
import type { EnsembleView } from '../../src/shell/ensembles.ts';
import { Failure } from '../../src/shell/failure.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { STAND_IN } from './stand-in.ts';

const HOST = '127.0.0.1';
const roots: string[] = [];
after(async () => {
  for (const root of roots) {
    const all = ensemblesOf(root);
    for (const name of all.names()) await all.destroy(name).catch(() => {});
    rmSync(root, { recursive: true, force: true });
  }
});
const newRoot = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  roots.push(root);
  return root;
};
const ensemblesOf = (root: string): EnsemblesOf => new EnsemblesOf({ root, current: undefined, command: STAND_IN });

interface Wish {
  readonly name?: string;
  readonly voters?: number;
  readonly observers?: number;
  readonly basePort?: number;
  readonly exactBase?: boolean;
  readonly settings?: readonly string[];
  readonly data?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly keep?: boolean;
  readonly asked?: Launch['asked'];
  readonly notes?: string[];
  readonly begins?: (members: number) => void;
}
async function start(root: string, wish: Wish = {}): Promise<Ensemble> {
  const { name = 'demo', voters = 3, observers = 0 } = wish;
  const ensemble = await launch({
    path: join(root, name),
    make: {
      name,
      voters,
      observers,
      host: HOST,
      basePort: wish.basePort ?? (await ownBlock(HOST, voters + observers)),
      exactBase: wish.exactBase ?? false,
      data: wish.data,
      settings: wish.settings ?? [],
    },
    asked: wish.asked ?? {},
    command: STAND_IN,
    leash: true,
    timeoutMs: wish.timeoutMs ?? PATIENCE_MS,
    signal: wish.signal ?? new AbortController().signal,
    keep: wish.keep ?? false,
    ...(wish.begins !== undefined && { begins: wish.begins }),
    note: (sentence) => void wish.notes?.push(sentence),
  });
  // a quorum serves by now; the tests look at all of them
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const { members } = await viewOf(ensemble);
    if (members.every(({ state }) => state === 'up')) return ensemble;
    assert.ok(performance.now() < end, JSON.stringify(members));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const failure =
  (exit: number, message: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exit, exit, error.message);
    assert.match([error.message, ...error.lines].join('\n'), message);
    return true;
  };
const portsFree = async (base: number, count: number): Promise<void> => {
  for (const port of blockPorts(base, count)) assert.ok(await isFree(HOST, port), `port ${port} is still taken`);
};
const pidsOf = (ensemble: Ensemble): number[] =>
  ensemble.ids.map((id) => ensemble.process(id).find()?.pid).filter((pid) => pid !== undefined);
const NEVER = new AbortController().signal;
/** What members are, once each has said it: they have a second for that, and one that stood still is asked again. */
async function seen(look: () => Promise<EnsembleView>): Promise<EnsembleView> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const view = await look();
    if (view.members.every(({ state }) => state !== 'starting') || performance.now() >= end) return view;
  }
}
/** The same of what they are to do, for which they have two seconds, and of who leads. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;)
    try {
      return await work();
    } catch (error) {
      const isLate = error instanceof Failure ? error.exit === 45 : (error as { code?: unknown }).code === 'ETIMEDOUT';
      if (!isLate || performance.now() >= end) throw error;
    }
}
/** How long ago a member ended is told in seconds: when we are slow to look, as many as have passed since `acted`. */
const recent = (what: string, acted: number): string =>
  what.replace(/(\d+)s ago$/, (age, seconds) => (Number(seconds) * 1000 <= Date.now() - acted ? 'just now' : age));

test('start, look, and destroy: no process, port or file is left', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const ensemble = await start(root, { voters: 3, observers: 1 });
  const { basePort } = ensemble.file;
  assert.equal(ensemble.connect, [0, 1, 2, 3].map((at) => `${HOST}:${basePort + at}`).join(','));
  const { folder } = ensemble;
  assert.equal(statSync(folder.secretFile).mode & 0o777, 0o600);
  assert.ok(Buffer.from(readFileSync(folder.secretFile, 'utf8'), 'base64').length >= 32);
  const own = memberFolder(ensemble.file, 4);
  const cfg = readFileSync(join(own, 'zoo.cfg'), 'utf8');
  assert.match(
    cfg,
    new RegExp(`^server.4=${HOST}:${basePort + 103}:${basePort + 203}:observer;${HOST}:${basePort + 3}$`, 'm'),
  );
  for (const line of [
    'peerType=observer',
    'peer.ensembleName=demo',
    'standaloneEnabled=false',
    'reconfigEnabled=true',
    `peer.secretFile=${folder.secretFile}`,
  ])
    assert.ok(cfg.split('\n').includes(line), line);
  assert.equal(statSync(join(own, 'zoo.cfg')).mode & 0o777, 0o600);

  // the stand-in with the highest id leads, though by the config it is one that does not vote
  const view = await seen(() => all.view('demo', true));
  assert.deepEqual(
    view.members.map(({ id, role, state, votes, lag, digest, faults }) => [
      id,
      role,
      state,
      votes,
      lag,
      digest,
      faults,
    ]),
    [
      [1, 'follower', 'up', true, 3, 'd1', []],
      [2, 'follower', 'up', true, 2, 'd2', []],
      [3, 'follower', 'up', true, 1, 'd3', []],
      [4, 'leader', 'up', false, 0, 'd4', []],
    ],
  );
  assert.deepEqual([view.quorum, view.voters, view.serving, view.electionMs], [true, 3, 3, 12]);
  const [listed] = await all.list();
  assert.deepEqual([listed?.name, listed?.members, listed?.up], ['demo', 4, 4]);
  assert.ok((listed?.bytes ?? 0) > 0);

  const pids = pidsOf(ensemble);
  assert.equal(pids.length, 4);
  await all.destroy(undefined);
  for (const pid of pids) assert.equal(processOf(pid), undefined, `process ${pid} lives`);
  assert.deepEqual(readdirSync(root), []);
  await portsFree(basePort, 4);
});

test('members are killed, stopped, paused and started again; each says so', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const ensemble = await start(root);
  const look = (): Promise<EnsembleView> => seen(() => all.view(undefined));
  let acted = Date.now();
  const faults = async (): Promise<unknown> =>
    (await look()).members.map(({ state, faults: [what = ''] }) => `${state} ${recent(what, acted)}`.trim());

  const before = pidsOf(ensemble);
  assert.deepEqual(await answered(() => all.kill(undefined, ['leader'])), [3]);
  assert.equal(processOf(before[2] as number), undefined);
  assert.deepEqual(await faults(), ['up', 'up', 'down killed just now']);
  assert.deepEqual((await look()).quorum, false, 'the stand-ins elect nobody');
  await assert.rejects(all.kill(undefined, ['leader']), failure(45, /demo has no leader now/));
  await assert.rejects(all.kill(undefined, ['3']), failure(2, /member 3 of demo does not run/));
  assert.deepEqual(await all.start(undefined, [], NEVER), [3]);
  assert.deepEqual(await faults(), ['up', 'up', 'up']);

  acted = Date.now();
  assert.deepEqual(await all.stop(undefined, ['1,2']), [1, 2]);
  assert.deepEqual(await faults(), ['down stopped just now', 'down stopped just now', 'up']);
  assert.match(readFileSync(join(memberFolder(ensemble.file, 1), 'log'), 'utf8'), /stopping/);
  assert.deepEqual(await all.restart(undefined, ['1', '2'], NEVER), [1, 2]);

  assert.deepEqual(await all.pause(undefined, ['2']), [2]);
  assert.deepEqual(await faults(), ['up', 'paused', 'up']);
  // what came while it slept holds once it is awake
  await answered(() => all.partition(undefined, ['1,2', '/', '3'], false));
  let paused: readonly string[] = [];
  const resume = (): Promise<readonly number[]> => {
    const words = paused;
    paused = ['2']; // once it is awake it is not among those that sleep
    return all.resume(undefined, words);
  };
  assert.deepEqual(await answered(resume), [2]);
  assert.deepEqual(await faults(), ['up cut from 3', 'up cut from 3', 'up cut from 1,2']);
  // one that is paused ends all the same
  await all.pause(undefined, ['2']);
  assert.deepEqual(await all.stop(undefined, ['2']), [2]);

  for (const words of [['4'], ['everybody'], ['0']])
    await assert.rejects(all.kill(undefined, words), failure(2, /has no member|no member is called/));
  await assert.rejects(all.kill(undefined, []), failure(2, /which member/));
  await assert.rejects(all.kill('other', ['1']), failure(2, /there is no ensemble other/));
  await all.destroy(undefined);
});

test('faults are put in force, outlive a restart of the member, and are healed', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  await start(root);
  let acted = Date.now();
  const faults = async (): Promise<unknown> =>
    (await seen(() => all.view(undefined))).members.map(({ faults: each }) => recent(each.join('; '), acted));
  const partition = (words: readonly string[], clients: boolean): Promise<unknown> =>
    answered(() => all.partition(undefined, words, clients));

  assert.deepEqual(await partition(['1,2', '/', '3'], true), { groups: [[1, 2], [3]], majority: 0 });
  assert.deepEqual(await faults(), ['cut from 3', 'cut from 3', 'cut from 1,2; clients cut']);
  assert.deepEqual(await answered(() => all.lag(undefined, ['2'], 50)), [2]);
  await all.kill(undefined, ['2']);
  await answered(() => all.start(undefined, ['2'], NEVER));
  assert.deepEqual(await faults(), ['cut from 3', 'cut from 3; lag 50ms', 'cut from 1,2; clients cut']);
  // another partition takes the place of the first; 2 is on no side and hears everyone
  assert.deepEqual(await partition(['1/3'], false), { groups: [[1], [3]], majority: 0 });
  assert.deepEqual(await faults(), ['cut from 3', 'lag 50ms', 'cut from 1']);
  acted = Date.now();
  await all.kill(undefined, ['2']);
  assert.deepEqual(await partition(['1 / 3'], false), { groups: [[1], [3]], majority: undefined });
  await answered(() => all.heal(undefined));
  assert.deepEqual(await faults(), ['', 'killed just now', '']);
  await all.start(undefined, [], NEVER);
  assert.deepEqual(await faults(), ['', '', '']);
  for (const words of [['1'], ['1,2'], ['1', '/'], ['1', '/', '1'], ['/']])
    await assert.rejects(all.partition(undefined, words, false), failure(2, /partition:/));
  await all.destroy(undefined);
});

test('status tells what was damaged, and how it was mended', async () => {
  const root = newRoot();
  const ensemble = await start(root, { settings: ['x.damaged=2'] });
  const { members } = await seen(() => viewOf(ensemble));
  assert.deepEqual(
    members.map(({ faults }) => faults),
    [[], ['damaged'], []],
  );
  assert.deepEqual(
    members.map(({ damage }) => damage),
    [
      [],
      [
        '2026-11-18T11:06:40.000Z data damaged: a; 2026-11-18T11:06:41.000Z given again by server 3',
        '2026-11-18T11:06:42.000Z data damaged: b; not mended yet',
      ],
      [],
    ],
  );
  await ensemblesOf(root).destroy('demo');
});

test('a member that ends before it serves: why, with its code, and everything is gone again', async () => {
  const root = newRoot();
  const basePort = await ownBlock(HOST, 2);
  await assert.rejects(
    // of three, two that serve would be a quorum before the third is missed
    start(root, { voters: 2, basePort, settings: ['x.fails=2'] }),
    failure(44, /^member 2 of demo did not start\na file is damaged$/),
  );
  assert.deepEqual(readdirSync(root), []);
  await portsFree(basePort, 2);
});

test('no quorum in time: 45, and everything is gone again; --keep leaves the files', async () => {
  const root = newRoot();
  const basePort = await ownBlock(HOST, 1);
  const wish = { voters: 1, settings: ['x.never=1'], timeoutMs: 700, basePort, exactBase: true };
  await assert.rejects(start(root, wish), failure(45, /no quorum in 0.7s/));
  assert.deepEqual(readdirSync(root), []);
  await portsFree(basePort, 1);
  await assert.rejects(start(root, { ...wish, keep: true }), failure(45, /no quorum/));
  assert.ok(existsSync(join(root, 'demo', 'member-1', 'log')));
  await portsFree(basePort, 1);
});

test('an interrupted start leaves nothing', async () => {
  const root = newRoot();
  const basePort = await ownBlock(HOST, 3);
  for (const afterMs of [0, 150, 400]) {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('C-c')), afterMs);
    const wish = { voters: 1, settings: ['x.never=1'], basePort, exactBase: true, signal: abort.signal };
    await assert.rejects(start(root, wish), /C-c/);
    assert.deepEqual(readdirSync(root), []);
    await portsFree(basePort, 3);
  }
});

test('ports: a busy block is passed over, that of a stopped ensemble too; one asked for must be free', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const basePort = await ownBlock(HOST, 3);
  const taken: Server = createServer();
  taken.listen(basePort + 201, HOST); // an election port
  await once(taken, 'listening');
  const notes: string[] = [];
  try {
    await assert.rejects(
      start(root, { basePort, exactBase: true }),
      failure(41, new RegExp(`port ${basePort + 201} is in use by another process`)),
    );
    const begins = (members: number): void => void notes.push(`starting ${members}`);
    const first = await start(root, { basePort, notes, begins });
    assert.equal(first.file.basePort, basePort + 10);
    assert.match(notes.join(), /^ports from \d+ on are in use; this one has those from \d+ on,starting 3/);
    await all.stop(undefined, []);
    const second = await start(root, { name: 'other', basePort: basePort + 10 });
    assert.ok(second.file.basePort > basePort + 10);
    // its ports are free, and still those of another
    await all.destroy('demo');
    await all.destroy('other');
  } finally {
    taken.close();
  }
});

test('one that is there already is started with its data, unless it runs or has other numbers', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const ensemble = await start(root);
  const file = join(memberFolder(ensemble.file, 2), 'data', 'kept');
  writeFileSync(file, '');
  await assert.rejects(start(root), failure(42, /runs already/));
  await all.stop(undefined, []);
  await assert.rejects(
    start(root, { asked: { voters: 5 } }),
    failure(2, /is there already, with 3 voters and 0 observers/),
  );
  const notes: string[] = [];
  const begins = (members: number): void => void notes.push(`starting ${members}`);
  const again = await start(root, { asked: { voters: 3 }, notes, begins });
  assert.equal(again.connect, ensemble.connect);
  assert.ok(existsSync(file));
  assert.match(notes.join(), /its data is kept,starting 3/);
  await all.destroy(undefined);
});

test('a pid that went to another process is left alone', async () => {
  const folder = newRoot();
  const member = new MemberProcess(folder);
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    const since = processOf(child.pid as number)?.since;
    writeFileSync(join(folder, 'pid'), `${child.pid}\n${since}\n`);
    assert.equal(member.find()?.pid, child.pid);
    // as after the number was used again
    writeFileSync(join(folder, 'pid'), `${child.pid}\n${since}1\n`);
    assert.equal(member.find(), undefined);
    assert.equal(member.signal('SIGKILL'), false);
    assert.notEqual(processOf(child.pid as number), undefined);
    writeFileSync(join(folder, 'pid'), 'rubbish\n');
    assert.equal(member.find(), undefined);
  } finally {
    child.kill('SIGKILL');
  }
});

test('--data elsewhere: members lie there and go with destroy, what else is there stays', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const data = newRoot();
  writeFileSync(join(data, 'mine'), '');
  await start(root, { data });
  assert.deepEqual(readdirSync(data).sort(), ['member-1', 'member-2', 'member-3', 'mine']);
  await all.destroy(undefined);
  assert.deepEqual([readdirSync(data), readdirSync(root)], [['mine'], []]);
  mkdirSync(join(data, 'member-2'));
  await assert.rejects(start(root, { data }), failure(42, /member-2 is there already/));
  assert.deepEqual([readdirSync(data).sort(), readdirSync(root)], [['member-2', 'mine'], []]);
});

test('control sockets go elsewhere when their paths would be too long', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const data = join(newRoot(), 'x'.repeat(80));
  const ensemble = await start(root, { data });
  const { sockets } = ensemble.file;
  assert.ok(sockets !== undefined && statSync(sockets).mode & 0o700);
  assert.equal((statSync(sockets).mode & 0o77).toString(8), '0');
  assert.equal((await seen(() => all.view(undefined))).serving, 3);
  await all.destroy(undefined);
  assert.ok(!existsSync(sockets));
  assert.ok(!existsSync(data));
});

test('logs are merged by their times, and followed', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  const ensemble = await start(root);
  const write = (id: number, text: string): void => writeFileSync(ensemble.process(id).logFile, text, { flag: 'a' });
  write(1, '2030-01-01T00:00:03.000Z info  c\n  more of c\n');
  write(2, '2030-01-01T00:00:02.000Z info  b\n');
  write(3, '2030-01-01T00:00:01.000Z info  a\n');
  const lines = await all.logs(undefined, [], 4);
  assert.deepEqual(
    lines.map(({ member, text }) => `${member} ${text.slice(-1)}`),
    ['3 a', '2 b', '1 c', '1 c'],
  );
  assert.deepEqual((await all.logs(undefined, ['2'], 1)).length, 1);
  // what has no time has that of the line before
  write(3, 'ready 127.0.0.1:1\n');
  const [ready] = (await all.logs(undefined, [], 5)).filter(({ text }) => text.endsWith('ready 127.0.0.1:1'));
  assert.deepEqual(ready, { member: 3, text: '2030-01-01T00:00:01.000Z ready 127.0.0.1:1' });
  const abort = new AbortController();
  const found: string[] = [];
  let follows = false;
  const following = (async () => {
    for await (const { member, text } of all.follow(undefined, ['1', '3'], abort.signal)) {
      follows = true;
      if (text === 'begins') continue;
      found.push(`${member} ${text}`);
      if (found.length === 2) abort.abort();
    }
  })();
  for (let waited = 0; !follows && waited < PATIENCE_MS; waited += 20) {
    write(1, 'begins\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  write(2, 'not followed\n');
  write(1, 'half');
  await new Promise((resolve) => setTimeout(resolve, 150));
  write(1, ' whole\nand ');
  write(3, 'x\n');
  await following;
  assert.deepEqual(found.slice(0, 2).sort(), ['1 half whole', '3 x']);
  await all.destroy(undefined);
});

test('which ensemble is meant', async () => {
  const root = newRoot();
  const all = ensemblesOf(root);
  assert.throws(() => all.open(undefined), failure(2, /there is no ensemble/));
  assert.deepEqual(await all.list(), []);
  await start(root, { name: 'a', voters: 1 });
  assert.equal(all.open(undefined).name, 'a');
  await start(root, { name: 'b', voters: 1 });
  assert.throws(() => all.open(undefined), failure(2, /which ensemble\? there are a, b/));
  await all.stop('a', []);
  assert.equal(all.open(undefined).name, 'b', 'the only one that runs');
  await start(root, { name: 'local', voters: 1 });
  assert.equal(all.open(undefined).name, 'local');
  assert.deepEqual(all.split(['b', '1', 'leader']), { name: 'b', rest: ['1', 'leader'] });
  for (const words of [['1'], ['leader'], ['1,2', '/', '3'], []])
    assert.deepEqual(all.split(words), { name: undefined, rest: words });
  const within = new EnsemblesOf({ root, current: join(root, 'a'), command: STAND_IN });
  assert.equal(within.open(undefined).name, 'a');
  assert.equal(within.open('b').name, 'b');
  for (const name of ['a', 'b', 'local']) await all.destroy(name);
});

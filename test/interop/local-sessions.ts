/**
 * Local sessions and read-only mode: the same program on an ensemble of Apache's and on one of ours gives the same answers,
 * on bare frames and by kazoo. Beforehand smoketest and bench try all three members of each.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently } from '../e2e/cli.ts';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { Wire } from '../e2e/wire.ts';
import { PATIENCE_MS } from '../patience.ts';
import { KazooProgram } from './kazoo-program.ts';
import { run } from './live-shell.ts';

const CLASSES = '/usr/share/java/zookeeper.jar:/usr/share/java/*';
const JAVA = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dreadonlymode.enabled=true', '-cp', CLASSES];
const VOTERS = 3;
/** Three Java machines begin side by side. */
const START_MS = 3 * PATIENCE_MS;
/** Of sessions that send no pings and are not meant to end by themselves. */
const SESSION_MS = 60_000;
const SETTLE_MS = 10_000;

/** Members that are Apache's or ours, each of which can be ended. */
interface Ensemble extends AsyncDisposable {
  readonly all: readonly MemberOfTest[];
  start(id: number): void;
  end(id: number): Promise<unknown>;
  why(): string;
}
async function ensembleOf(kind: 'Apache' | 'zoosh', lines: readonly string[]): Promise<Ensemble> {
  const members = await Members.make({
    voters: VOTERS,
    // who leads goes on leading, though a machine stands still for seconds
    lines: ['maxClientCnxns=0', 'admin.enableServer=false', 'syncLimit=40', ...lines],
  });
  if (kind === 'zoosh') {
    for (const { folder } of members.all) {
      const cfg = join(folder, 'zoo.cfg');
      writeFileSync(cfg, `${readFileSync(cfg, 'utf8')}readonlymode.enabled=true\n`);
    }
    return {
      all: members.all,
      start: (id) => members.member(id).start(),
      end: (id) => members.member(id).kill(),
      why: () => members.tail(),
      [Symbol.asyncDispose]: () => members[Symbol.asyncDispose](),
    };
  }
  const running = new Map<number, ChildProcess>();
  const end = async (id: number): Promise<void> => {
    const child = running.get(id);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    all: members.all,
    start(id) {
      const { folder } = members.member(id);
      const log = openSync(join(folder, 'log'), 'a');
      const words = [...JAVA, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', join(folder, 'zoo.cfg')];
      running.set(id, spawn('java', words, { stdio: ['ignore', log, log] }));
      closeSync(log);
    },
    end,
    why: () => members.tail(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map(end));
      await members[Symbol.asyncDispose]();
    },
  };
}
const mode = async (member: MemberOfTest): Promise<string | undefined> =>
  /^Mode: (.*)$/m.exec(await member.word('srvr').catch(() => ''))?.[1];
const figure = async (member: MemberOfTest, name: string): Promise<string | undefined> =>
  new RegExp(`^zk_${name}\\t(\\d+)$`, 'm').exec(await member.word('mntr').catch(() => ''))?.[1];
const serves = (ensemble: Ensemble, ids: readonly number[]): Promise<unknown> =>
  Promise.all(
    ids.map((id) =>
      until(
        async () => /leader|follower/.test((await mode(ensemble.all[id - 1] as MemberOfTest)) ?? ''),
        START_MS,
        ensemble.why,
      ),
    ),
  );

/**
 * How many sessions a member knows, local and global, once all members have done what was decided and nothing changes:
 * a follower hears of a session's end later. No longer than {@link SETTLE_MS} is waited for that.
 */
async function counted(ensemble: Ensemble, member: MemberOfTest): Promise<(string | undefined)[]> {
  const look = async (): Promise<{ figures: (string | undefined)[]; zxids: Set<string | undefined> }> => ({
    zxids: new Set(
      await Promise.all(ensemble.all.map(async (each) => /^Zxid: (\S+)$/m.exec(await each.word('srvr'))?.[1])),
    ),
    figures: [await figure(member, 'local_sessions'), await figure(member, 'global_sessions')],
  });
  let last = await look();
  for (const end = performance.now() + SETTLE_MS; ; ) {
    const before = last;
    await sleep(300);
    last = await look();
    const zxids = new Set([...before.zxids, ...last.zxids]);
    const isSame = last.figures.join() === before.figures.join();
    if (isSame && (zxids.size === 1 || performance.now() > end)) return last.figures;
    if (performance.now() > end + PATIENCE_MS) assert.fail(`the sessions go on changing: ${ensemble.why()}`);
  }
}

/** Everything of sessions that does not depend on who leads, as lines. */
async function localProgram(ensemble: Ensemble): Promise<string[]> {
  const said: string[] = [];
  for (const id of [1, 2, 3]) ensemble.start(id);
  await serves(ensemble, [1, 2, 3]);
  // before the first transaction a leader of Apache's and its followers are not at the same zxid
  const first = await Wire.open(ensemble.all[0] as MemberOfTest, SESSION_MS);
  first.send(first.create(1, '/first'));
  await first.answers(1);
  first.send(first.end(2));
  await first.answers(1);
  first.drop();
  for (const [at, member] of ensemble.all.entries()) {
    const elsewhere = ensemble.all[(at + 1) % VOTERS] as MemberOfTest;
    const root = `/m${member.id}`;
    const note = async (what: string): Promise<void> => {
      const figures = await counted(ensemble, member);
      said.push(`${member.id} ${what}: ${figures.join(' local, ')} global`);
    };
    await note('before');
    const wire = await Wire.open(member, SESSION_MS);
    await note('one session');
    said.push(((await member.word('dump')).match(/^Local Session.*|^Sessions with.*/gm) ?? []).join('|'));
    wire.send(wire.create(1, root), wire.create(2, `${root}/missing/e`, 1), wire.create(3, `${root}/e`, 1));
    wire.send(wire.create(4, 'nonsense', 1), wire.get(5, `${root}/e`), wire.sync(6), wire.get(7, root));
    said.push((await wire.answers(7)).join(' '));
    await note('an ephemeral asked for');
    const multi = await Wire.open(member, SESSION_MS);
    multi.send(multi.multi(1, [`${root}/a`, 0], [`${root}/f`, 1]));
    const answer = await multi.frame();
    // where upgrading is off, Apache's leader says -120 inside a multi and its learners -112, which is not so; ours say -120
    said.push(`multi ${answer?.toString('hex').slice(24).replaceAll('ffffff90', 'ffffff88')}`);
    await note('a multi');
    multi.send(multi.end(2));
    said.push((await multi.answers(2)).join(' '));
    await note('closed');
    const stranger = new Wire(elsewhere.clientPort);
    said.push(`elsewhere ${await stranger.greet(wire.id, wire.password, SESSION_MS)}`);
    stranger.drop();
    wire.drop();
    const again = new Wire(member.clientPort);
    said.push(`again ${await again.greet(wire.id, wire.password, SESSION_MS)}`);
    // what the next member counts must not depend on how long this took
    again.send(again.end(1));
    await again.answers(1);
    again.drop();
    const [locals, globals] = await counted(ensemble, member);
    const silent = await Wire.open(member, 1000);
    silent.drop();
    await sleep(3000);
    // Java may be late with its end
    const isThere = async (): Promise<boolean> =>
      (await figure(member, 'local_sessions')) !== locals || (await figure(member, 'global_sessions')) !== globals;
    for (const end = performance.now() + 2 * SETTLE_MS; performance.now() < end && (await isThere()); await sleep(100));
    said.push(`silent ${await new Wire(member.clientPort).greet(silent.id, silent.password)}`);
  }
  return said;
}

for (const upgrading of [true, false])
  test(`local sessions, upgrading ${upgrading}`, { timeout: 1_200_000 }, async () => {
    const said: string[][] = [];
    for (const kind of ['Apache', 'zoosh'] as const) {
      const lines = ['localSessionsEnabled=true', `localSessionsUpgradingEnabled=${upgrading}`];
      await using ensemble = await ensembleOf(kind, lines);
      said.push(await localProgram(ensemble));
    }
    assert.deepEqual(said[1], said[0]);
  });

/** smoketest and bench on all of its members, without what differs from run to run. */
async function smokeProgram({ all }: Ensemble): Promise<string[]> {
  const servers = all.map(({ hosts }) => hosts).join(',');
  const ports = new Map(all.map(({ id, hosts }) => [hosts, `member ${id}`]));
  const masked = (text: string): string =>
    text
      .replace(/127\.0\.0\.1:\d+/g, (found) => ports.get(found) ?? found)
      .replace(/ +in +[\d.]+ ms.*/g, '')
      .replace(/0x[0-9a-f]+/g, 'session');
  const env = { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' };
  const said: string[] = [];
  for (const words of [
    ['smoketest', '--timeout', '40s'],
    ['bench', '--timeout', '40s', '--znode_count', '50'],
    ['ls', '/'],
  ]) {
    const { out, err, status } = await run(process.execPath, ['bin/zoosh.js', ...patiently([servers, ...words])], env);
    said.push(`${words[0]} ${status}${err}`, ...masked(out.toString()).split('\n'));
  }
  assert.equal(
    said.filter((line) => /^member \d {2}heard of 3 deletions, in order,$/.test(line)).length,
    VOTERS,
    said.join('\n'),
  );
  assert.equal(said.filter((line) => /^notif {8}50 {11}watches$/.test(line)).length, VOTERS, said.join('\n'));
  return said;
}

async function readOnlyProgram(ensemble: Ensemble): Promise<string[]> {
  const said: string[] = [];
  for (const id of [1, 2, 3]) ensemble.start(id);
  await serves(ensemble, [1, 2, 3]);
  said.push(...(await smokeProgram(ensemble)));
  const [one] = ensemble.all as [MemberOfTest];
  const wire = await Wire.open(one, SESSION_MS);
  wire.send(wire.create(1, '/kept'), wire.create(2, '/mine', 1), wire.sync(3));
  said.push((await wire.answers(3)).join(' '));
  await ensemble.end(2);
  await ensemble.end(3);
  await until(async () => (await mode(one)) === 'read-only', PATIENCE_MS, ensemble.why);
  said.push(`isro ${await one.word('isro')}`);
  said.push(`conf ${/membership/.test(await one.word('conf'))}`, `${(await one.word('srvr')).split('\n')[1]}`);
  const back = new Wire(one.clientPort);
  said.push(`a session of the ensemble: ${await back.greet(wire.id, wire.password, 10_000, true)}`);
  const writer = new Wire(one.clientPort);
  said.push(`who wants to write: ${await writer.greet()}`);
  const reader = new Wire(one.clientPort);
  said.push(`who reads: ${await reader.greet(0n, undefined, 10_000, true)}, told so: ${reader.readOnly}`);
  reader.send(reader.get(1, '/kept'), reader.create(2, '/x'), reader.sync(3), reader.multi(4, ['/x', 0]));
  reader.send(reader.create(5, '/x', 1), reader.get(6, '/mine'));
  // Apache's refusals overtake what was asked before them; ours come in the order asked
  said.push((await reader.answers(6)).sort().join(' '));
  const again = new Wire(one.clientPort);
  said.push(`again: ${await again.greet(reader.id, reader.password, 10_000, true)}, told so: ${again.readOnly}`);
  again.send(again.end(1));
  said.push((await again.answers(2)).join(' '));
  const hosts = ensemble.all.map((member) => member.hosts).join(',');
  using program = new KazooProgram('read_only_kazoo.py', [hosts]);
  await program.until('write '); // it reads and is refused, and then finds who can write
  await sleep(3000);
  ensemble.start(2);
  await program.end();
  said.push(...program.out.trim().split('\n'));
  await serves(ensemble, [1, 2]);
  said.push(`isro ${await one.word('isro')}`);
  return said;
}

test('read-only mode', { timeout: 1_200_000 }, async () => {
  const said: string[][] = [];
  for (const kind of ['Apache', 'zoosh'] as const) {
    await using ensemble = await ensembleOf(kind, [
      'localSessionsEnabled=true',
      'localSessionsUpgradingEnabled=true',
      'maxSessionTimeout=60000',
    ]);
    said.push(await readOnlyProgram(ensemble));
  }
  assert.deepEqual(said[1], said[0]);
});

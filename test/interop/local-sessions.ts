/**
 * Local sessions and read-only mode: the same program on an ensemble of Apache's and on one of ours gives the same answers,
 * on bare frames and by kazoo. Beforehand smoketest and bench try all three members of each.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { Wire } from '../e2e/wire.ts';
import { PATIENCE_MS } from '../patience.ts';
import { run } from './live-shell.ts';

const KAZOO = fileURLToPath(new URL('../../../test/interop/read_only_kazoo.py', import.meta.url));
const CLASSES = '/usr/share/java/zookeeper.jar:/usr/share/java/*';
const JAVA = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dreadonlymode.enabled=true', '-cp', CLASSES];
const VOTERS = 3;

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
    lines: ['maxClientCnxns=0', 'admin.enableServer=false', ...lines],
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
        PATIENCE_MS,
        ensemble.why,
      ),
    ),
  );

/** Everything of sessions that does not depend on who leads, as lines. */
async function localProgram(ensemble: Ensemble): Promise<string[]> {
  const said: string[] = [];
  for (const id of [1, 2, 3]) ensemble.start(id);
  await serves(ensemble, [1, 2, 3]);
  for (const [at, member] of ensemble.all.entries()) {
    const elsewhere = ensemble.all[(at + 1) % VOTERS] as MemberOfTest;
    const root = `/m${member.id}`;
    const note = async (what: string): Promise<void> => {
      await sleep(300); // a follower hears of a session's end a moment later
      const figures = [await figure(member, 'local_sessions'), await figure(member, 'global_sessions')];
      said.push(`${member.id} ${what}: ${figures.join(' local, ')} global`);
    };
    await note('before');
    const wire = await Wire.open(member);
    await note('one session');
    said.push(((await member.word('dump')).match(/^Local Session.*|^Sessions with.*/gm) ?? []).join('|'));
    wire.send(wire.create(1, root), wire.create(2, `${root}/missing/e`, 1), wire.create(3, `${root}/e`, 1));
    wire.send(wire.create(4, 'nonsense', 1), wire.get(5, `${root}/e`), wire.sync(6), wire.get(7, root));
    said.push((await wire.answers(7)).join(' '));
    await note('an ephemeral asked for');
    const multi = await Wire.open(member);
    multi.send(multi.multi(1, [`${root}/a`, 0], [`${root}/f`, 1]));
    const answer = await multi.frame();
    // where upgrading is off, Apache's leader says -120 inside a multi and its learners -112, which is not so; ours say -120
    said.push(`multi ${answer?.toString('hex').slice(24).replaceAll('ffffff90', 'ffffff88')}`);
    await note('a multi');
    multi.send(multi.end(2));
    said.push((await multi.answers(2)).join(' '));
    await note('closed');
    const stranger = new Wire(elsewhere.clientPort);
    said.push(`elsewhere ${await stranger.greet(wire.id, wire.password)}`);
    stranger.drop();
    wire.drop();
    const again = new Wire(member.clientPort);
    said.push(`again ${await again.greet(wire.id, wire.password)}`);
    again.drop();
    const silent = await Wire.open(member, 1000);
    silent.drop();
    await sleep(3000);
    said.push(`silent ${await new Wire(member.clientPort).greet(silent.id, silent.password)}`);
  }
  return said;
}

for (const upgrading of [true, false])
  test(`local sessions, upgrading ${upgrading}`, { timeout: 300_000 }, async () => {
    const said: string[][] = [];
    for (const kind of ['Apache', 'zoosh'] as const) {
      const lines = ['localSessionsEnabled=true', `localSessionsUpgradingEnabled=${upgrading}`];
      await using ensemble = await ensembleOf(kind, lines);
      const each = await localProgram(ensemble);
      // Apache counts sets that a session was moved from until their time is over: whether there is one is chance
      said.push(kind === 'Apache' ? each.map((line) => line.replace('Sets (2)/(1)', 'Sets (1)/(1)')) : each);
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
      .replace(/ +in +[\d.]+ ?ms.*/g, '')
      .replace(/0x[0-9a-f]+/g, 'session');
  const env = { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' };
  const said: string[] = [];
  for (const words of [['smoketest'], ['bench', '--znode_count', '50'], ['ls', '/']]) {
    const { out, err, status } = await run(process.execPath, ['bin/zoosh.js', servers, ...words], env);
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

const kazoo = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('/usr/bin/python3', [KAZOO, ...args], { timeout: PATIENCE_MS })).stdout;

async function readOnlyProgram(ensemble: Ensemble): Promise<string[]> {
  const said: string[] = [];
  for (const id of [1, 2, 3]) ensemble.start(id);
  await serves(ensemble, [1, 2, 3]);
  said.push(...(await smokeProgram(ensemble)));
  const [one] = ensemble.all as [MemberOfTest];
  const wire = await Wire.open(one);
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
  const program = kazoo(hosts);
  await sleep(3000); // it reads and is refused meanwhile, and then finds who can write
  ensemble.start(2);
  said.push(...(await program).trim().split('\n'));
  await serves(ensemble, [1, 2]);
  said.push(`isro ${await one.word('isro')}`);
  return said;
}

test('read-only mode', { timeout: 300_000 }, async () => {
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

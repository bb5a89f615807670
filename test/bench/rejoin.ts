/**
 * A member of three comes back after it missed many transactions, while clients go on writing. By hand:
 * `node dist/test/bench/rejoin.js [TRANSACTIONS] [snap|diff]`. `snap`: 100-byte creates, more than is remembered; `diff`: sets of
 * one byte, all of them remembered. Says how long it takes until the member follows and has the same tree, errors of clients, and how
 * long the leader's loop stood still: seen by a ping every 5 ms from outside, and from inside by loop-probe.js. Exit 1
 * when a client saw an error or a block reached 50 ms; 3 when the pinger itself was kept from running for 20 ms: then the machine
 * was busy, and it must be done again.
 */
import { readFileSync } from 'node:fs';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { type LoadKind, load, makeParent } from './load.ts';
import { Pinger } from './pinger.ts';
import { probed } from './probed.ts';
import { Writers } from './writers.ts';

const BOUND_MS = 50;
const BUSY_MS = 20;
const PAUSE_MS = 1000;
/** With fewer nobody went on; how long is waited for them. */
const LEAST_WRITES = 100;
const WRITES_MS = 60_000;

/** Resident memory of a process, MB, and its highest so far. */
function memory(member: MemberOfTest): { now: number; peak: number } {
  const status = readFileSync(`/proc/${member.pid}/status`, 'utf8');
  const mb = (key: string): number => Math.round(Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024);
  return { now: mb('VmRSS'), peak: mb('VmHWM') };
}

export interface RejoinFigures {
  readonly missed: number;
  /** From the start of the process until it serves, and until its tree is that of the others, ms. */
  readonly servingMs: number;
  readonly equalMs: number;
  readonly bySnapshot: boolean;
  readonly errors: number;
  readonly acknowledged: number;
  readonly longestPauseMs: number;
  readonly longestPingMs: number;
  readonly ownLateMs: number;
  /** For as long as the thread ran: without the time in which others had the processor. */
  readonly longestBlockMs: number;
}

/** `depth`: requests under way of each of the two clients that go on. */
export async function rejoin(
  kind: LoadKind,
  count: number,
  lines: readonly string[],
  depth: number,
  say: (sentence: string) => void = () => {},
): Promise<RejoinFigures> {
  await using members = await Members.start({
    voters: 3,
    tickMs: 2000,
    lines: ['maxClientCnxns=0', ...lines],
    wrap: probed,
  });
  const leader = await members.leader();
  const [away, other] = members.all.filter((each) => each !== leader) as [MemberOfTest, MemberOfTest];
  await makeParent(leader.clientPort);
  if (kind !== 'create') await load('create', leader.clientPort, 1, 1, 1, 1);
  await away.kill();
  const began = performance.now();
  const figures = await load(kind, leader.clientPort, count, 1);
  if (figures.refused > 0) throw new Error(`${figures.refused} were refused`);
  say(`${count} missed, written in ${Math.round(performance.now() - began)} ms; leader ${memory(leader).now} MB`);
  const pinger = new Pinger(leader.clientPort);
  const writers = new Writers(kind, [leader.clientPort, other.clientPort], count, depth);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  say(`before: ${pinger}; writes paused at most ${writers.longest.toFixed(1)} ms; leader ${memory(leader).now} MB`);
  pinger.reset();
  writers.reset();
  leader.signal('SIGUSR2');
  const from = performance.now();
  const acknowledged = writers.acknowledged;
  const said = away.log.length;
  away.start();
  await members.serving([away.id], 300_000);
  const servingMs = performance.now() - from;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  leader.signal('SIGUSR2');
  const pinged = { longest: pinger.longest, late: pinger.ownLate };
  const { longest } = writers;
  const rate = ((writers.acknowledged - acknowledged) / (performance.now() - from)) * 1000;
  say(`while it came back: ${pinger}`);
  say(`writes then: ${Math.round(rate)} per s, paused at most ${longest.toFixed(1)} ms`);
  say(
    `leader ${memory(leader).now} MB, at most ${memory(leader).peak}; the member ${memory(away).now}, at most ${memory(away).peak}`,
  );
  await until(
    () => writers.acknowledged > LEAST_WRITES || writers.errors > 0,
    WRITES_MS,
    () => `${writers.acknowledged} writes were acknowledged`,
  );
  await writers.stop();
  // what it said at the second signal is about the time between the two
  const probes = () => [...leader.log.matchAll(/loop probe: longest block .* ms, (\d+(?:\.\d+)?) ms running.*\n/g)];
  await until(
    () => probes().length > 1,
    WRITES_MS,
    () => `the leader does not tell how busy it was: ${members.tail()}`,
  );
  const inside = probes()[1] ?? null;
  if (inside !== null) say(`inside the leader while it came back: ${inside[0].trimEnd()}`);
  await members.equal(300_000);
  const equalMs = performance.now() - from;
  pinger.close();
  const bySnapshot = /from a snapshot of the leader/.test(away.log.slice(said));
  await leader.kill('SIGTERM');
  for (const line of leader.log.match(/Snapshotting: .*/g) ?? [])
    say(`  ${line.replace(/^.*, (?=\d+ bytes)/, 'snapshot of ')}`);
  await until(
    () => !leader.isUp,
    60_000,
    () => 'the leader does not end',
  );
  return {
    missed: count,
    servingMs,
    equalMs,
    bySnapshot,
    errors: writers.errors,
    acknowledged: writers.acknowledged,
    longestPauseMs: longest,
    longestPingMs: pinged.longest,
    ownLateMs: pinged.late,
    longestBlockMs: Number(inside?.[1]),
  };
}

async function main(): Promise<void> {
  const [count = '1000000', way = 'snap'] = process.argv.slice(2);
  const diff = way === 'diff';
  const lines = diff ? [`commitLogCount=${Number(count) + 200_000}`, 'snapCount=10000000'] : [];
  const figures = await rejoin(diff ? 'touch' : 'create', Number(count), lines, 16, (sentence) =>
    console.log(sentence),
  );
  console.log(JSON.stringify(figures));
  if (figures.bySnapshot === diff) throw new Error(`it came back by ${diff ? 'a snapshot' : 'a difference'}`);
  const { longestBlockMs, longestPingMs, ownLateMs, errors } = figures;
  if (errors === 0 && longestBlockMs < BOUND_MS && longestPingMs < BOUND_MS) return;
  process.exitCode = errors === 0 && ownLateMs > BUSY_MS ? 3 : 1;
}
if (process.argv[1]?.endsWith('rejoin.js') === true) {
  await main();
  process.exit();
}

/** A member that takes less than is written: what waits for it at the leader is bounded, nobody else is held up, and it comes back. */
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { amount } from '../amount.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { type MemberOfTest, Members, until } from './members.ts';

const VALUE = Buffer.alloc(100_000, 97);
const UNDER_WAY = 16;
const LAG_MS = 4000;
/** Remembered for learners, waiting for one of them, and what a process takes besides. */
const MOST_GROWTH_MB = 64 + 64 + 150;
/** On a slow machine it takes its time until so much waits. */
const WITHIN_MS = 3 * PATIENCE_MS;

/** The highest resident memory of a process so far, MB. */
const peak = ({ pid }: MemberOfTest): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** The short run has one way. */
const WAYS = [
  ['a slow link', (m: MemberOfTest) => m.ask({ op: 'lag', ms: LAG_MS }), (m: MemberOfTest) => m.ask({ op: 'heal' })],
  ['SIGSTOP', async (m: MemberOfTest) => m.signal('SIGSTOP'), async (m: MemberOfTest) => m.signal('SIGCONT')],
] as const;
/** How the leader's memory was kept in bounds; whether it was not. A busy machine collects late, and once more is to tell. */
async function fallsBehind([how, slow, heal]: (typeof WAYS)[number]): Promise<string | undefined> {
  await using members = await Members.start({ voters: 3, tickMs: 2000, lines: ['snapCount=10000000', 'syncLimit=60'] });
  const leader = await members.leader();
  const [victim, other] = members.all.filter((each) => each !== leader) as [MemberOfTest, MemberOfTest];
  await using client = await connect(`${leader.hosts},${other.hosts}`, {
    timeoutMs: 20_000,
    connectTimeoutMs: PATIENCE_MS,
  });
  for (let lane = 0; lane < UNDER_WAY; lane++) await client.create(`/v${lane}`);
  const before = peak(leader);
  await slow(victim);
  let written = 0;
  let longest = 0;
  let isOn = true;
  const lanes = Array.from({ length: UNDER_WAY }, async (_, lane) => {
    while (isOn) {
      const from = performance.now();
      await client.set(`/v${lane}`, VALUE);
      longest = Math.max(longest, performance.now() - from);
      written++;
    }
  });
  const gaveUp = (): boolean => /a learner does not keep up/.test(leader.log);
  try {
    if (how === 'SIGSTOP') await sleep(8000);
    else await until(gaveUp, WITHIN_MS, () => `after ${written} writes nothing was given up: ${members.tail()}`);
  } finally {
    isOn = false;
  }
  await Promise.all(lanes);
  const grown = peak(leader) - before;
  await heal(victim);
  await members.serving(undefined, WITHIN_MS);
  await members.equal(WITHIN_MS);
  console.log(
    `${how}: ${Math.round((written * VALUE.length) / 1e6)} MB written, none refused, a write took ${Math.round(longest)} ms at most; the leader grew by ${Math.round(grown)} MB`,
  );
  return lateIf(!(grown < MOST_GROWTH_MB), `the leader grew by ${grown} MB`);
}

for (const way of WAYS.slice(amount(0, 1)))
  test(`a learner that falls behind by ${way[0]} costs the leader a bounded part of its memory`, () =>
    timely(() => fallsBehind(way)));

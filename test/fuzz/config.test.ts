/** Text that is no zoo.cfg: refused with a sentence and a remedy, or read; nothing else, and at once. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { decideReconfig } from '../../src/server/reconfig.ts';
import { amount } from '../amount.ts';
import { stopwatch } from '../patience.ts';
import { fuzzConfig, memberLines, pick, VALUES } from './config-inputs.ts';

const INPUTS = amount(100_000, 8_000);
const REQUESTS = amount(30_000, 10_000);
const SLOW_MS = 100;
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));

test(`${INPUTS} malformed configurations: refused with a remedy, or read, at once`, () => {
  const { outcomes, longest } = fuzzConfig(INPUTS, seededRandom(seed));
  const sorted = [...outcomes].sort((a, b) => b[1] - a[1]);
  console.log(
    `configurations (seed ${seed}): longest ${longest.toFixed(1)} ms; ${sorted.length} outcomes, by remedy: ${sorted.map(([name, count]) => `${name} ${count}`).join('; ')}`,
  );
  assert.ok((outcomes.get('read') ?? 0) > INPUTS / 100 && sorted.length > 20);
  assert.ok((outcomes.get('read, of an ensemble') ?? 0) > INPUTS / 1000);
});

test(`${REQUESTS} requests to change the members: decided, never thrown, at once`, () => {
  const random = seededRandom(seed);
  const config = {
    members: [1, 2, 3].map((sid) => ({
      ...{ sid, role: 'participant' as const, incarnation: `i${sid}`, client: null },
      addresses: [`127.0.0.1:${20 + sid}:${30 + sid}`],
    })),
    maxTxnBytes: 1e6,
  };
  const synced = [1, 2].map((sid) => ({ sid, incarnation: `i${sid}` }));
  const rest = { enabled: true, inProgress: false, synced, mayWrite: true, last: { config, version: 5n } };
  const words = (): string | null => {
    const roll = random.below(8);
    if (roll === 0) return null;
    if (roll === 1) return pick(random, VALUES);
    if (roll === 2)
      return pick(random, [',', '=', 'server.1=', '1,', ';', '|h:1:2', '\\']).repeat(random.below(20_000));
    return memberLines(random).join(pick(random, [',', '\n', ' , ']));
  };
  const outcomes = new Map<string, number>();
  for (let i = 0; i < REQUESTS; i++) {
    const request = {
      joiningServers: words(),
      leavingServers: pick(random, [null, null, '3', '1,2', 'x', ...VALUES]),
      newMembers: pick(random, [null, null, words()]),
      curConfigId: pick(random, [-1n, -1n, 5n, 6n]),
    };
    const view = { ...rest, standaloneEnabled: random.below(2) === 0, multiAddress: random.below(2) === 0 };
    let took = Number.POSITIVE_INFINITY;
    let made: ReturnType<typeof decideReconfig> = 0;
    for (let again = 0; again < 4 && took > SLOW_MS; again++) {
      const spent = stopwatch();
      made = decideReconfig(request, view);
      took = Math.min(took, spent());
    }
    assert.ok(took < 1000, `ZOOSH_SEED=${seed}, request ${i} took ${took} ms`);
    const what = typeof made === 'number' ? String(made) : 'made';
    outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
    if (typeof made !== 'number')
      assert.ok(made.members.length > 0 && made.members.every(({ addresses }) => addresses[0]));
  }
  console.log(`requests (seed ${seed}): ${[...outcomes].map(([name, count]) => `${name} ${count}`).join('; ')}`);
  assert.ok((outcomes.get('made') ?? 0) > REQUESTS / 30 && outcomes.size >= 5);
});

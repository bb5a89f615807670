/** Many clients: what they cost, that they all come back, and that they leave another client in peace. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { crowdOf, LEAST_FLOOD, siege } from '../bench/crowd.ts';
import { lateIf, timely } from '../patience.ts';
import { ServerProcess } from './process.ts';

const SESSIONS = amount(10_000, 1000);
const MOST_RESIDENT = 512e6;
const BACK_MS = 10_000;
const SLOW = amount(5000, 500);
const SIEGE_MS = amount(10_000, 2000);
/** Below this p99 nobody feels anything, and twice a fraction of a ms is noise; beside other tests much more is. */
const UNFELT_MS = amount(5, 100);

test(`${SESSIONS} idle sessions fit, and are all back soon after a crash, none expired`, { timeout: 600_000 }, () =>
  timely(async () => {
    await using server = await new ServerProcess(['maxClientCnxns=0']).start();
    const { resident, residentBack, back, backMs, expired } = await crowdOf(server, SESSIONS, amount(15_000, 500));
    console.log(`${(resident / 1e6).toFixed(0)} MB; ${back} back after ${backMs.toFixed(0)} ms`);
    assert.ok(resident < MOST_RESIDENT, `${resident} bytes resident`);
    assert.ok(residentBack < MOST_RESIDENT, `${residentBack} bytes resident at most after the crash`);
    assert.equal(expired, 0);
    assert.equal(back, SESSIONS);
    return lateIf(backMs > BACK_MS, `all back after ${backMs.toFixed(0)} ms`);
  }),
);

/** How much more than at a server that does nothing another client may feel of a flood. */
const BESIDE_BARE = 1.5;

test(
  'a flood of connections, and handshakes that never end, at most double the p99 of another client',
  {
    timeout: 600_000,
  },
  () =>
    timely(async () => {
      await using server = await new ServerProcess(['maxClientCnxns=0']).start();
      const { calm, flood, bareFlood, slow, slowOpen, floodPerSecond } = await siege(server, SLOW, SIEGE_MS);
      console.log(
        `p99 ${calm.p99.toFixed(2)} ms; ${flood.p99.toFixed(2)} with ${floodPerSecond.toFixed(0)} connections a second, ${bareFlood.p99.toFixed(2)} at a bare server; ${slow.p99.toFixed(2)} with ${slowOpen} handshakes`,
      );
      assert.equal(slowOpen, SLOW);
      assert.ok(floodPerSecond > LEAST_FLOOD, `${floodPerSecond} connections a second are no flood`);
      const most = Math.max(2 * calm.p99, UNFELT_MS);
      const late = ({ p99 }: typeof calm, bound: number): string | undefined =>
        lateIf(p99 > bound, `p99 of ${p99.toFixed(2)} ms, ${calm.p99.toFixed(2)} without them`);
      // as many connections as it can open take the processor from everybody: what a bare server's client feels is the machine's
      return late(slow, most) ?? late(flood, Math.max(most, BESIDE_BARE * bareFlood.p99));
    }),
);

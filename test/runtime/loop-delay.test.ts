/** Pauses of the loop: measured always, told where zoo.cfg wants it, by how long they were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchLoop } from '../../src/runtime/loop-delay.ts';
import { Tally } from '../../src/runtime/tally.ts';
import { checkConfig } from '../../src/server/config.ts';
import { parseProperties } from '../../src/server/config-text.ts';

/** The loop stands still for each of these, ms, beyond the time that it was to sleep. Returns what the log says. */
function pausedFor(lines: string, pauses: readonly number[]): { said: string[]; tally: Tally; waiting: number } {
  const said: string[] = [];
  let now = 0;
  let due: { ms: number; run: () => void } | undefined;
  const clock = {
    monotonic: () => now,
    wall: () => now,
    after(ms: number, run: () => void) {
      const timer = { ms, run };
      due = timer;
      return {
        [Symbol.dispose]() {
          if (due === timer) due = undefined;
        },
      };
    },
  };
  const config = checkConfig(parseProperties(`dataDir=/d\nclientPort=1\n${lines}`, 'zoo.cfg'));
  const tally = new Tally();
  const logger = {
    info: (text: string) => void said.push(`info ${text}`),
    warn: (text: string) => void said.push(`warn ${text}`),
  };
  const end = watchLoop({ logger: logger as never, clock, tally, pauses: config.pauses });
  for (const pause of pauses) {
    const { ms, run } = due as { ms: number; run: () => void };
    now += ms + pause;
    run();
  }
  end();
  return { said, tally, waiting: due === undefined ? 0 : 1 };
}

test('a pause is told as information or a warning by the two thresholds, and counted whatever is told', () => {
  const on = 'jvm.pause.monitor=true\njvm.pause.info-threshold.ms=100\njvm.pause.warn-threshold.ms=2000';
  const { said, tally, waiting } = pausedFor(on, [3, 100, 101, 2500]);
  const sentence = 'Detected pause in the event loop or host machine (eg GC): pause of approximately';
  assert.deepEqual(said, [`info ${sentence} 101ms`, `warn ${sentence} 2500ms`]);
  const spread = tally.times.jvm_pause_time_ms;
  assert.deepEqual([spread.count, spread.sum, spread.max], [4, 2704, 2500]);
  assert.equal(waiting, 0, 'it ends with the server');
  const silent = pausedFor('', [5000, 20_000]);
  assert.deepEqual([silent.said, silent.tally.times.jvm_pause_time_ms.max], [[], 20_000]);
  const usual = pausedFor('jvm.pause.monitor=true\njvm.pause.sleep.time.ms=50', [1000, 1001, 10_001]).said;
  assert.deepEqual(
    usual.map((text) => text.slice(0, 4)),
    ['info', 'warn'],
  );
});

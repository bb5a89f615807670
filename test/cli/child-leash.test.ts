/** Programs that end with whoever began them, however that ends: in processes of their own, which are killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { processOf } from '../../src/ensemble/process.ts';
import { PATIENCE_MS } from '../patience.ts';

const LEASH = new URL('../../src/cli/child-leash.js', import.meta.url).href;
/** Ignores what it can, and has a child of its own. */
const PROGRAM = 'trap "" TERM HUP INT; sleep 300 & echo $$ $!; wait';

/** Begins the program on a leash, and prints what it prints. `then`: what is done with the leash; "done" is said after it. */
const holder = (then: string): string => `
import { spawn } from 'node:child_process';
import { makeLeash } from ${JSON.stringify(LEASH)};
const leash = makeLeash();
const child = spawn('/bin/sh', ['-c', ${JSON.stringify(PROGRAM)}], {
  env: { ...process.env, ...leash.env }, stdio: ['ignore', 'inherit', 'ignore'],
});
${then}
setImmediate(() => process.stdout.write('done\\n'));
setInterval(() => {}, 1000);
`;

async function begin(then: string): Promise<{ readonly kill: () => Promise<void>; readonly pids: readonly number[] }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder(then)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const ended = once(child, 'exit');
  const end = performance.now() + PATIENCE_MS;
  // the program may be heard before the leash has been told anything
  const numbers = (): string | undefined => /^\d+ \d+$/m.exec(text)?.[0];
  while (!(text.includes('done\n') && numbers() !== undefined) && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return { kill, pids: (numbers() ?? '').split(' ').map(Number) };
}
async function gone(pids: readonly number[]): Promise<boolean> {
  const left = (): number[] => pids.filter((pid) => processOf(pid) !== undefined);
  for (const end = performance.now() + PATIENCE_MS; left().length > 0 && performance.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 50));
  return left().length === 0;
}

for (const [what, then] of [
  ['it was told which program', 'leash.holds(child.pid);'],
  ['it had not heard of the program yet', ''],
] as const)
  test(`killed when ${what}: the program ends, and what it began`, { skip: process.platform !== 'linux' }, async () => {
    const { kill, pids } = await begin(then);
    assert.equal(pids.length, 2);
    for (const pid of pids) assert.ok(processOf(pid) !== undefined, `${pid} runs`);
    await kill();
    assert.ok(await gone(pids), `${pids} are left`);
  });

test('a leash that is let go, and one whose program could not begin, end nothing', {
  skip: process.platform !== 'linux',
}, async () => {
  for (const then of ['leash.holds(child.pid); leash.free();', 'leash.holds(undefined);']) {
    const { kill, pids } = await begin(then);
    await kill();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    for (const pid of pids) {
      assert.ok(processOf(pid) !== undefined, `${pid} runs on`);
      process.kill(pid, 'SIGKILL');
    }
    assert.ok(await gone(pids));
  }
});

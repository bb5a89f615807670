/** `watch` in the shell, while other eyes change what it looks at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { note, zoosh } from './live-shell.ts';
import { base, client, ENV, SERVER } from './shell-rig.ts';

/** Runs it as a process and makes the change again and again until it has seen enough. */
async function watched(options: readonly string[], words: readonly string[], change: (at: number) => Promise<unknown>) {
  const at = words.map((word) => (/^[^*\s]*$/.test(word) ? word : `'${word}'`)).join(' ');
  note(`watch ${at}`, options.includes('json'));
  let isOver = false;
  const running = zoosh([...options, SERVER, 'watch', ...words], ENV).finally(() => {
    isOver = true;
  });
  for (let times = 0; !isOver; times++) {
    await change(times);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const { out, err, status } = await running;
  return { out: out.toString(), err, status };
}

test('watch: one event, all below, until, a program, in time', async () => {
  const at = await base('watch');
  const path = (await client.create(`${at}/n`, 'first')).path;
  const write = (times: number) => client.set(path, `value ${times}`);
  const breed = async (times: number) => {
    if (times % 2 === 0) await client.create(`${path}/child`);
    else await client.delete(`${path}/child`);
  };
  const once = await watched(['-o', 'json'], ['--diff', path], write);
  assert.deepEqual([once.err, once.status], ['', 0]);
  const [event] = JSON.parse(once.out) as { type: string; path: string; new: { data: string } }[];
  assert.deepEqual([event?.type, event?.path], ['NodeDataChanged', path]);
  assert.match(event?.new.data ?? '', /^value \d+$/);

  const below = await watched([], ['-R', '-c', '--count', '2', at], breed);
  assert.equal(below.status, 0, below.err);
  const kinds = below.out
    .split('\n')
    .slice(0, 2)
    .map((line) => line.split('\t').slice(1).join(' '));
  assert.deepEqual(kinds.toSorted(), [`NodeCreated ${path}/child`, `NodeDeleted ${path}/child`]);

  const until = await watched([], ['--quiet', '--until', 'data=*7*', path], write);
  assert.deepEqual(until, { out: '', err: '', status: 0 });
  const late = await watched([], ['-d', '-f', '--timeout', '1s', `${at}/absent`], async () => {});
  assert.deepEqual(late, { out: '', err: `error: not in time: ${at}/absent\n`, status: 124 });
  const program = await watched([], [path, '--', 'sh', '-c', 'echo "$ZOOSH_EVENT $ZOOSH_PATH"; exit 3'], write);
  assert.deepEqual(program, { out: `changed ${path}\n`, err: '', status: 3 });
});

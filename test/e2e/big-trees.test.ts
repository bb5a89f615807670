/** Trees of many nodes: what the shell takes of memory, and how soon it ends on Ctrl-C. The figures: test/bench/big-trees.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { amount } from '../amount.ts';
import { writeTree } from '../bench/tree-file.ts';
import { type Watched, type WatchOptions, watch } from '../bench/watched.ts';
import { ServerProcess } from './process.ts';

const NODES = amount(200_000, 20_000);
/** Resident, of the shell. */
const MOST_MB = amount(300, 160);
const MOST_STOP_MS = 200;

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-big-'));
before(() => server.start());
after(async () => {
  server.signal('SIGCONT');
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const zoosh = (words: readonly string[], options?: WatchOptions): Promise<Watched> =>
  watch(['--connect-timeout', '60s', '-y', server.hosts, ...words], options);

async function within(...words: string[]): Promise<Watched> {
  const ran = await zoosh(words);
  assert.equal(ran.code, 0, `${words.join(' ')}: ${ran.stderr}`);
  assert.ok(ran.peakMb < MOST_MB, `${words.join(' ')} had ${Math.round(ran.peakMb)} MB`);
  return ran;
}

const goesOn = async (): Promise<void> => server.signal('SIGCONT');

/**
 * The best of six: others want the same processor. `endsItself`: it does so after a while without Ctrl-C, too, which
 * may come later than that from a process that stands still.
 */
async function stopsSoon(
  words: readonly string[],
  options: WatchOptions,
  again = goesOn,
  endsItself = false,
): Promise<void> {
  const took: (number | string)[] = [];
  for (let round = 0; round < 6; round++) {
    await again();
    const { code, stopMs = 0, stderr, screen } = await zoosh(words, { interruptAfterMs: 'output', ...options });
    if (endsItself && code !== 130) {
      took.push(`by itself with ${code} and so`);
      continue;
    }
    assert.equal(code, 130, `${words.join(' ')}: ${stderr}${screen}`);
    if (stopMs <= MOST_STOP_MS) return;
    took.push(Math.round(stopMs));
  }
  assert.fail(`${words.join(' ')} ended ${took.join(', ')} ms after Ctrl-C`);
}

test('many nodes are imported, exported, searched and deleted in little memory', async () => {
  for (const shape of ['square', 'wide'] as const) {
    const file = join(folder, shape);
    const count = writeTree(file, shape, NODES);
    await within('import', file);
    await within('export', `/${shape}`, join(folder, 'out'));
    const { bytes } = await within('find', `/${shape}`);
    assert.ok(bytes > count * 8);
    await within('getAcl', '-R', `/${shape}`);
    const drawn = await within('tree', '--limit', '2000000', `/${shape}`);
    assert.ok(drawn.bytes > count * 6);
    const piped = await within('-c', `export /${shape} | wc -c`);
    assert.ok(piped.bytes > 0);
  }
});

test('children are put into order, and all is listed the other way round, in little memory', async () => {
  await within('ls', '-t', '-1', '/wide');
  await within('ls', '-R', '-r', '/wide');
});

test('Ctrl-C ends a walk at once, on pipes, on a terminal, and when the server says nothing any more', async () => {
  await stopsSoon(['tree', '--limit', '2000000', '/square'], {});
  await stopsSoon(['tree', '--limit', '2000000', '/square'], { onTerminal: true });
  const words = ['ls', '-R', '/square', '/wide'];
  await stopsSoon(words, {});
  await stopsSoon(words, { onTerminal: true });
  await stopsSoon(words, {
    before: async () => {
      server.signal('SIGSTOP');
      await sleep(100);
    },
  }).finally(goesOn);
  // it is gone: the command has failed by then, and the end of the session is what Ctrl-C ends
  const another = async (): Promise<void> => {
    await server.kill('SIGKILL');
    await server.start();
  };
  await stopsSoon(
    words,
    {
      before: async () => {
        await server.kill('SIGKILL');
        await sleep(100);
      },
    },
    another,
    true,
  ).finally(another);
});

test('find -delete and deleteall take it all away', async () => {
  await within('find', '/square', '-delete');
  await within('deleteall', '/wide');
  const { code } = await zoosh(['exists', '/square']);
  assert.equal(code, 1);
});

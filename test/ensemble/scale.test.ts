/** What becomes of a member that was added, when its reconfig was lost or refused: stand-ins, whose config never changes. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Ensemble } from '../../src/ensemble/ensemble.ts';
import { launch } from '../../src/ensemble/launch.ts';
import { memberFolder } from '../../src/ensemble/layout.ts';
import { EnsemblesOf } from '../../src/ensemble/local.ts';
import { scale } from '../../src/ensemble/scale.ts';
import { lockScale } from '../../src/ensemble/scale-lock.ts';
import { Failure } from '../../src/shell/failure.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { STAND_IN } from './stand-in.ts';

const root = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
const all = new EnsemblesOf({ root, current: undefined, command: STAND_IN });
after(async () => {
  for (const name of all.names()) await all.destroy(name).catch(() => {});
  rmSync(root, { recursive: true, force: true });
});

async function grown(name: string, settings: readonly string[]) {
  const ensemble = await launch({
    path: join(root, name),
    make: {
      name,
      voters: 1,
      observers: 0,
      host: '127.0.0.1',
      basePort: await ownBlock('127.0.0.1', 3),
      exactBase: false,
      data: undefined,
      settings,
    },
    asked: {},
    command: STAND_IN,
    leash: true,
    timeoutMs: PATIENCE_MS,
    signal: new AbortController().signal,
    keep: false,
    note: () => {},
  });
  const said: string[] = [];
  const abort = new AbortController();
  const step = (text: string): void => {
    said.push(text);
    if (text.includes('joins')) setTimeout(() => abort.abort(new Error('C-c')), 2500);
  };
  await assert.rejects(
    scale(ensemble, 2, undefined, { command: STAND_IN, timeoutMs: PATIENCE_MS, signal: abort.signal, step }),
  );
  return { now: new Ensemble(ensemble.folder.path), said: said.join('\n') };
}

test('a reconfig that got lost may still be made: the member runs on, and that is said', async () => {
  const { now, said } = await grown('lost', ['x.reconfig=lost']);
  assert.deepEqual(now.ids, [1, 2]);
  assert.deepEqual(now.running, [1, 2]);
  assert.match(
    said,
    /not known whether member 2 has joined, so it runs on with its files: .* scale lost N finishes it/,
  );
  await all.destroy('lost');
});

test('a reconfig that was refused is none: the member is removed again', async () => {
  const { now, said } = await grown('refused', []);
  assert.deepEqual([now.ids, now.running], [[1], [1]]);
  assert.ok(!existsSync(memberFolder(now.file, 2)));
  assert.equal(said, 'member 2 joins as participant');
  await all.destroy('refused');
});

test('a lock that a scale left behind when it was killed holds nobody up; one that is at work does', () => {
  const folder = mkdtempSync(join(root, '.lock-'));
  writeFileSync(join(folder, 'scale.lock'), `${process.pid}\nan earlier one\n`);
  {
    using _lock = lockScale(folder, 'demo');
    assert.throws(
      () => lockScale(folder, 'demo'),
      (error: unknown) => error instanceof Failure && error.exit === 42 && /being scaled already/.test(error.message),
    );
  }
  assert.deepEqual(readdirSync(folder), []);
});

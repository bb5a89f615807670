/** A history is put into its directories as a whole, or not at all. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ImportWork } from '../../src/offline/import-work.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { StorageRefusal } from '../../src/storage/errors.ts';

/** Two directories and a history in the making. */
function scene(): { data: string; log: string; work: ImportWork } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-work-'));
  const [data, log] = [join(folder, 'data'), join(folder, 'log')];
  const work = new ImportWork(nodeDisk, data, log);
  work.prepare();
  for (const [dir, name] of [
    [work.dataDir, 'identity'],
    [work.logDir, 'log.1'],
  ] as const) {
    mkdirSync(join(dir, 'zoosh-1'));
    writeFileSync(join(dir, 'zoosh-1', name), 'x');
  }
  return { data, log, work, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test('both parts are there, and nothing else', async () => {
  using made = scene();
  mkdirSync(join(made.log, 'zoosh-1')); // an empty one is in nobody's way
  await made.work.refuseTaken('import');
  await made.work.publish();
  assert.deepEqual([readdirSync(made.data), readdirSync(made.log)], [['zoosh-1'], ['zoosh-1']]);
  assert.deepEqual(readdirSync(join(made.data, 'zoosh-1')), ['identity']);
  assert.deepEqual(readdirSync(join(made.log, 'zoosh-1')), ['log.1']);
  await assert.rejects(made.work.refuseTaken('import'), StorageRefusal);
});

test('when one cannot be put in its place the other is taken back', async () => {
  using made = scene();
  writeFileSync(join(made.data, 'zoosh-1'), 'in the way');
  await assert.rejects(made.work.publish());
  assert.equal(existsSync(join(made.log, 'zoosh-1')), false);
  made.work.discard();
  assert.deepEqual([readdirSync(made.data), readdirSync(made.log)], [['zoosh-1'], []]);
});

/** A history is put into its directories as a whole, or not at all. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ImportWork } from '../../src/offline/import-work.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { StorageRefusal } from '../../src/storage/errors.ts';
import { openStorage } from '../../src/storage/open.ts';

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

test('begun anew after it was cut off between the two: what it had put in its place is taken back, and nothing of others', async () => {
  for (const isOwn of [true, false]) {
    using made = scene();
    const { data, log, work } = made;
    const open = async (dataDir: string, logDir: string): Promise<void> => {
      const storage = await openStorage({
        ...{ disk: nodeDisk, dataDir, logDir, sid: 1, forceSync: false, ignoreApacheData: true },
        ...{ random: { below: () => 0, bytes: (count) => randomBytes(count) }, zeroAheadBytes: 0 },
        ...{ onSnapshotChunk: () => {}, onSnapshotEnd: () => {}, onEnvelope: () => {} },
      });
      await storage.setEnsembleId('e');
      await storage.close();
    };
    for (const dir of [work.dataDir, work.logDir]) rmSync(join(dir, 'zoosh-1'), { recursive: true });
    await open(work.dataDir, work.logDir);
    if (isOwn) renameSync(join(work.logDir, 'zoosh-1'), join(log, 'zoosh-1'));
    else {
      await open(join(data, 'other'), join(data, 'another'));
      renameSync(join(data, 'another/zoosh-1'), join(log, 'zoosh-1'));
    }

    const again = new ImportWork(nodeDisk, data, log);
    await again.takeBack();
    if (isOwn) {
      await again.refuseTaken('import');
      assert.equal(existsSync(join(log, 'zoosh-1')), false);
    } else await assert.rejects(again.refuseTaken('import'), StorageRefusal);
    again.discard();
    assert.equal(
      existsSync(join(work.dataDir, 'zoosh-1')),
      true,
      'what was cut off is not removed by who did not begin',
    );
    again.prepare();
    assert.deepEqual(readdirSync(again.dataDir), []);
  }
});

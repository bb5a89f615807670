/** A history is put into its directories as a whole, or not at all. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { ImportWork, sacrificeOf } from '../../src/offline/import-work.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import type { Disk } from '../../src/ports/disk.ts';
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

/** A history of an ensemble in two directories, or one. */
async function history(dataDir: string, logDir: string, ensembleId: string): Promise<void> {
  const storage = await openStorage({
    ...{ disk: nodeDisk, dataDir, logDir, sid: 1, forceSync: false, ignoreApacheData: true },
    ...{ random: { below: () => 0, bytes: (count) => randomBytes(count) }, zeroAheadBytes: 0 },
    ...{ onSnapshotChunk: () => {}, onSnapshotEnd: () => {}, onEnvelope: () => {} },
  });
  await storage.setEnsembleId(ensembleId);
  await storage.close();
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
    for (const dir of [work.dataDir, work.logDir]) rmSync(join(dir, 'zoosh-1'), { recursive: true });
    await history(work.dataDir, work.logDir, 'e');
    if (isOwn) renameSync(join(work.logDir, 'zoosh-1'), join(log, 'zoosh-1'));
    else {
      await history(join(data, 'other'), join(data, 'another'), 'e');
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

test('a sacrifice that was cut off anywhere is begun anew by the same words', async () => {
  for (const isSplit of [true, false])
    for (let cut = 0; cut < (isSplit ? 4 : 2); cut++) {
      const folder = mkdtempSync(join(tmpdir(), 'zoosh-work-'));
      const data = join(folder, 'data');
      const log = isSplit ? join(folder, 'log') : data;
      const [given, made] = ['0123456789abcdef', 'fedcba9876543210'];
      try {
        mkdirSync(data);
        mkdirSync(log, { recursive: true });
        // one that was given up long ago lies there, too, and is no part of this
        mkdirSync(join(log, `zoosh-1.sacrificed-${given.slice(0, 8)}`));
        await history(data, log, given);
        // cut off: nothing is done any more, and nothing taken back
        let left = cut;
        const gone = (): never => {
          throw new Error('cut off');
        };
        const disk: Disk = Object.create(nodeDisk, {
          rename: {
            value: (from: string, to: string): Promise<void> =>
              left < 0 || (basename(from) === 'zoosh-1' && left-- === 0) ? gone() : nodeDisk.rename(from, to),
          },
        });
        const work = new ImportWork(disk, data, log);
        work.prepare();
        await history(work.dataDir, work.logDir, made);
        const sacrifice = await sacrificeOf(disk, data, log, given);
        await assert.rejects(work.publish(sacrifice), /cut off/);

        const again = new ImportWork(nodeDisk, data, log);
        await again.takeBack();
        const found = await sacrificeOf(nodeDisk, data, log, given);
        assert.equal(found?.ensembleId, given, `cut ${cut}`);
        again.prepare();
        await history(again.dataDir, again.logDir, made);
        const aside = await again.publish(found);
        assert.equal(aside.length, isSplit ? 2 : 1);
        assert.equal((await sacrificeOf(nodeDisk, data, log, made))?.ensembleId, made);
        const names = [...new Set([data, log])].flatMap((dir) => readdirSync(dir)).sort();
        const old = 'zoosh-1.sacrificed-01234567';
        assert.deepEqual(names, isSplit ? ['zoosh-1', 'zoosh-1', old, old, `${old}.2`] : ['zoosh-1', old, `${old}.2`]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
});

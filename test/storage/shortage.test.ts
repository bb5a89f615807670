/** Too many open files: nothing is wrong with the disk, and nothing is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { Disk } from '../../src/ports/disk.ts';
import { DiskError } from '../../src/ports/disk.ts';
import { logName } from '../../src/storage/files.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, grow, plain, Replica } from './histories.ts';

/** The disk of a process that may open nothing more while `code` says why. */
function scarce(disk: SimDisk, calls: readonly string[]) {
  const shortage = { code: undefined as string | undefined, met: 0 };
  const meets = (call: string, path: string): void => {
    if (shortage.code === undefined || !calls.includes(call)) return;
    shortage.met++;
    throw new DiskError(shortage.code, path, call);
  };
  const plug = (): Disk => {
    const plugged = SimDisk.prototype.plug.call(disk);
    return {
      ...plugged,
      open: async (path, options) => {
        meets('open', path);
        return plugged.open(path, options);
      },
      syncDir: async (path) => {
        meets('sync folder', path);
        return plugged.syncDir(path);
      },
    };
  };
  disk.plug = plug;
  return shortage;
}

for (const [code, call] of [
  ['EMFILE', 'open'],
  ['ENFILE', 'sync folder'],
] as const)
  test(`no next log file for want of descriptors (${code} at ${call}): the present one stays, and the next try makes it`, async () => {
    const disk = new SimDisk(seededRandom(1));
    const shortage = scarce(disk, [call]);
    const member = await Replica.open(disk, seededRandom(1));
    const { log } = member.storage;
    const history = grow([], 12, seededRandom(2));
    await member.write(history.slice(0, 4));
    const before = disk.paths();
    shortage.code = code;
    assert.equal((await log.roll())?.code, code);
    assert.ok(shortage.met > 0);
    assert.deepEqual(disk.paths(), before);
    // due again when as much was written once more, and not at once
    assert.equal(log.bytesSinceRoll, 0);
    await member.write(history.slice(4, 8));
    assert.ok(log.bytesSinceRoll > 0);
    assert.equal((await log.roll())?.code, code);
    shortage.code = undefined;
    assert.equal(await log.roll(), undefined);
    assert.equal(log.list.files.length, 2);
    await member.write(history.slice(8));
    await member.storage.close();
    assert.equal((await Replica.open(disk, seededRandom(3))).holds(history), history.length);
  });

test('a damaged member that may open nothing more forgets nothing of what it promised: it starts when it may again', async () => {
  const disk = new SimDisk(seededRandom(1));
  const history = grow([], 6, seededRandom(2));
  const whole = await Replica.open(disk, seededRandom(1));
  await whole.write(history.slice(0, 3));
  await whole.storage.storeEpochs(4, 4);
  await whole.storage.log.roll();
  await whole.write(history.slice(3));
  await whole.storage.close();
  const { incarnation, logs } = whole.storage.identity;
  disk.flip(`/log/zoosh-1/${logName(logs[0] as (typeof logs)[0])}`, 700, 1);
  const newest = `/log/zoosh-1/${logName(logs.at(-1) as (typeof logs)[0])}`;
  // its headers say what it may have acknowledged
  disk.fault = (call, path) => (call === 'open' && path === newest ? 'EMFILE' : undefined);
  await assert.rejects(Replica.open(disk, seededRandom(3)), /EMFILE/);
  disk.fault = () => undefined;
  const { storage } = await Replica.open(disk, seededRandom(4));
  assert.deepEqual([storage.identity.incarnation, storage.identity.acceptedEpoch], [incarnation, 4]);
  assert.deepEqual(storage.damage?.mayHaveAcked, history.at(-1)?.zxid);
});

test('what fails otherwise, or behind the change of the list, ends the log as before', async () => {
  for (const [code, calls] of [
    ['EIO', ['open']],
    ['EMFILE', ['open']],
  ] as const) {
    const disk = new SimDisk(seededRandom(1));
    const shortage = scarce(disk, calls);
    const member = await Replica.open(disk, seededRandom(1));
    const history: Entry[] = grow([], 4, seededRandom(2));
    await member.write(history);
    let failed: Error | undefined;
    member.storage.log.onFailed = (error) => {
      failed = error;
    };
    shortage.code = code;
    // a cut must be made: nobody may go on from what is behind it
    const asked = code === 'EIO' ? member.storage.log.roll() : member.storage.truncate(2, plain(history[1] as Entry));
    await assert.rejects(asked, { code });
    assert.match(failed?.message ?? '', new RegExp(code));
  }
});

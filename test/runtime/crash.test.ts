/** Power cuts of a whole server on a simulated machine; all chance comes from one seed (ZOOSH_SEED replays it). */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { Disk } from '../../src/ports/disk.ts';
import { amount } from '../amount.ts';
import { goOnUntil } from '../patience.ts';
import { Machine } from '../sim/machine.ts';
import { inWorkers } from '../sim/workers.ts';
import { type History, history, LIVES } from './histories.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const HISTORIES = amount(50, 16);
const POWER_CUTS = (HISTORIES * LIVES * 4) / 5;

test(`${POWER_CUTS} power cuts of a whole server lose nothing acknowledged`, async () => {
  const sum = { acknowledged: 0, inFlight: 0, survived: 0, calls: 0 };
  const during: Record<string, number> = {};
  const seeds = Array.from({ length: HISTORIES }, (_, i) => seed + i);
  const halves = [seeds.slice(0, HISTORIES / 2), seeds.slice(HISTORIES / 2)];
  const all = (await inWorkers<History[]>(new URL('./histories.js', import.meta.url), halves)).flat();
  for (const [i, { faults, during: own, ...counts }] of all.entries()) {
    assert.deepEqual(faults, [], `ZOOSH_SEED=${seed + i}`);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += counts[key];
    for (const [what, count] of Object.entries(own)) during[what] = (during[what] ?? 0) + count;
  }
  console.log(
    `power cuts: ${POWER_CUTS}, other ends: ${HISTORIES * LIVES - POWER_CUTS} (seed ${seed}), calls of the disk: ${sum.calls}, acknowledged writes: ${sum.acknowledged}, in flight: ${sum.inFlight} of which ${sum.survived} were done, lost: 0; the last file made or removed: ${JSON.stringify(during)}`,
  );
  assert.ok(sum.acknowledged > 400 * HISTORIES && sum.inFlight > 40 * HISTORIES && sum.survived > HISTORIES / 2);
  for (const what of ['identity', 'snapshot', 'log', 'purge'])
    assert.ok((during[what] ?? 0) > (2 * HISTORIES) / 5, what);
});

test('one seed is one history', async () => {
  const [first, second, other] = [await history({ seed }), await history({ seed }), await history({ seed: seed + 1 })];
  assert.deepEqual(first, second);
  assert.notDeepEqual(first, other);
});

test('a disk that does not keep what it said it had is seen to lose', async () => {
  const RUNS = 20;
  /** Of a history without O_DSYNC: nearly always seen to lose from outside, in every fourth by the node itself. */
  const lacking = async (i: number): Promise<string[]> => {
    const wrap = (disk: Disk): Disk => ({
      ...disk,
      open: (path, options) => disk.open(path, { ...options, dsync: false }),
    });
    return (await history({ seed: seed + i, wrap })).faults;
  };
  const lost = { 'no sync at all': 0, 'no O_DSYNC': 0 };
  let misread = 0;
  const look = (faults: readonly string[]): void => {
    if (faults.some((fault) => fault.includes('was acknowledged'))) misread++;
  };
  for (let i = 0; i < RUNS; i++) {
    if ((await history({ seed: seed + i, syncs: false })).faults.length > 0) lost['no sync at all']++;
    const faults = await lacking(i);
    if (faults.length > 0) lost['no O_DSYNC']++;
    look(faults);
  }
  // 0.755 ** 100 is less than one in 10 ** 12
  await goOnUntil(
    () => misread > 0,
    80,
    async (i) => look(await lacking(RUNS + i)),
  );
  console.log(`of ${RUNS} histories each: ${JSON.stringify(lost)} were seen to lose, ${misread} by a node itself`);
  assert.ok(lost['no sync at all'] >= 12 && lost['no O_DSYNC'] >= 12 && misread > 0);
});

/** What fails, how, where, and whether the server can go on without it: a log that failed is never tried again (D10). */
const FAILURES = [
  ['write', 'EIO', '/log/zoosh-1/log.', 'stops'],
  ['write', 'ENOSPC', '/log/zoosh-1/log.', 'stops'],
  ['sync', 'EIO', '/log/zoosh-1/log.', 'stops'],
  ['syncDir', 'EIO', '/log/zoosh-1', 'stops'],
  ['write', 'ENOSPC', '/log/zoosh-1/identity', 'stops'],
  ['sync', 'EIO', '/data/zoosh-1/identity', 'stops'],
  ['write', 'EIO', '/', 'stops'],
  ['write', 'ENOSPC', '/', 'stops'],
  ['sync', 'EIO', '/', 'stops'],
  ['write', 'ENOSPC', '/data/zoosh-1/snapshot.', 'goes on'],
  ['write', 'EIO', '/data/zoosh-1/snapshot.', 'goes on'],
  ['sync', 'EIO', '/data/zoosh-1/snapshot.', 'goes on'],
] as const;

test('a disk that fails: nothing acknowledged is lost, nothing more is acknowledged, the reason is told', async () => {
  const ROUNDS = amount(6, 3);
  const counts = { stopped: 0, refused: 0, 'went on': 0 };
  /** `atStart`: it fails before it serves, which chance has every third do anyway. */
  const fail = async (own: number, [call, code, place, outcome]: (typeof FAILURES)[number], atStart = false) => {
    const told = `ZOOSH_SEED=${own}, ${code} at ${call} of ${place}`;
    await using machine = new Machine({ seed: own });
    const { disk, random, net } = machine.world;
    const turns = async (most: number, enough: () => boolean = () => false): Promise<void> => {
      for (let turn = 0; turn < most && !enough(); turn++) await machine.turn();
    };
    const arm = (after: number): void => {
      let left = random.below(after);
      disk.fault = (doing, path) => (doing === call && path.startsWith(place) && left-- <= 0 ? code : undefined);
    };
    assert.deepEqual(await machine.live(() => turns(100)), [], told);
    machine.world.crash();
    const early = outcome === 'stops' && (random.below(3) === 0 || atStart);
    if (early) arm(4);
    const refusal = await machine.live(async () => {
      if (!early) arm(10);
      await turns(5000, () => outcome === 'goes on' && machine.errors.length >= 3);
    });
    const acknowledged = (): number => machine.load?.acknowledged ?? 0;
    let before = acknowledged();
    if (refusal.length > 0) {
      assert.ok(early, told);
      assert.match(
        refusal.join(),
        new RegExp(`^the data directory cannot be used: .*: (?:.* \\()?${code}\\)?[.] Check`),
        told,
      );
      counts.refused++;
    } else if (outcome === 'stops') {
      assert.match(
        machine.failures[0] ?? '',
        new RegExp(`^(write|sync|sync folder) ${place}.*: (?:.* \\()?${code}\\)?$`),
        told,
      );
      await turns(1000, () => !net.busy); // replies sent before
      before = acknowledged();
      await turns(100);
      assert.equal(acknowledged(), before, `${told}: a write was acknowledged afterwards`);
      counts.stopped++;
    } else {
      assert.match(
        machine.errors[2] ?? '',
        new RegExp(`^snapshot failed: .*${place}.*: (?:.* \\()?${code}\\)?$`),
        told,
      );
      await turns(200, () => acknowledged() > before);
      assert.ok(acknowledged() > before, `${told}: nothing more was acknowledged`);
      assert.deepEqual(machine.failures, []);
      const left = disk.paths().filter((path) => path.includes('snapshot.') && path.endsWith('.tmp'));
      assert.ok(left.length <= 1, `${told}: parts of snapshots take the room of a full disk: ${left}`);
      counts['went on']++;
    }
    disk.fault = () => undefined;
    if (random.below(2) === 0) disk.powerCut();
    else machine.world.crash();
    assert.deepEqual(await machine.live(() => turns(50)), [], told);
  };
  for (let i = 0; i < ROUNDS; i++) for (const [j, each] of FAILURES.entries()) await fail(seed + i * 100 + j, each);
  // a process ended within a purge, the next start removed the file, failed, and power was cut: the file was listed again
  await fail(917_087, FAILURES[8]);
  await goOnUntil(
    () => counts.refused > 1,
    100,
    (at) => fail(seed + 1000 + at, FAILURES[at % 9] ?? FAILURES[0], true),
  );
  console.log(`failing disks (seed ${seed}): ${JSON.stringify(counts)}, acknowledged writes lost: 0`);
  // of nine a round that stop two in three do when they serve: what is asked for is five deviations below and more
  assert.ok(counts.stopped > amount(15, 4) && counts.refused > 1 && counts['went on'] === 3 * ROUNDS);
});

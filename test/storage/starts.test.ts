/** The tags of starts: which are kept, when they are on the disk, and what stands for those that are dropped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { decodeIdentity, encodeIdentity, newIdentity } from '../../src/storage/identity.ts';
import { MAX_BOOT_TAGS, type Starts, startsWith } from '../../src/storage/starts.ts';
import { SimDisk } from '../sim/disk.ts';
import { Replica } from './histories.ts';

const tagged = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i}`);
const at = (hi: number, lo: number) => ({ hi, lo });
const COPIES = ['/data/zoosh-1/identity', '/log/zoosh-1/identity'];
/** What a power cut now may leave of the tags, in either copy. */
const afterPowerCut = (disk: SimDisk): string[][] =>
  COPIES.flatMap((path) => disk.afterPowerCut(path)).map((bytes) => [...decodeIdentity(bytes as Buffer).bootTags]);

test('13.9: starts of which nobody is told leave no tag, so that none that was seen is ever dropped for them', async () => {
  const disk = new SimDisk(seededRandom(1));
  const seen = await Replica.open(disk, seededRandom(2));
  await seen.storage.tellStart();
  await seen.storage.close();
  const { bootTag } = seen.storage;
  for (let i = 0; i < MAX_BOOT_TAGS + 4; i++) {
    const { storage } = await Replica.open(disk, seededRandom(3 + i));
    assert.deepEqual(storage.toldStarts.bootTags, [bootTag, storage.bootTag]);
    assert.deepEqual(storage.identity.bootTags, [bootTag]);
    assert.notEqual(storage.bootTag, bootTag);
    await storage.close();
  }
});

test('13.9: the tag of a start is in both copies before others are told of it, with an epoch or without', async () => {
  for (const tell of ['alone', 'with an epoch'] as const) {
    const disk = new SimDisk(seededRandom(1));
    const { storage } = await Replica.open(disk, seededRandom(2));
    assert.equal(storage.isTold, false);
    if (tell === 'alone') await storage.tellStart();
    else await storage.storeEpochs(1, 0);
    assert.equal(storage.isTold, true);
    for (const tags of afterPowerCut(disk)) assert.deepEqual(tags, [storage.bootTag], tell);
    const { write } = storage.identity;
    await storage.tellStart();
    assert.equal(storage.identity.write, write, 'it is told once');
  }
});

test('13.9: only tags before the one that the own log saw last are dropped, and when there is no room for more', () => {
  const upTo = at(3, 7);
  const few: Starts = { bootTags: tagged(MAX_BOOT_TAGS - 1), startsUpTo: null };
  const full = startsWith(few, 'last', { tag: 't9', at: upTo });
  assert.deepEqual([full.bootTags.length, full.startsUpTo], [MAX_BOOT_TAGS, null], 'nothing is dropped before');
  const next = startsWith(full, 'next', { tag: 't250', at: upTo });
  assert.deepEqual(next, { bootTags: [...full.bootTags.slice(250), 'next'], startsUpTo: upTo });
  const again = startsWith({ bootTags: tagged(MAX_BOOT_TAGS), startsUpTo: at(5, 1) }, 'x', { tag: 't3', at: at(4, 9) });
  assert.deepEqual(again.startsUpTo, at(5, 1), 'what is known of starts does not go back');
});

test('13.9: where every tag may be the one that others saw last, a start goes under the last of them', () => {
  const full: Starts = { bootTags: tagged(MAX_BOOT_TAGS), startsUpTo: null };
  assert.deepEqual(startsWith(full, 'next', undefined), full);
  assert.deepEqual(startsWith(full, 'next', { tag: 't0', at: at(1, 2) }), { ...full, startsUpTo: at(1, 2) });
  // a record that lacks the start which its own log saw last is an older copy, laid beside newer files: it claims nothing more
  assert.deepEqual(startsWith(full, 'next', { tag: 'gone', at: at(1, 2) }), full);
});

test('a record says up to where it knows its starts only when it dropped some, and one without that is read', () => {
  const before = newIdentity(1, 'aa');
  const same = decodeIdentity(encodeIdentity(before));
  assert.deepEqual(same, before);
  assert.ok(!encodeIdentity(before).includes('startsUpTo'));
  const after = { ...before, startsUpTo: at(2, 0xffff_0001) };
  assert.deepEqual(decodeIdentity(encodeIdentity(after)), after);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bag } from '../../src/base/bag.ts';
import { seededRandom } from '../../src/base/random.ts';

interface Member {
  readonly name: number;
  place: number;
}

test('whoever comes is in it once, whoever leaves is not, in any order', () => {
  const random = seededRandom(7);
  const bag = new Bag<Member>();
  const members = Array.from({ length: 50 }, (_, name): Member => ({ name, place: -1 }));
  const model = new Set<Member>();
  for (let turn = 0; turn < 5000; turn++) {
    const member = members[random.below(members.length)] as Member;
    if (random.below(2) === 0) {
      bag.add(member);
      model.add(member);
    } else {
      bag.delete(member);
      model.delete(member);
    }
    assert.equal(bag.size, model.size);
    if (turn % 50 === 0) assert.deepEqual(new Set(bag), model);
  }
  assert.equal([...bag].length, model.size);
});

test('a walk meets those who were there when it began, whoever leaves meanwhile', () => {
  const bag = new Bag<Member>();
  const members = Array.from({ length: 9 }, (_, name): Member => ({ name, place: -1 }));
  for (const member of members) bag.add(member);
  const met: number[] = [];
  for (const member of bag) {
    met.push(member.name);
    bag.delete(member);
  }
  assert.deepEqual(met, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(bag.size, 0);
});

test('what came and went is young garbage, also once the bag is old', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how?: { type: 'minor' }) => void;
  interface Heavy extends Member {
    readonly load: readonly number[];
  }
  const left = (set: { add(member: Heavy): unknown; delete(member: Heavy): unknown }): number => {
    const inside: Heavy[] = [];
    collect();
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let name = 0; name < 40_000; name++) {
      const member: Heavy = { name, place: -1, load: Array.from({ length: 100 }, () => name) };
      set.add(member);
      inside.push(member);
      if (inside.length > 100) set.delete(inside.shift() as Heavy);
      if (name % 500 === 0) collect({ type: 'minor' });
    }
    return process.memoryUsage().heapUsed - before;
  };
  const ofBag = left(new Bag<Heavy>());
  const ofSet = left(new Set<Heavy>());
  console.log(`${ofBag} bytes left behind by a bag, ${ofSet} by a Set`);
  assert.ok(ofBag < 2e6, `${ofBag} bytes`);
});

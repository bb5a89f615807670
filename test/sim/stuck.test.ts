/** The checker of leaders whose log hangs is shown what is right and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Verdicts } from './check/verdicts.ts';
import type { Member } from './run/member.ts';
import { decide } from './run/shares.ts';
import { Stuck } from './run/stuck.ts';

function scene() {
  let now = 0;
  const verdicts = new Verdicts(() => now);
  const members = [1, 2, 3].map((sid) => ({
    sid,
    host: { name: `m${sid}`, alive: true, paused: false, life: 1 },
    program: { leads: sid === 3 ? 7 : undefined, serves: true, epoch: 7 },
    isHung: sid === 3,
    well: true,
    isWell() {
      return this.well;
    },
  }));
  const named = new Map([1, 2, 3].map((sid) => [sid, `i${sid}`]));
  let troubled = '';
  const stuck = new Stuck(
    {
      members: members as unknown as Member[],
      configs: { voters: [1, 2, 3], incarnationOf: (sid) => `i${sid}`, decides: decide },
      verdicts,
      links: { isTroubled: (_a, b) => b === troubled },
      incarnationOf: (sid) => named.get(sid) ?? '',
      knowsMembers: () => true,
      tickMs: 100,
      now: () => now,
    },
    100,
  );
  const pass = (ms: number): number => {
    for (const end = now + ms; now < end; now += 10) stuck.look();
    return verdicts.violations.length;
  };
  const at = (sid: number) => members[sid - 1] as (typeof members)[0];
  return { pass, at, named, trouble: (name: string) => void (troubled = name) };
}

test('stuck: a leader whose log hangs must not lead for long while the others could go on', () => {
  const one = scene();
  assert.equal(one.pass(90), 0, 'not yet');
  assert.equal(one.pass(40), 1);

  const back = scene();
  back.pass(80);
  back.at(3).isHung = false;
  assert.equal(back.pass(50), 0);
  back.at(3).isHung = true;
  assert.equal(back.pass(80), 0, 'it is counted anew');
});

test('stuck: where the others could not, or are not known to be able to, it may lead on', () => {
  for (const spoil of [
    (it: ReturnType<typeof scene>) => void (it.at(1).host.alive = false),
    (it: ReturnType<typeof scene>) => void (it.at(1).host.paused = true),
    (it: ReturnType<typeof scene>) => void (it.at(1).program.epoch = 6),
    (it: ReturnType<typeof scene>) => void (it.at(1).program.serves = false),
    (it: ReturnType<typeof scene>) => void (it.at(1).well = false),
    (it: ReturnType<typeof scene>) => void it.named.set(1, 'new'),
    (it: ReturnType<typeof scene>) => it.trouble('m1'),
    (it: ReturnType<typeof scene>) => void (it.at(3).host.paused = true),
    (it: ReturnType<typeof scene>) => void (it.at(3).host.alive = false),
  ]) {
    const it = scene();
    spoil(it);
    assert.equal(it.pass(1000), 0, String(spoil));
  }
});

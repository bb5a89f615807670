/** The checker of leaders without a quorum is shown what is right and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Verdicts } from './check/verdicts.ts';
import { Lonely } from './run/lonely.ts';
import type { Member } from './run/member.ts';
import { decide } from './run/shares.ts';

function scene() {
  let now = 0;
  const verdicts = new Verdicts(() => now);
  const members = [1, 2, 3].map((sid) => ({
    sid,
    host: { alive: true, paused: false, life: 1 },
    program: { leads: sid === 3 ? 7 : undefined },
  }));
  const named = new Map([1, 2, 3].map((sid) => [sid, `i${sid}`]));
  let knows = true;
  const lonely = new Lonely(
    {
      members: members as unknown as Member[],
      configs: { voters: [1, 2, 3], incarnationOf: (sid) => `i${sid}`, decides: decide },
      verdicts,
      incarnationOf: (sid) => named.get(sid) ?? '',
      knowsMembers: () => knows,
      now: () => now,
    },
    100,
  );
  const pass = (ms: number): number => {
    for (const end = now + ms; now < end; now += 10) lonely.look();
    return verdicts.violations.length;
  };
  const host = (sid: number) => (members[sid - 1] as (typeof members)[0]).host;
  return { pass, host, named, forgets: () => void (knows = false) };
}

test('lonely: a leader whose voters are gone, or came back as others, must not lead for long', () => {
  const one = scene();
  one.host(1).alive = false;
  assert.equal(one.pass(1000), 0, 'two of three are there');
  one.host(2).alive = false;
  assert.equal(one.pass(90), 0, 'not yet');
  assert.equal(one.pass(40), 1);

  const other = scene();
  other.named.set(1, 'new');
  other.named.set(2, 'new');
  assert.equal(other.pass(200), 1, 'they run, and have no vote');

  const back = scene();
  back.host(1).alive = false;
  back.host(2).alive = false;
  back.pass(80);
  back.host(2).alive = true;
  assert.equal(back.pass(50), 0);
  back.host(2).alive = false;
  assert.equal(back.pass(80), 0, 'it is counted anew');
});

test('lonely: a leader that stands still, ended, or does not know who votes, cannot step down', () => {
  for (const spoil of [
    (it: ReturnType<typeof scene>) => void (it.host(3).paused = true),
    (it: ReturnType<typeof scene>) => void (it.host(3).alive = false),
    (it: ReturnType<typeof scene>) => it.forgets(),
  ]) {
    const it = scene();
    it.host(1).alive = false;
    it.host(2).alive = false;
    spoil(it);
    assert.equal(it.pass(1000), 0);
  }
});

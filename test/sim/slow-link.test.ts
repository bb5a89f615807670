/** A snapshot that takes longer on its way than anything else may take arrives, whoever waits for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story } from './hist/story.ts';
import { nameOfServer } from './run/member.ts';

const NODES = 3;
const NODE_BYTES = 900_000;
/** Bytes a ms from the leader to its learner: all of it takes three times as long as initLimit. */
const RATE = 450;

/** A server was away while much was written, and is to be given all of it over a narrow link. */
async function falls(it: Story, away: number, lost: boolean): Promise<void> {
  const { links } = it.ensemble.network;
  it.start();
  await it.serving();
  const client = it.clientOf(3);
  await it.write(client);
  const has = 3;
  it.crash(false, away);
  await it.leader();
  for (let i = 0; i < NODES; i++) assert.ok(await it.write(it.clientOf(has), 'x'.repeat(NODE_BYTES)));
  for (let i = 0; i < 24; i++) await it.write(it.clientOf(has));
  await it.run(2000);
  // what is remembered after a start does not reach back
  it.crash(false);
  if (lost) it.out.add(2);
  for (const sid of it.others(away)) links.cap(nameOfServer(sid), nameOfServer(away), RATE);
}
const PLAN = { commitLogCount: 10, snapCount: 10 };

async function story(observers: number, lost: boolean): Promise<void> {
  using it = new Story({ seed: 5, plan: { observers, ...PLAN } });
  const away = observers > 0 ? 4 : 1;
  await falls(it, away, lost);
  const began = it.ensemble.scheduler.now;
  it.start();
  await it.serving(away);
  const took = it.ensemble.scheduler.now - began;
  assert.ok(took > 2 * 10 * it.plan.tickMs, `${took} ms: it was to be slow`);
  assert.ok(took < (NODES * NODE_BYTES) / RATE + 3000, `${took} ms: it was sent once`);
  assert.equal(it.ensemble.acks.synchronised.SNAP, 1);
  assert.notEqual(await it.write(it.clientOf(away)), undefined);
  it.out.clear();
  await it.end();
  assert.deepEqual(it.violations, []);
}

test('slow_link: a voter that the quorum needs is given a snapshot that takes longer than initLimit', () =>
  story(0, true));
test('slow_link: an observer is given a snapshot that takes longer than initLimit', () => story(1, false));

test('slow_link: a snapshot whose link breaks goes on behind what came before', async () => {
  using it = new Story({ seed: 5, plan: { observers: 1, ...PLAN } });
  await falls(it, 4, false);
  const began = it.ensemble.scheduler.now;
  it.start();
  const alone = (NODES * NODE_BYTES) / RATE;
  const breaks = 4;
  for (let i = 0; i < breaks; i++) {
    await it.run(alone / (breaks + 1));
    let broken = 0;
    for (const stream of [...it.ensemble.network.streams])
      if (stream.channel === 'quorum' && stream.ends.some(({ host }) => host.name === nameOfServer(4))) {
        stream.break(2);
        broken++;
      }
    assert.equal(broken, 1, 'there was a link to break');
  }
  await it.serving(4);
  const took = it.ensemble.scheduler.now - began;
  assert.equal(it.ensemble.acks.synchronised.SNAP, 1 + breaks);
  assert.equal(it.ensemble.acks.resumed, breaks);
  assert.ok(took > alone && took < 1.6 * alone, `${took} ms, where one alone takes ${alone}`);
  assert.notEqual(await it.write(it.clientOf(4)), undefined);
  await it.end();
  assert.deepEqual(it.violations, []);
});

test('slow_link: a voter that dies again and again, and begins its snapshot anew, keeps nobody in a term that nothing comes of', async () => {
  using it = new Story({ seed: 5, plan: PLAN });
  await falls(it, 1, true);
  const initMs = 10 * it.plan.tickMs;
  const epoch = (): number => it.member(3).program?.epoch ?? 0;
  it.start();
  await it.run(initMs);
  const first = epoch();
  for (let i = 0; i < 10; i++) {
    it.crash(false, 1);
    it.start(1);
    await it.run(0.9 * initMs);
  }
  assert.ok(epoch() - first >= 2, `${epoch() - first} terms ended`);
  // once it lives on it is given all of it
  await it.serving(1);
  it.out.clear();
  await it.end();
  assert.deepEqual(it.violations, []);
});

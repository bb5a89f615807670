/** Members change while one of them is away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Story } from './hist/story.ts';
import { SimClient } from './run/client.ts';
import { SUPER } from './run/config.ts';
import { Coverage } from './run/coverage.ts';
import { DiskHarm } from './run/disk-harm.ts';
import type { Ensemble } from './run/ensemble.ts';
import { nameOfServer, PORT } from './run/member.ts';
import { decide } from './run/shares.ts';
import { Supervisor } from './run/supervisor.ts';

const line = (sid: number): string =>
  `server.${sid}=${nameOfServer(sid)}:${PORT.quorum}:${PORT.election}:participant;${PORT.client}`;

test('a member that was away finds a leader that was made a member meanwhile', async () => {
  using story = new Story({ seed: 1, plan: { spares: 2, reconfigures: true } });
  const { ensemble } = story;
  story.start();
  await story.serving();
  const operator = new SimClient(90, ensemble, story.plan.sessionMs, story.sids, [SUPER]);
  const leader = await story.leader();
  const [away = 1, other = 2] = story.others(leader, 4, 5);
  await story.write(story.clientOf());
  story.crash(false, away);
  const change = async (sids: number[], request: { joining?: string; leaving?: string }): Promise<void> => {
    ensemble.configs.ask(new Map(sids.map((sid) => [sid, 'participant'])));
    await story.settled(operator.get().then((client) => client.reconfig(request)));
    await story.until(`${sids} are the members`, () => ensemble.configs.roles.size === sids.length);
    await story.run(10 * story.plan.tickMs);
  };
  await change([1, 2, 3, 4, 5], { joining: `${line(4)},${line(5)}` });
  await change([away, 4, 5], { leaving: `${leader},${other}` });
  await story.until('one of the new leads', () => (ensemble.leader?.sid ?? 0) > 3);
  story.start(away);
  await story.serving(away);
  await story.end();
  assert.deepEqual(story.violations, []);
});

test('a leader goes on in its term when two of three voters are replaced at once by servers that learn from it', async () => {
  for (const seed of [1, 3, 5]) {
    using story = new Story({
      seed,
      plan: { spares: 2, reconfigures: true, tickMs: 2000, sessionMs: 20_000, logMs: 400 },
    });
    const { ensemble } = story;
    story.start();
    await story.serving();
    await story.write(story.clientOf());
    await story.run(4 * story.plan.tickMs);
    const leader = await story.leader();
    const epoch = story.member(leader).program?.leads;
    const gone = story.others(leader, 4, 5);
    const sids = [leader, 4, 5].sort();
    ensemble.configs.ask(new Map(sids.map((sid) => [sid, 'participant'])));
    const operator = new SimClient(90, ensemble, story.plan.sessionMs, story.sids, [SUPER]);
    const request = { joining: `${line(4)},${line(5)}`, leaving: gone.join() };
    await story.settled(operator.get().then((client) => client.reconfig(request)));
    await story.run(3 * story.plan.tickMs);
    assert.equal(ensemble.configs.roles.size, 3);
    assert.equal(story.member(leader).program?.leads, epoch, `seed ${seed}`);
    assert.deepEqual(story.violations, []);
  }
});

/** Server 4 observes; it is made a voter while it is away, after `before`, and then one of the others is lost for good. */
async function voterWhileAway(before: (story: Story) => Promise<void>): Promise<Story> {
  const story = new Story({ seed: 7, plan: { observers: 1, reconfigures: true } });
  const { ensemble } = story;
  story.start();
  await story.serving();
  await story.write(story.clientOf());
  await before(story);
  story.crash(false, 4);
  await story.leader();
  ensemble.configs.ask(new Map([1, 2, 3, 4].map((sid) => [sid, 'participant'])));
  const operator = new SimClient(90, ensemble, story.plan.sessionMs, [1, 2, 3], [SUPER]);
  await story.settled(operator.get().then((client) => client.reconfig({ joining: line(4) })));
  await story.until('it is a voter', () => ensemble.configs.voters.length === 4);
  story.crash(false);
  story.start(1, 3, 4);
  await story.until('three of four lead', () => ensemble.leader?.program?.serves === true);
  assert.notEqual(await story.write(story.clientOf(1, 3)), undefined);
  await story.end();
  return story;
}

test('an observer whose directory was emptied has its vote, though it was made a voter while it was away', async () => {
  using story = await voterWhileAway(async (story) => {
    story.wipe(4);
    story.start(4);
    await story.serving(4);
    await story.admitted(4);
  });
  assert.deepEqual(story.violations, []);
});

test('who was away while others were admitted votes for those whom its own log does not know', async () => {
  using story = await voterWhileAway(async (story) => {
    story.crash(false, 4);
    for (const sid of [1, 3]) {
      story.wipe(sid);
      story.start(sid);
      await story.serving(sid);
      await story.admitted(sid);
    }
  });
  assert.deepEqual(story.violations, []);
});

test('a leader steps down though a voter came back without its directory; once the other is there it goes on', async () => {
  for (const both of [false, true]) {
    using story = new Story({ seed: 9 });
    const { ensemble } = story;
    story.start();
    await story.serving();
    await story.write(story.clientOf());
    const leader = await story.leader();
    const [one = 1, two = 2] = story.others(leader);
    story.crash(false, one, two);
    story.wipe(one);
    story.start(one);
    // within the time that a leader waits for those who hung up: it is given all, and a record lists it anew
    await story.run(3 * story.plan.tickMs);
    if (both) story.crash(false, one);
    await story.run(30 * story.plan.tickMs);
    assert.equal(story.member(leader).program?.leads, undefined, 'nobody else has a vote');
    assert.deepEqual(story.violations, []);
    story.start();
    await story.serving();
    assert.ok(ensemble.leader);
    await story.end();
    assert.deepEqual(story.violations, []);
  }
});

test('a member that is stopped while it reads its directory again leaves the directory when it says so', async () => {
  for (let delay = 0; delay < 205; delay += 20) {
    using story = new Story({ seed: 3 });
    story.start();
    await story.serving();
    const [sid = 1] = story.others(await story.leader());
    const { disk, host, program } = story.member(sid);
    disk.room = 0;
    disk.fault = (call) => (call === 'write' ? 'ENOSPC' : undefined);
    await story.write(story.clientOf());
    await story.until('its disk is full', () => program?.serves === false);
    await story.run(5 * story.plan.tickMs); // it tries again every tick
    disk.fault = () => undefined;
    disk.room = 1e12;
    await story.run(delay);
    let calls = -1;
    host.enter(() => {
      program?.stop().then(() => {
        calls = disk.calls;
      });
    });
    await story.until('it has stopped', () => calls >= 0);
    await story.run(10 * story.plan.tickMs);
    assert.equal(disk.calls, calls, `asked to stop ${delay} ms after there was room`);
    assert.deepEqual(story.violations, []);
  }
});

test('a member that the operator emptied counts as lost, also where the harm that let them did nothing', async () => {
  using story = new Story({ seed: 5 });
  const { ensemble } = story;
  story.start();
  await story.serving();
  const harm = new DiskHarm(ensemble, new Coverage(), async () => undefined);
  const client = story.clientOf();
  for (let i = 0; i < 2 * story.plan.snapCount; i++) await story.write(client);
  assert.ok(harm.misdirectRead(seededRandom(1)));
  const [sid = 0] = harm.harmed.keys();
  const member = story.member(sid);
  member.disk.misread = undefined;
  member.state = 'refused';
  member.start = () => {};
  const supervisor = new Supervisor(ensemble, harm, 20);
  supervisor.start();
  await story.until('it is empty', () => member.disk.paths().length === 0);
  supervisor.stop();
  harm.calm();
  assert.deepEqual([harm.isLost(sid), harm.isHealthy(sid)], [true, false]);
});

test('a voter that counts as what it was before its directory was emptied is not among those who are left', () => {
  const harmed = (own: string, seed: number): number[] => {
    const ensemble = {
      members: [1, 2, 3].map((sid) => ({
        sid,
        host: { name: `${sid}`, life: 1 },
        disk: { paths: () => new Array(9).fill('/x'), become: () => {} },
        crash: () => {},
      })),
      configs: {
        ...{ first: [1, 2, 3], voters: [1, 2, 3], isListed: () => true, possible: () => [[1, 2, 3]] },
        incarnationOf: (sid: number) => `${sid}`,
        decides: decide,
      },
      ledger: { holdingsOf: (sid: number) => ({ incarnation: sid === 1 ? own : `${sid}` }), lose: () => {} },
      knowsMembers: () => true,
    };
    const harm = new DiskHarm(ensemble as unknown as Ensemble, new Coverage(), async () => undefined);
    harm.wipe(seededRandom(seed));
    return [...harm.harmed.keys()];
  };
  const all = (own: string): number[] =>
    [...new Set(Array.from({ length: 20 }, (_, i) => harmed(own, i)).flat())].sort();
  assert.deepEqual(all('1'), [1, 2, 3]);
  assert.deepEqual(all('another'), [1]);
});

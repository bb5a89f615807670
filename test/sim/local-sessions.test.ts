/** Sessions of one member alone, in an ensemble whose every word is checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS, writeFrame } from '../../src/protocol/operations.ts';
import type { SessionMode } from './check/locals.ts';
import { Story, StoryOver } from './hist/story.ts';
import { RawSession } from './run/raw.ts';

const ANYONE = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
/** A sync, a node, the end of the session, and a node more, in one breath. */
function breath(path: string, flags: number): Buffer {
  const to = new Writer();
  const ask = (xid: number, type: number, body: () => void): void =>
    writeFrame(to, () => {
      to.int32(xid);
      to.int32(type);
      body();
    });
  const create = (xid: number, at: string): void =>
    ask(xid, OPERATIONS.create.code, () =>
      OPERATIONS.create.request.write(to, { path: at, data: Buffer.from('x'), acl: ANYONE, flags }),
    );
  ask(1, OPERATIONS.sync.code, () => OPERATIONS.sync.request.write(to, { path: '/' }));
  create(2, path);
  ask(3, OPERATIONS.closeSession.code, () => {});
  create(4, `${path}-late`);
  return to.take();
}

/** What is wrong then stands among the violations. */
const told = (tale: () => Promise<void>): Promise<void> =>
  tale().catch((error: unknown) => {
    if (!(error instanceof StoryOver)) throw error;
  });

for (const mode of ['local', 'upgraded'] satisfies SessionMode[])
  for (const at of ['leader', 'follower'] as const)
    test(`what is asked before the end of a session is done, behind a sync too, and nothing after it: ${mode}, ${at}`, async () => {
      using story = new Story({ seed: 4, plan: { sessions: mode } });
      const { ensemble } = story;
      await told(async () => {
        story.start();
        await story.serving();
        const leader = await story.leader();
        const sid = at === 'leader' ? leader : (story.others(leader)[0] as number);
        const machine = RawSession.machine(ensemble, 60);
        for (const [path, flags] of [
          ['/kept', 0],
          ['/owned', 1],
        ] as const) {
          const session = new RawSession(ensemble, machine, story.plan.sessionMs);
          assert.equal(await story.settled(session.open(sid)), true);
          session.send(breath(path, flags));
          await story.settled(session.over);
        }
      });
      await story.run(2 * story.plan.tickMs);
      assert.deepEqual(story.violations, []);
      const { state } = ensemble.oracle;
      assert.notEqual(state.tree.get('/kept'), undefined);
      for (const path of ['/owned', '/kept-late', '/owned-late']) assert.equal(state.tree.get(path), undefined, path);
      assert.deepEqual(
        [...state.sessions.keys()].filter((id) => state.isLive(id)),
        [],
        'whoever was told of its end has none',
      );
      assert.equal(ensemble.locals.counts.upgraded, mode === 'upgraded' ? 1 : 0);
      await story.end();
      assert.deepEqual(story.violations, []);
    });

for (const mode of ['shared', 'local', 'upgraded'] satisfies SessionMode[])
  for (const at of ['leader', 'follower'] as const)
    for (const back of [false, true])
      test(`what a sync holds back, an end too, is done for a client that has gone, unless it comes back first: ${mode}, ${at}, ${back}`, async () => {
        using story = new Story({ seed: 4, plan: { sessions: mode } });
        const { ensemble } = story;
        await told(async () => {
          story.start();
          await story.serving();
          const leader = await story.leader();
          const sid = at === 'leader' ? leader : (story.others(leader)[0] as number);
          const machine = RawSession.machine(ensemble, 60);
          const session = new RawSession(ensemble, machine, story.plan.sessionMs);
          assert.equal(await story.settled(session.open(sid)), true);
          story.partition([leader], story.others(leader));
          session.send(breath('/kept', 0));
          await story.run(20);
          session.destroy();
          await story.run(20);
          const again = new RawSession(ensemble, machine, story.plan.sessionMs);
          const taken = back ? again.open(sid, session) : undefined;
          await story.run(20);
          assert.equal(ensemble.oracle.state.tree.get('/kept'), undefined, 'it is held back');
          story.heal();
          if (taken !== undefined) assert.equal(await story.settled(taken), true);
        });
        await story.run(story.plan.tickMs);
        const { state } = ensemble.oracle;
        assert.equal(state.tree.get('/kept') === undefined, back);
        assert.equal(state.tree.get('/kept-late'), undefined);
        const live = [...state.sessions.keys()].filter((id) => state.isLive(id));
        assert.equal(live.length, back && mode === 'shared' ? 1 : 0);
        await story.end();
        assert.deepEqual(story.violations, []);
      });

test('a number of a session is not given twice by a server whose state came anew and whose wall clock went back', async () => {
  using story = new Story({ seed: 4, plan: { sessions: 'upgraded', commitLogCount: 4 } });
  const { ensemble } = story;
  await told(async () => {
    story.start();
    await story.serving();
    const leader = await story.leader();
    const [sid = 0] = story.others(leader);
    const machine = RawSession.machine(ensemble, 60);
    const open = async (): Promise<RawSession> => {
      const session = new RawSession(ensemble, machine, story.plan.sessionMs);
      assert.equal(await story.settled(session.open(sid)), true);
      return session;
    };
    (await open()).send(breath('/owned', 1));
    await open();
    await story.run(2 * story.plan.tickMs);
    const { host } = story.member(sid);
    host.wallOffset -= 3_600_000;
    story.partition([sid], story.others(sid));
    const writer = story.clientOf(...story.others(sid));
    for (let i = 0; i < 60; i++) await story.write(writer);
    await story.until('it is cut off', () => story.member(sid).program?.serves === false);
    story.heal();
    await story.serving();
    await open();
    await story.end();
  });
  assert.deepEqual(story.violations, []);
  assert.ok(ensemble.acks.synchronised.SNAP > 0, 'a snapshot was sent');
  assert.equal(ensemble.locals.counts.upgraded, 1);
});

/** The counter of an epoch is used up while what no client asks for is to be proposed as well (ZOOKEEPER-1277). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story } from './hist/story.ts';
import { SimClient } from './run/client.ts';
import { SUPER } from './run/config.ts';
import { nameOfServer, PORT } from './run/member.ts';

const line = (sid: number): string =>
  `server.${sid}=${nameOfServer(sid)}:${PORT.quorum}:${PORT.election}:participant;${PORT.client}`;

test('terms end at their last counter while servers come back, are emptied and are changed; nobody falls over it', async () => {
  for (const lastCounter of [7, 9, 11, 13]) {
    using story = new Story({ seed: lastCounter, plan: { spares: 1, reconfigures: true, logMs: 30 } });
    const { ensemble } = story;
    for (const member of ensemble.members) member.lastCounter = lastCounter;
    story.start();
    await story.serving();
    const operator = new SimClient(90, ensemble, story.plan.sessionMs, story.sids, [SUPER]);
    const first = (await story.leader()) && story.member(1).program?.epoch;
    // two write all the time, so that it ends anywhere
    let goes = true;
    const writers = [1, 2].map(async (n) => {
      const client = story.clientOf();
      for (let i = 0; goes; i++)
        await client
          .get()
          .then(
            (it) => it.create(`/w${n}-${i}`, 'x'),
            () => undefined,
          )
          .catch(() => undefined);
    });
    for (let round = 0; round < 2; round++) {
      const [one = 1] = story.others(await story.leader(), 4);
      story.wipe(one);
      await story.run(400);
      story.start(one);
      await story.run(3000);
      const has = ensemble.configs.roles.has(4);
      ensemble.configs.ask(new Map((has ? [1, 2, 3] : [1, 2, 3, 4]).map((sid) => [sid, 'participant'])));
      const request = has ? { leaving: '4' } : { joining: line(4) };
      await story.settled(operator.get().then((client) => client.reconfig(request)));
      await story.run(1000);
    }
    goes = false;
    await story.settled(Promise.all(writers));
    await story.serving();
    const last = story.member(await story.leader()).program?.epoch ?? 0;
    assert.ok(last > (first ?? 0) + 5, `${last}: the counters were used up`);
    await story.end();
    assert.deepEqual(story.violations, [], `last counter ${lastCounter}`);
  }
});

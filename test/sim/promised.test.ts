/** 13.11: a server that once promised a later epoch than the one that is led is made a voter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story } from './hist/story.ts';
import { SimClient } from './run/client.ts';
import { SUPER } from './run/config.ts';
import { nameOfServer, PORT } from './run/member.ts';
import { promise } from './run/promise.ts';

const line = (sid: number): string =>
  `server.${sid}=${nameOfServer(sid)}:${PORT.quorum}:${PORT.election}:participant;${PORT.client}`;

test('the term goes above its promise, whoever asked for the change and where; asked again it is made', async () => {
  for (const atLeader of [true, false]) {
    using story = new Story({ seed: 4, plan: { spares: 1, reconfigures: true } });
    const { ensemble } = story;
    story.start();
    await story.serving();
    await promise(story.member(4), 5);
    story.start(4);
    await story.serving(4);
    const leader = await story.leader();
    const epoch = story.member(leader).program?.leads ?? 0;
    const others = story.others(leader, 4);
    const operator = new SimClient(90, ensemble, 60_000, atLeader ? [leader] : others, [SUPER]);
    const client = await operator.get();
    ensemble.configs.ask(new Map([1, 2, 3, 4].map((sid) => [sid, 'participant'])));
    const ask = client.reconfig({ joining: line(4) }).then(
      () => 'made',
      (error: { code?: string }) => error.code ?? String(error),
    );
    const answer = await story.settled(ask);
    await story.until('a later term', () => (ensemble.leader?.program?.leads ?? 0) > epoch);
    assert.ok((ensemble.leader?.program?.leads ?? 0) > epoch + 5, 'above its promise');
    assert.equal(answer, 'ConnectionLoss', 'nobody can say what came of it but the next term');
    for (let left = 5; left > 0 && ensemble.configs.voters.length < 4; left--)
      await story.settled(operator.get().then((it) => it.reconfig({ joining: line(4) })));
    assert.equal(ensemble.configs.voters.length, 4);
    await story.end();
    assert.deepEqual(story.violations, []);
  }
});

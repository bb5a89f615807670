/** What members of an ensemble tell under /metrics and in mntr: ZooKeeper's names, and true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type MemberOfTest, Members, STEADY, until } from './members.ts';

const EXPORTER = 'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';
type Figures = ReadonlyMap<string, number>;

async function figures(member: MemberOfTest): Promise<Figures> {
  const port = [...member.log.matchAll(/metrics on 127\.0\.0\.1:(\d+)/g)].at(-1)?.[1];
  // a connection that was kept may be closed by the time it is used again
  const headers = { connection: 'close' };
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

test('members tell their place, elections, synchronisations and proposals; figures of a leader go with it', async () => {
  await using members = await Members.start({
    voters: 3,
    observers: 1,
    lines: [EXPORTER, 'metricsProvider.httpHost=127.0.0.1', 'metricsProvider.httpPort=0', STEADY],
  });
  const leader = await members.leader();
  const follower = await members.follower();
  const observer = members.member(4);
  await using client = await connect(members.hosts, { connectTimeoutMs: PATIENCE_MS });
  for (let i = 0; i < 20; i++) await client.create(`/m${i}`, 'x');
  await members.equal();
  const [at, of, seen] = [await figures(leader), await figures(follower), await figures(observer)];
  assert.deepEqual(
    ['quorum_size', 'learners', 'synced_followers', 'synced_non_voting_followers', 'synced_observers'].map((name) =>
      at.get(name),
    ),
    [3, 3, 2, 0, 1],
  );
  assert.deepEqual([of.get('quorum_size'), seen.get('observer_master_id')], [3, leader.id]);
  assert.ok((at.get('leader_uptime') ?? 0) > 0 && (at.get('last_proposal_size') ?? 0) > 0);
  assert.ok((at.get('proposal_count') ?? 0) >= 20);
  for (const name of ['learners', 'synced_followers', 'leader_uptime', 'last_proposal_size', 'pending_syncs'])
    assert.ok(!of.has(name) && !seen.has(name), `${name} is a leader's`);
  // 20 creates and what came before them
  for (const learner of [of, seen]) assert.ok((learner.get('learner_proposal_received_count') ?? 0) >= 20);
  assert.ok((of.get('learner_commit_received_count') ?? 0) > 0);
  const both = (at.get('diff_count') ?? 0) + (at.get('snap_count') ?? 0);
  assert.ok(both >= 3, `${both} learners were synchronised`);
  for (const [one, name] of [
    [of, 'follower_sync_time'],
    [seen, 'observer_sync_time'],
  ] as const) {
    assert.ok((one.get(`${name}_count`) ?? 0) >= 1, name);
    assert.ok((one.get(`${name}_sum`) ?? 0) > 0 && (one.get(`${name}{quantile="0.5"}`) ?? 0) > 0, name);
  }
  assert.equal(at.get('follower_sync_time_count'), 0);
  assert.ok((at.get('looking_count') ?? 0) >= 1 && at.has('election_time_sum'));
  assert.deepEqual([at.get('damage_found'), at.get('damage_open'), at.get('scrub_rounds')], [0, 0, 0]);
  // the same in mntr
  const words = await follower.word('mntr');
  assert.match(words, /^zk_learner_proposal_received_count\t\d+$/m);
  assert.match(words, /^zk_looking_count\t[1-9]/m);

  const elections = of.get('election_time_count') ?? 0;
  await leader.kill();
  await members.leader(leader.id);
  await until(
    async () => ((await figures(follower)).get('election_time_count') ?? 0) > elections,
    PATIENCE_MS,
    () => members.tail(),
  );
  let told: Figures = new Map();
  await until(
    async () => {
      told = await figures(await members.leader(leader.id));
      return told.get('synced_observers') === 1 && told.get('synced_followers') === 1;
    },
    PATIENCE_MS,
    () => `${[...told]}`,
  );
});

/** What members of an ensemble tell under /metrics and in mntr: ZooKeeper's names, and true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { Reader } from '../../src/protocol/bytes.ts';
import { PATIENCE_MS } from '../patience.ts';
import { EXPORTER, type Figures, figures as figuresIn } from './figures.ts';
import { RawConnection } from './member-raw.ts';
import { type MemberOfTest, Members, STEADY, until } from './members.ts';
import { hello } from './raw.ts';

const figures = (member: MemberOfTest): Promise<Figures> => figuresIn(() => member.log);

test('members tell their place, elections, synchronisations and proposals; figures of a leader go with it', async () => {
  await using members = await Members.start({
    voters: 3,
    observers: 1,
    lines: [...EXPORTER, STEADY],
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
  const begun = ['inflight_diff_count_count', 'inflight_snap_count_count'].map((name) => at.get(name) ?? 0);
  assert.equal(
    begun.reduce((sum, each) => sum + each, 0),
    both,
  );
  // how long transactions were on their way, where each of these is known and nowhere else
  const times: [Figures, string, boolean][] = [
    [at, 'quorum_ack_latency', true],
    [of, 'quorum_ack_latency', false],
    [of, 'proposal_latency', true],
    [at, 'proposal_latency', false],
    [at, 'proposal_ack_creation_latency', true],
    [of, 'proposal_ack_creation_latency', true],
    [of, 'commit_propagation_latency', true],
    [seen, 'commit_propagation_latency', true],
    [at, 'commit_propagation_latency', false],
  ];
  for (const [one, name, isKnown] of times) {
    const count = one.get(`${name}_count`) ?? Number.NaN;
    assert.ok(isKnown ? count > 0 : count === 0, `${name}: ${count}`);
    assert.ok(
      (one.get(`${name}_sum`) ?? Number.NaN) < 60_000 * count + 1,
      `${name} is no age of what was caught up with`,
    );
  }
  for (const id of [1, 2, 3]) {
    assert.ok((at.get(`ack_latency_count{key="${id}"}`) ?? 0) > 0, `server ${id} acknowledges`);
    assert.ok(at.has(`ack_latency{key="${id}",quantile="0.5"}`) && at.has(`ack_latency_sum{key="${id}"}`));
  }
  assert.ok(![...of.keys()].some((key) => key.startsWith('ack_latency')), 'a follower has nobody to acknowledge to it');
  assert.match(await leader.word('mntr'), /^zk_cnt_2_ack_latency\t[1-9]/m);
  assert.match(await leader.word('mntr'), /^zk_p99_quorum_ack_latency\t\d/m);
  // a session that comes to another member: the leader is asked about it
  assert.equal(at.get('revalidate_count'), 0);
  const first = await RawConnection.open(observer.clientPort);
  const welcome = new Reader(first?.welcome ?? Buffer.alloc(0));
  welcome.int32();
  welcome.int32();
  const session = welcome.int64();
  const password = Buffer.from(welcome.buffer() ?? []);
  const second = await RawConnection.open(follower.clientPort, hello(session, password));
  assert.equal(new Reader((second?.welcome ?? Buffer.alloc(16)).subarray(8)).int64(), session);
  assert.equal((await figures(leader)).get('revalidate_count'), 1);
  first?.close();
  second?.close();
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
  // how near to standing still: of three voters one may be lost; who is how far behind, and whose clock is ahead of the leader's
  assert.equal(at.get('quorum_slack'), 1);
  for (const id of [1, 2, 3]) {
    const behind = at.get(`learner_behind{key="${id}"}`);
    assert.ok(id === leader.id ? behind === undefined : behind === 0, `server ${id}: ${behind}`);
  }
  assert.ok(!at.has('learner_behind{key="4"}'), 'an observer acknowledges nothing');
  assert.ok(!at.has('clock_ahead_ms') && !of.has('quorum_slack'));
  for (const one of [of, seen]) {
    const ahead = one.get('clock_ahead_ms') ?? Number.NaN;
    assert.ok(ahead >= 0 && ahead < 1000, `the clocks of one machine: ${ahead} ms`);
  }
  for (const one of [at, of, seen]) assert.ok((one.get('last_commit_ms') ?? Number.NaN) < PATIENCE_MS);
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
      return told.get('synced_observers') === 1 && told.get('synced_followers') === 1 && told.get('quorum_slack') === 0;
    },
    PATIENCE_MS,
    () => `${[...told]}`,
  );
  // without a leader nobody is let in
  for (const member of members.all) if (member !== observer) await member.kill();
  await until(
    async () => (await RawConnection.open(observer.clientPort)) === undefined,
    PATIENCE_MS,
    () => 'an observer alone let somebody in',
  );
  // this one, and whatever else came
  const closed = (await figures(observer)).get('cnxn_closed_without_zk_server_running') ?? 0;
  assert.ok(closed > (seen.get('cnxn_closed_without_zk_server_running') ?? 0), `${closed} were turned away`);
});

/** Lines of the log that people and tools look for in ZooKeeper's, in ZooKeeper's words (operations.md f). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { Members, until } from './members.ts';
import { PlainClient } from './plain-client.ts';
import { ServerProcess } from './process.ts';
import { hello } from './raw.ts';

const says = (log: () => string, line: RegExp): Promise<void> =>
  until(
    () => line.test(log()),
    PATIENCE_MS,
    () => `${line} is not in ${log()}`,
  );

test('a server alone: its port, a slow write, a snapshot, a session that nobody hears of', async () => {
  const lines = ['fsync.warningthresholdms=0', 'tickTime=200', 'snapCount=10'];
  await using server = await new ServerProcess(lines, 'info').start();
  const log = (): string => server.stderr;
  await says(log, new RegExp(`^\\S+ info  binding to port 127\\.0\\.0\\.1:${server.port}$`, 'm'));
  {
    await using client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
    for (let i = 0; i < 20; i++) await client.create(`/n${i}`);
  }
  await says(
    log,
    /^\S+ warn {2}fsync-ing the write ahead log in \S+ took \d+ms which will adversely affect operation latency\. File size is \d+ bytes\. See the ZooKeeper troubleshooting guide$/m,
  );
  await says(log, /^\S+ info {2}Snapshotting: 0x[0-9a-f]+ to \/\S+\/snapshot\.\S+, \d+ bytes in \d+ ms$/m);
  const silent = await PlainClient.open(server.port, hello(0n, Buffer.alloc(16), 400));
  const session = `0x${BigInt.asUintN(64, silent?.session ?? assert.fail('no session')).toString(16)}`;
  await says(log, new RegExp(`^\\S+ info  Expiring session ${session}, timeout of 400ms exceeded$`, 'm'));
});

test('members that lose their leader: what each becomes, and how long that took', async () => {
  await using members = await Members.start({ voters: 3 });
  const first = await members.leader();
  await first.kill();
  const leader = await members.leader(first.id);
  const follower = members.all.find((each) => each !== first && each !== leader) ?? assert.fail();
  for (const [member, role] of [
    [leader, 'leading'],
    [follower, 'following'],
  ] as const) {
    const log = (): string => member.log;
    await says(log, /^\S+ info {2}Peer state changed: looking$/m);
    await says(log, new RegExp(`^\\S+ info {2}${role.toUpperCase()} - LEADER ELECTION TOOK - \\d+ MS$`, 'm'));
    await says(log, new RegExp(`^\\S+ info {2}Peer state changed: ${role} - broadcast$`, 'm'));
  }
});

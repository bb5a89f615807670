/** The audit logs of an ensemble: a write is told once, by the member that its client is connected to; what goes with a session by all. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { Members, until } from './members.ts';

test('each member writes down what its own clients do, and all of them what goes with a session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-audit-'));
  using _removed = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
  await using members = await Members.start({
    voters: 3,
    tickMs: 2000, // one that stands still for seconds stays what it is
    lines: [
      'audit.enable=true',
      'reconfigEnabled=true',
      'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
    ],
    linesOf: (id) => [`audit.logFile=${join(folder, `audit-${id}`)}`],
  });
  const file = (id: number): string => join(folder, `audit-${id}`);
  const told = (id: number): string[] =>
    existsSync(file(id))
      ? readFileSync(file(id), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => line.replace(/^\S+ (\w+) +/, '$1 ').replace(/user=[^\t]*|session=[^\t]*|ip=[^\t]*/g, '*'))
      : [];
  const leader = await members.leader();
  const [follower, other] = members.all.filter(({ id }) => id !== leader.id);
  assert.ok(follower !== undefined && other !== undefined);
  const [a, b] = [await connect(follower.hosts), await connect(leader.hosts)];
  // behind a sync that the leader has to confirm, too
  await Promise.all([
    a.sync('/'),
    a.create('/x', 'SECRET'),
    a.create('/y-', 'SECRET', { mode: 'persistentSequential' }),
  ]);
  await assert.rejects(a.create('/x', 'SECRET'));
  await a.create('/e', null, { mode: 'ephemeral' });
  await b.set('/x', 'SECRET');
  await b.transaction().set('/x', 'SECRET').create('/z').commit();
  await a.addAuth('digest', 'super:adminpass');
  const { data } = await a.reconfig({ leaving: '9' });
  assert.ok(data !== null);
  await a.close();
  await b.close();
  const gone = 'info *\t*\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode=/e\tresult=success';
  await until(
    async () => members.all.every(({ id }) => told(id).includes(gone)),
    PATIENCE_MS,
    () => told(other.id).join('\n'),
  );
  const start = 'info *\toperation=serverStart\tresult=success';
  assert.deepEqual(told(follower.id), [
    start,
    'info *\t*\t*\toperation=create\tznode=/x\tznode_type=persistent\tresult=success',
    'info *\t*\t*\toperation=create\tznode=/y-0000000001\tznode_type=persistent_sequential\tresult=success',
    'error *\t*\t*\toperation=create\tznode=/x\tznode_type=persistent\tresult=failure',
    'info *\t*\t*\toperation=create\tznode=/e\tznode_type=ephemeral\tresult=success',
    'info *\t*\t*\toperation=reconfig\tznode=/zookeeper/config\tresult=success',
    gone,
  ]);
  assert.deepEqual(told(leader.id), [
    start,
    'info *\t*\t*\toperation=setData\tznode=/x\tresult=success',
    'info *\t*\t*\toperation=setData\tznode=/x\tresult=success',
    'info *\t*\t*\toperation=create\tznode=/z\tznode_type=persistent\tresult=success',
    gone,
  ]);
  assert.deepEqual(told(other.id), [start, gone]);
  assert.equal(await other.kill('SIGTERM'), 0);
  assert.deepEqual(told(other.id), [start, gone, 'info *\toperation=serverStop\tresult=invoked']);
  for (const { id } of members.all) assert.doesNotMatch(readFileSync(file(id), 'utf8'), /SECRET|adminpass/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACL } from '../../src/records/txns.ts';
import { openDoors } from '../../src/runtime/start-warnings.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { ServerProcess } from '../e2e/process.ts';

/** What is told of a tree whose root has this ACL. */
const told = (host: string | undefined, superDigest: string | undefined, perms: number): string[] => {
  const tree = new DataTree();
  const acl = perms === 31 ? OPEN_ACL : [{ perms, scheme: 'world', id: 'anyone' }];
  return openDoors(host, superDigest, { root: tree.root, acl: () => acl } as unknown as DataTree).map((sentence) =>
    sentence.split(' ', 3).join(' '),
  );
};

test('an open root is told of where others reach the port, a super user everywhere', () => {
  for (const host of [undefined, '0.0.0.0', '10.0.0.1', 'zk.example'])
    assert.deepEqual(told(host, undefined, 31), ['the ACL of'], host);
  for (const host of ['127.0.0.1', '::1', 'localhost']) assert.deepEqual(told(host, undefined, 31), [], host);
  assert.deepEqual(told(undefined, undefined, 1), [], 'READ alone');
  assert.deepEqual(told(undefined, undefined, 2), ['the ACL of']);
  assert.deepEqual(told('127.0.0.1', 'super:x', 31).length, 1);
});

test('each is told once at a start', async () => {
  await using server = await new ServerProcess([
    'clientPortAddress=0.0.0.0',
    'DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=',
  ]).start();
  for (const sentence of [/the ACL of \/ lets everyone/g, /superDigest is set/g])
    assert.equal(server.stderr.match(sentence)?.length, 1, server.stderr);
  assert.doesNotMatch(server.stderr, /xQJmx/);
});

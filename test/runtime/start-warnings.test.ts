import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACL } from '../../src/records/txns.ts';
import { ClearPasswords } from '../../src/runtime/clear-passwords.ts';
import { listenError, placeOf, StartError } from '../../src/runtime/start-error.ts';
import { openDoors, startWarnings } from '../../src/runtime/start-warnings.ts';
import type { ServerConfig } from '../../src/server/config.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';

/** What is told of a tree whose root has this ACL. */
const told = (host: string | undefined, supers: readonly string[], perms: number): string[] => {
  const tree = new DataTree();
  const acl = perms === 31 ? OPEN_ACL : [{ perms, scheme: 'world', id: 'anyone' }];
  return openDoors(host, supers, { root: tree.root, acl: () => acl } as unknown as DataTree).map((sentence) =>
    sentence.split(' ', 3).join(' '),
  );
};

test('an open root is told of where others reach the port, a super user everywhere', () => {
  for (const host of [undefined, '0.0.0.0', '10.0.0.1', 'zk.example'])
    assert.deepEqual(told(host, [], 31), ['the ACL of'], host);
  for (const host of ['127.0.0.1', '::1', 'localhost']) assert.deepEqual(told(host, [], 31), [], host);
  assert.deepEqual(told(undefined, [], 1), [], 'READ alone');
  assert.deepEqual(told(undefined, [], 2), ['the ACL of']);
  const supers = ['DigestAuthenticationProvider.superDigest', 'digest256.superDigest'];
  assert.deepEqual(
    told('127.0.0.1', supers, 31),
    supers.map((key) => `${key} is set:`),
  );
});

test('the super user that was made with a server of an ensemble of this machine is nothing left over', () => {
  const tree = new DataTree();
  const config = { clientPort: 1, clientPortAddress: '127.0.0.1', digestAuth: { superDigest: 'super:x' } };
  const of = (ownSuper: boolean) => startWarnings({ config: config as unknown as ServerConfig, ownSuper }, tree).length;
  assert.deepEqual([of(false), of(true)], [1, 0]);
});

test('a password that came in the clear is told of once for each address, and for so many', () => {
  const said: string[] = [];
  const passwords = new ClearPasswords((sentence) => void said.push(sentence));
  for (const ip of ['127.0.0.1', '127.4.5.6', '0:0:0:0:0:0:0:1']) passwords.from(ip);
  assert.deepEqual(said, [], 'nobody is in between');
  for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.1', '2001:db8:0:0:0:0:0:1']) passwords.from(ip);
  const told = said.map(
    (sentence) => /^a client at (\S+) logged in by digest without TLS/.exec(sentence)?.[1] ?? sentence,
  );
  assert.deepEqual(told, ['10.0.0.1', '10.0.0.2', '2001:db8:0:0:0:0:0:1']);
  for (let at = 0; at < 1000; at++) passwords.from(`10.1.${at >> 8}.${at & 255}`);
  assert.equal(said.length, 257);
  assert.match(said.at(-1) ?? '', /further addresses/);
});

test('each is told once at a start', async () => {
  await using server = await new ServerProcess([
    'clientPortAddress=0.0.0.0',
    'DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=',
  ]).start();
  const sentences = [/the ACL of \/ lets everyone/g, /superDigest is set/g];
  // what it says on one stream may come later than that it is ready, on the other
  const end = performance.now() + PATIENCE_MS;
  while (!sentences.every((each) => server.stderr.match(each) !== null) && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 10));
  for (const sentence of sentences) assert.equal(server.stderr.match(sentence)?.length, 1, server.stderr);
  assert.doesNotMatch(server.stderr, /xQJmx/);
});

test('why a port is not there is told in words, where it is no matter of the port, too', () => {
  const told = (error: Error) => listenError(error, '127.0.0.1:1', '127.0.0.1', 'admin.serverPort').message;
  const stores = new StartError(43, 'the password does not open stores.p12');
  assert.equal(told(stores), stores.message);
  assert.match(told(new Error('no key in it')), /: no key in it$/);
  assert.match(
    told(Object.assign(new Error('x'), { code: 'EADDRNOTAVAIL' })),
    /\(admin\.serverAddress\): .*not one of this machine$/,
  );
});

test('a place in the log has its IPv6 address in brackets', () => {
  assert.equal(placeOf('::1', 8080), '[::1]:8080');
  assert.equal(placeOf('127.0.0.1', 8080), '127.0.0.1:8080');
  assert.equal(placeOf('zk.example', 8080), 'zk.example:8080');
});

/** Read-only mode: what a member that finds no leader does for those who only read. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ConnectOptions, connect as connectNow, type StateChange } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { zoosh } from './cli.ts';
import { type MemberOfTest, Members, until } from './members.ts';

// a member that stands still for some seconds keeps its leader
const LINES = [
  'readonlymode.enabled=true',
  'localSessionsEnabled=true',
  'localSessionsUpgradingEnabled=true',
  'syncLimit=60',
];
const connect = (hosts: string, options: ConnectOptions = {}): Promise<Client> =>
  connectNow(hosts, { connectTimeoutMs: PATIENCE_MS, ...options });
const isro = (member: MemberOfTest): Promise<string> => member.word('isro').catch(() => '');

test('a member without a leader serves those who only read, until there is one again', async () => {
  await using members = await Members.start({ voters: 3, lines: LINES });
  const soon = (is: () => Promise<boolean> | boolean, what: string): Promise<void> =>
    until(is, PATIENCE_MS, () => `${what}: ${members.tail()}`);
  const [one, two, three] = members.all as [MemberOfTest, MemberOfTest, MemberOfTest];
  {
    await using writer = await connect(one.hosts);
    await writer.create('/before', 'kept');
  }
  await members.equal();
  // it is to outlive all that is done while nobody leads
  const held = await connect(one.hosts, { allowReadOnly: true, timeoutMs: 60_000 });
  await held.create('/held', '', { mode: 'ephemeral' }); // so that it is a session of the ensemble
  await two.kill();
  await three.kill();
  await soon(async () => (await isro(one)) === 'ro', 'it never serves');
  // nobody comes to a read-only server unasked, and a session of the ensemble does not either
  await assert.rejects(connect(one.hosts, { connectTimeoutMs: 1000 }), /ConnectError|not serving|within/);
  assert.notEqual(held.state, 'connectedReadOnly');

  const states: StateChange['state'][] = [];
  const reader = await connect(members.hosts, { allowReadOnly: true, onState: ({ state }) => void states.push(state) });
  assert.equal(reader.state, 'connectedReadOnly');
  assert.equal(String((await reader.get('/before')).data), 'kept');
  for (const write of [
    () => reader.create('/during'),
    () => reader.set('/before', 'x'),
    () => reader.delete('/before'),
    () => reader.sync('/'),
  ])
    await assert.rejects(write, { code: 'NotReadOnly' });
  const srvr = await one.word('srvr');
  assert.match(srvr, /^Zookeeper version: .*\nREAD-ONLY mode; serving only read-only clients\nLatency /);
  assert.match(srvr, /\nMode: read-only\n/);
  const mntr = await one.word('mntr');
  assert.match(mntr, /^zk_server_state\tread-only$/m);
  assert.match(mntr, /^zk_local_sessions\t1$/m);
  assert.doesNotMatch(await one.word('conf'), /membership/);

  // the shell: as an option, as zkCli's, and what it says of a write
  const read = await zoosh(['-s', one.hosts, '-r', 'get', '/before']);
  assert.deepEqual([read.code, read.stdout], [0, 'kept\n'], read.stderr);
  const write = await zoosh(['-s', one.hosts, '-r', 'set', '/before', 'x']);
  assert.equal(write.code, 18, write.stderr);
  assert.match(write.stderr, /read-only/);

  two.start();
  await soon(() => states.at(-1) === 'connected', 'it does not find who can write');
  await reader.create('/after');
  assert.deepEqual(
    [...new Set(states)].filter((state) => state.startsWith('connected')),
    ['connectedReadOnly', 'connected'],
  );
  await soon(() => held.state === 'connected', 'the session of before is lost');
  await reader[Symbol.asyncDispose]();
  await held[Symbol.asyncDispose]();
  await soon(async () => (await isro(one)) === 'rw', 'it stays read-only');
  assert.match(await one.word('srvr'), /\nMode: (leader|follower)\n/);
});

test('what is lost is not read as if it were empty', async () => {
  await using members = await Members.start({ voters: 3, lines: LINES });
  {
    await using writer = await connect(members.hosts);
    await writer.create('/before', 'kept');
  }
  const [one, two, three] = members.all as [MemberOfTest, MemberOfTest, MemberOfTest];
  await members.equal();
  for (const member of members.all) await member.kill();
  // the log and the snapshots are gone, who the member is is known
  for (const name of readdirSync(`${one.data}/zoosh-1`))
    if (/^(log|snapshot)\./.test(name)) rmSync(`${one.data}/zoosh-1/${name}`);
  one.start();
  await until(
    () => /begins anew, and its files are set aside/.test(one.log),
    PATIENCE_MS,
    () => members.tail(),
  );
  // well beyond the two seconds after which it would serve
  for (const end = performance.now() + 3500; performance.now() < end; await sleep(100))
    assert.notEqual(await isro(one), 'ro', members.tail());
  two.start();
  three.start();
  await members.serving();
  await two.kill();
  await three.kill();
  await until(
    async () => (await isro(one)) === 'ro',
    PATIENCE_MS,
    () => members.tail(),
  );
  await using reader = await connect(one.hosts, { allowReadOnly: true });
  assert.equal(String((await reader.get('/before')).data), 'kept');
});

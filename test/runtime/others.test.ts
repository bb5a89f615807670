/** Where the other members are looked for, by the config of the log and by zoo.cfg. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from '../../src/records/txns.ts';
import { whereAll } from '../../src/runtime/others.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

const serversOf = (...lines: string[]) => {
  const text = ['dataDir=/x', 'clientPort=1', 'initLimit=5', 'syncLimit=5', 'peer.insecure=true', ...lines].join('\n');
  const myid = { text: '1', from: { file: 'myid', line: 1 } };
  return checkConfig(parseProperties(text, 'zoo.cfg'), { myid }).ensemble?.servers ?? [];
};
const member = (sid: number, ...addresses: string[]): Member => ({
  ...{ sid, role: 'participant', incarnation: 'aa', client: null },
  addresses: addresses.map((each) => `${each}:2888:3888`),
});
const found = (...args: Parameters<typeof whereAll>): Record<number, string> =>
  Object.fromEntries(
    whereAll(...args).map(({ sid, quorum, election }) => [
      sid,
      [...quorum, ...election].map(({ host, port }) => `${host}:${port}`).join(' '),
    ]),
  );

const LINES = ['server.1=a:2888:3888', 'server.2=b:2888:3888', 'server.3=old:2888:3888'];

test('13.14: without reconfiguration the addresses of zoo.cfg are tried beside those of the config, and hide none', () => {
  const zoo = serversOf(...LINES);
  const named = [member(1, 'a'), member(2, 'b'), member(3, 'new')];
  assert.deepEqual(found(named, zoo, false), {
    1: 'a:2888 a:3888',
    2: 'b:2888 b:3888',
    3: 'old:2888 new:2888 old:3888 new:3888',
  });
  assert.equal(found(named, zoo, true)[3], 'new:2888 new:3888', 'the config says it, and is changed by reconfig');
});

test('who calls is held to the hosts of zoo.cfg where those are in force, otherwise to those of the config', () => {
  const zoo = serversOf(...LINES);
  const named = [member(3, 'new'), member(4, 'd')];
  const heldTo = (isEnabled: boolean): Record<number, readonly string[] | undefined> =>
    Object.fromEntries(whereAll(named, zoo, isEnabled).map(({ sid, hosts }) => [sid, hosts]));
  assert.deepEqual(heldTo(false), { 1: undefined, 2: undefined, 3: ['old'], 4: undefined });
  assert.deepEqual(heldTo(true), { 1: undefined, 2: undefined, 3: undefined, 4: undefined }, 'those that are dialled');
});

test('the latest config that names a server counts; zoo.cfg stands for those that none does, and for 0.0.0.0', () => {
  const zoo = serversOf(...LINES);
  const named = [member(3, 'old'), member(2, '0.0.0.0'), member(4, 'd'), member(3, 'new')];
  for (const isEnabled of [false, true]) {
    const all = found(named, zoo, isEnabled);
    assert.deepEqual([all[1], all[2], all[4]], ['a:2888 a:3888', 'b:2888 b:3888', 'd:2888 d:3888']);
    assert.equal(all[3], isEnabled ? 'new:2888 new:3888' : 'old:2888 new:2888 old:3888 new:3888');
  }
});

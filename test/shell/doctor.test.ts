/** What the doctor makes of what it is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../src/client/api.ts';
import type { Look } from '../../src/commands/doctor-look.ts';
import {
  accessFindings,
  clockFindings,
  diskFindings,
  type Finding,
  serverFindings,
  tlsFindings,
} from '../../src/commands/doctor-members.ts';
import { heartbeatFindings, nodeFindings } from '../../src/commands/doctor-nodes.ts';
import type { CommandContext } from '../../src/shell/command.ts';
import type { Report } from '../../src/shell/members.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);

function look(host: string, more: Partial<Omit<Look, 'report'>> & { report?: Partial<Report> } = {}): Look {
  const { report, ...others } = more;
  const member = { id: undefined, server: { host, port: 2181 }, isObserver: false };
  return {
    refusal: undefined,
    admin: false,
    tls: undefined,
    disk: undefined,
    skew: undefined,
    connections: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
    ...others,
    report: { member, host: `${host}:2181`, role: 'follower', fault: undefined, version: '3.9.5', ...report },
  };
}
const lines = (found: readonly Finding[]): string[] => found.map(({ verdict, what }) => `${verdict} ${what}`);

test('servers: one that serves but takes no session, and one that may not be asked', () => {
  const full = look('a', { refusal: 'closed at once' });
  const shy = look('b', { report: { role: undefined, fault: 'does not allow srvr' } });
  const down = look('c', { refusal: 'refused', report: { role: undefined, fault: 'refused' } });
  assert.deepEqual(lines(serverFindings([full, shy])), [
    'ok 2 of 2 servers serve',
    'FAIL a:2181 says it serves, but takes no session: closed at once',
    'ok same version 3.9.5 everywhere',
    'warn 2 voters bear no more failures than 1',
    'ok the last server is 0 changes behind the first',
  ]);
  assert.deepEqual(lines(serverFindings([full, shy, down])).slice(0, 3), [
    'warn 2 of 3 servers serve',
    'FAIL a:2181 says it serves, but takes no session: closed at once',
    'FAIL c:2181: refused',
  ]);
  assert.match(lines(serverFindings([shy, down, down]))[0] ?? '', /^FAIL no quorum: 1 of 3/);
  const slow = { average: 300, min: 0, max: 900 };
  const said = (received: number) => lines(serverFindings([look('a', { report: { latency: slow, received } })]));
  assert.deepEqual([said(9).length, said(900).length], [2, 3]); // a few requests are no average
});

test('clocks: what is sure, not what may be', () => {
  const three = [look('a'), look('b'), look('c')];
  const found = clockFindings(
    three,
    [
      { least: -12, most: 3 },
      { least: 5_000, most: 5_040 },
      { least: -400_000, most: -300_000 },
    ],
    [[], [], []],
  );
  assert.deepEqual(lines(found), [
    "warn the clock of b:2181 is 5.0s ahead of this machine's",
    "warn the clock of c:2181 is 5m behind this machine's",
  ]);
  // a date cut to the second tells of no difference smaller than that
  assert.deepEqual(lines(clockFindings([look('a')], [{ least: -900, most: 700 }], [[]])), [
    'ok clocks of 1 server and of this machine within 900ms',
  ]);
  assert.deepEqual(lines(clockFindings([look('a'), look('b')], [undefined, undefined], [['cons'], []])), [
    'warn the clock of b:2181 is not known: cons does not list our session',
  ]);
});

test('TLS: dates, protocols, who is not checked, what goes in the clear', () => {
  const how = { wanted: true, insecure: false, secrets: false, now: NOW };
  const good = (days: number) =>
    look('a', { tls: { protocol: 'TLSv1.3', from: NOW - DAY, until: NOW + days * DAY, name: 'zk' } });
  assert.deepEqual(lines(tlsFindings([good(90), good(400)], how)), [
    'ok TLSv1.3 with 2 servers; certificates are good for 90 days',
  ]);
  assert.deepEqual(lines(tlsFindings([good(3)], how)), [
    'warn the certificate of a:2181 (zk) ends in 3 days, on 2026-06-04',
  ]);
  assert.deepEqual(lines(tlsFindings([good(-3)], how)), ['FAIL the certificate of a:2181 (zk) ended on 2026-05-29']);
  assert.deepEqual(lines(tlsFindings([look('b', { tls: { fault: 'certificate has expired' } })], how)), [
    'FAIL b:2181: TLS: certificate has expired',
  ]);
  assert.match(lines(tlsFindings([good(90)], { ...how, insecure: true }))[1] ?? '', /^warn nobody checks/);
  const plain = { ...how, wanted: false };
  assert.deepEqual(lines(tlsFindings([look('zk1')], plain)), ['ok TLS is not in use']);
  assert.deepEqual(lines(tlsFindings([look('zk1'), look('127.0.0.1')], { ...plain, secrets: true })), [
    'warn passwords go to zk1:2181 in the clear',
  ]);
});

test('access: the words and the AdminServer, one of them is enough', () => {
  const words = ['mntr', 'cons'];
  assert.deepEqual(lines(accessFindings([look('a', { admin: true })], [words], 8080)), [
    'ok an AdminServer answers on port 8080 of a:2181',
  ]);
  assert.deepEqual(lines(accessFindings([look('a')], [[]], 8080)), [
    'ok no AdminServer on port 8080; four-letter words are asked instead',
  ]);
  assert.deepEqual(lines(accessFindings([look('a'), look('b'), look('c')], [words, words, ['conf']], 8080)), [
    'warn a:2181 b:2181: mntr, cons not allowed, and no AdminServer on port 8080: clocks, clients, watches and disks are not known',
    'warn c:2181: conf not allowed, and no AdminServer on port 8080: clocks, clients, watches and disks are not known',
  ]);
  assert.deepEqual(lines(accessFindings([look('a', { admin: true, adminRefuses: true })], [words], 8080)), [
    'ok an AdminServer answers on port 8080 of a:2181',
    'warn a:2181: mntr, cons not allowed, and the AdminServer on port 8080 wants a login: clocks, clients, watches and disks are not known',
  ]);
});

test('disks: room, log that nobody purges, an old snapshot', () => {
  const of = (disk: Partial<NonNullable<Look['disk']>>): string[] =>
    lines(
      diskFindings(
        [look('a', { disk: { dataBytes: 2048, logBytes: 4096, snapshotAt: NOW - DAY, room: undefined, ...disk } })],
        NOW,
      ),
    );
  const G = 1024 ** 3;
  assert.deepEqual(of({}), [
    'ok disk of a:2181: 2.0k of data, 4.0k of log, last snapshot 1d ago, free space is seen only on its machine',
  ]);
  assert.deepEqual(of({ snapshotAt: 'none', room: { free: 40 * G, total: 100 * G } }), [
    'ok disk of a:2181: 2.0k of data, 4.0k of log, no snapshot yet, 40.0G (40%) free',
  ]);
  assert.deepEqual(of({ room: { free: 6 * G, total: 100 * G } }), ['warn a:2181 has 6.0G (6%) left on its disk']);
  assert.deepEqual(of({ room: { free: G, total: 100 * G } }), ['FAIL a:2181 has 1.0G (1%) left on its disk']);
  assert.deepEqual(of({ snapshotAt: NOW - 9 * DAY, logBytes: 3 * G }), [
    'warn a:2181 keeps 3.0G of transaction log',
    'warn a:2181 wrote its last snapshot 9d ago: a start reads all its log since',
  ]);
});

test('ephemeral nodes whose session is connected nowhere', async () => {
  const owners = new Map([
    [1n, { path: '/a', count: 3 }],
    [2n, { path: '/b', count: 1 }],
    [3n, { path: '/gone', count: 1 }],
  ]);
  const exists = async (path: string) => (path === '/gone' ? undefined : { ephemeralOwner: 1n });
  const client = { exists } as unknown as Client;
  const context = { signal: new AbortController().signal } as CommandContext;
  assert.deepEqual(lines(await heartbeatFindings(client, owners, new Set([2n]), context)), [
    'warn /a and 2 more: session 0x1 is not connected',
  ]);
});

test('an ephemeral node is not found open: nothing can be below it', async () => {
  const stat = (ephemeralOwner: bigint, numChildren = 0) => ({ ephemeralOwner, numChildren, dataLength: 0 });
  const nodes: Record<string, ReturnType<typeof stat>> = { '/': stat(0n, 2), '/held': stat(5n), '/open': stat(0n) };
  const client = {
    chroot: '',
    getChildren: async (path: string) => ({ children: path === '/' ? ['held', 'open'] : [], stat: nodes[path] }),
    exists: async (path: string) => nodes[path],
    getAcl: async () => ({ acl: [{ scheme: 'world', id: 'anyone', perms: 31 }], stat: {} }),
  } as unknown as Client;
  const progress = () => ({ update: () => {}, [Symbol.dispose]: () => {} });
  const settings = { get: () => '32' };
  const context = { signal: new AbortController().signal, progress, settings } as unknown as CommandContext;
  const found = lines(await nodeFindings(client, '/', 100, new Map(), context));
  assert.deepEqual(
    found.filter((line) => line.startsWith('FAIL')),
    ['FAIL /open: anyone may delete what is below'],
  );
});

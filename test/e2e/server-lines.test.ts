/** What zoo.cfg says of members, on whole servers: who serves clients, whose voice weighs what, where they listen, and lines that change. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { zoosh } from './cli.ts';
import { RawConnection } from './member-raw.ts';
import { type MemberOfTest, Members, STEADY, until } from './members.ts';

const PATIENT = { connectTimeoutMs: PATIENCE_MS };
const config = ({ folder }: MemberOfTest): string => join(folder, 'zoo.cfg');

test('leaderServes=no: a leader takes no clients, the others do, and whoever leads next takes none either', async () => {
  await using members = await Members.start({ voters: 3, lines: ['leaderServes=no', STEADY] });
  const served = async (member: MemberOfTest): Promise<boolean> => {
    const connection = await RawConnection.open(member.clientPort);
    connection?.close();
    return connection !== undefined;
  };
  for (let round = 0; round < 2; round++) {
    const leader = await members.leader();
    const answers = await Promise.all(members.all.map((member) => (member.isUp ? served(member) : 'down')));
    assert.deepEqual(
      answers,
      members.all.map((member) => (member.isUp ? member !== leader : 'down')),
      members.tail(),
    );
    await using client = await connect(members.hosts, PATIENT);
    await client.create(`/round-${round}`);
    if (round > 0) break;
    await leader.kill();
    await members.leader(leader.id);
  }
});

test('observer.reconnectDelayMs: an observer that lost its leader lets the others go first', async () => {
  const delay = 4000;
  await using members = await Members.start({ voters: 3, observers: 1, lines: [`observer.reconnectDelayMs=${delay}`] });
  const observer = members.member(4);
  // the first time nobody was lost
  assert.doesNotMatch(observer.log, /OBSERVING - LEADER ELECTION TOOK - ([4-9]|\d\d)\d\d\d MS/);
  const leader = await members.leader();
  await leader.kill();
  await members.leader(leader.id);
  const took = (): number =>
    Number(/OBSERVING - LEADER ELECTION TOOK - (\d+) MS/g.exec(observer.log.slice(from))?.[1] ?? 0);
  const from = observer.log.search(/looking for a leader/);
  await until(
    () => took() > 0,
    PATIENCE_MS,
    () => members.tail(),
  );
  assert.ok(took() >= delay - 500, `it came back after ${took()} ms`);
});

test('weights and groups: two of three groups are a quorum, each by more than half of its weight, and no other servers are', async () => {
  // five servers: a group of a heavy one and a light one, a group of two, a group of one
  const groups = [
    'group.1=1:2',
    'group.2=3:4',
    'group.3=5',
    'weight.1=3',
    'weight.2=1',
    'weight.3=1',
    'weight.4=1',
    'weight.5=1',
  ];
  await using members = await Members.start({ voters: 5, lines: groups });
  const writes = async (hosts: string, path: string): Promise<boolean> => {
    await using client = await connect(hosts, { ...PATIENT, timeoutMs: 20_000 });
    return client.create(path).then(
      () => true,
      () => false,
    );
  };
  const of = (...ids: number[]): string => ids.map((id) => members.member(id).hosts).join();
  // three of five are gone: 1 alone is its group, 5 is its own
  for (const id of [2, 3, 4]) await members.member(id).kill();
  await members.leader();
  assert.equal(await writes(of(1, 5), '/by-two'), true, members.tail());
  // four of five are there: of the groups only the second is whole, since 2 weighs less than half of the first
  for (const id of [2, 3, 4]) members.member(id).start();
  await members.serving();
  await members.equal();
  for (const id of [1, 5]) await members.member(id).kill();
  await until(
    () =>
      /no quorum, and so no leader: voters not met: 1, 5\. Of 1, 2, 3, 4, 5 only 2, 3, 4 can vote/.test(
        members.member(3).log,
      ),
    PATIENCE_MS,
    () => members.tail(),
  );
  for (const id of [2, 3, 4]) assert.notEqual((await members.member(id).status())?.serving, true, `server ${id}`);
});

test('three members on ::1, each with a second address, one after the other put elsewhere by their zoo.cfg alone', async () => {
  await using members = await Members.make({
    voters: 3,
    lines: [STEADY, 'multiAddress.enabled=true', 'reconfigEnabled=false'],
  });
  const [first, then] = [await ownBlock('::1', 3), await ownBlock('127.0.0.1', 3)];
  /** Ports of members: quorum and election, at one address or at two. */
  const at = (host: string, base: number, id: number): string => `${host}:${base + 200 + id}:${base + 100 + id}`;
  const write = (member: MemberOfTest, moved: readonly number[]): void => {
    const text = readFileSync(config(member), 'utf8').replace(/^server\.\d+=.*\n/gm, '');
    const lines = members.all.map(({ id, clientPort }) => {
      const where = moved.includes(id)
        ? at('127.0.0.1', then, id)
        : `${at('[::1]', first, id)}|${at('127.0.0.1', first, id)}`;
      return `server.${id}=${where};127.0.0.1:${clientPort}`;
    });
    writeFileSync(config(member), `${text}${lines.join('\n')}\n`);
  };
  for (const member of members.all) write(member, []);
  members.startAll();
  await members.serving();
  await using client = await connect(members.hosts, { ...PATIENT, timeoutMs: 60_000 });
  await client.create('/rolled');
  let written = 0;
  let isOver = false;
  const load = (async () => {
    while (!isOver) await client.set('/rolled', String(++written)).catch(() => written--);
  })();
  // as somebody does it who has no reconfig: all files first, then one server after the other
  for (const member of members.all) write(member, [3]);
  for (const member of [members.member(3), members.member(1), members.member(2)]) {
    await member.kill('SIGTERM');
    member.start();
    await members.serving();
  }
  isOver = true;
  await load;
  await members.equal();
  const shown = (await client.getConfig()).data?.toString() ?? '';
  assert.match(shown, new RegExp(`^server\\.3=127\\.0\\.0\\.1:${then + 203}:${then + 103}:participant`, 'm'));
  const [four, six] = [at('127.0.0.1', first, 1), at('[0:0:0:0:0:0:0:1]', first, 1)];
  assert.ok(shown.startsWith(`server.1=${four}|${six}:participant`), shown);
  assert.ok(written > 10, `${written} writes in the meantime`);
});

test('an ensemble of this machine on ::1 serves there, and says so in a form that is taken', async () => {
  const home = mkdtempSync(join(tmpdir(), 'zoosh-six-'));
  const env = { ZOOSH_HOME: home };
  try {
    const started = await zoosh(['start', 'ensemble', 'six', '-n', '3', '-d', '--host', '::1'], '', env);
    assert.equal(started.code, 0, started.stderr);
    const hosts = started.stdout.trim();
    assert.match(hosts, /^\[::1\]:\d+,\[::1\]:\d+,\[::1\]:\d+$/);
    const made = await zoosh([hosts, 'create', '/six', 'v'], '', env);
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await zoosh([hosts, 'get', '/six'], '', env)).stdout, 'v\n');
  } finally {
    const gone = await zoosh(['-y', 'ensemble', 'destroy', 'six'], '', env);
    rmSync(home, { recursive: true, force: true });
    assert.equal(gone.code, 0, gone.stderr);
  }
});

/**
 * The three members of an Apache ensemble are replaced by ours one by one, in the ways that people do it: an empty tree is never
 * served, and the whole move by import serves all of it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, fourLetterWord } from '../../src/index.ts';
import { zoosh } from '../e2e/cli.ts';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';

const NODES = 200;
/** How long a server that must not serve is looked at. */
const LOOK_MS = 8000;
const JAVA = [
  '-Xmx128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-cp',
  '/usr/share/java/zookeeper.jar:/usr/share/java/*',
];

/** Apache's server in the place of a member: its zoo.cfg, its ports, its dataDir. */
class ApacheMember implements AsyncDisposable {
  readonly #member: MemberOfTest;
  #child: ChildProcess | undefined;
  constructor(member: MemberOfTest) {
    this.#member = member;
  }
  get #log(): string {
    return join(this.#member.folder, 'apache.log');
  }
  start(): void {
    const { folder } = this.#member;
    const cfg = join(folder, 'apache.cfg');
    writeFileSync(cfg, `${readFileSync(join(folder, 'zoo.cfg'), 'utf8')}admin.enableServer=false\n`);
    const log = openSync(this.#log, 'a');
    const words = [...JAVA, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', cfg];
    this.#child = spawn('java', words, { stdio: ['ignore', log, log] });
    closeSync(log);
  }
  get log(): string {
    return readFileSync(this.#log, 'utf8').slice(-3000);
  }
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

const modeOf = async ({ clientPort: port }: MemberOfTest): Promise<string | undefined> => {
  const answer = await fourLetterWord('srvr', { host: '127.0.0.1', port, timeoutMs: 2000 }).catch(() => '');
  return /^Mode: (\w+)/m.exec(answer)?.[1];
};
/** For a while none of them serves, whoever asks. */
async function noneServes(members: readonly MemberOfTest[], why: () => string): Promise<void> {
  for (const end = performance.now() + LOOK_MS; performance.now() < end; await sleep(100))
    for (const member of members) {
      assert.notEqual((await member.status())?.serving, true, `member ${member.id} serves: ${why()}`);
      assert.equal(await modeOf(member), undefined, why());
    }
}
async function countAt(hosts: string): Promise<number> {
  const client: Client = await connect(hosts, { connectTimeoutMs: PATIENCE_MS });
  try {
    await client.sync('/');
    return (await client.getChildren('/data')).children.length;
  } finally {
    await client.close();
  }
}
/** What an administrator does who wants an empty dataDir. */
const setAside = ({ data, folder }: MemberOfTest): void =>
  renameSync(join(data, 'version-2'), join(folder, 'version-2'));
const putBack = ({ data, folder }: MemberOfTest): void =>
  renameSync(join(folder, 'version-2'), join(data, 'version-2'));

test('three members replaced one by one: refused, or waiting, or all of it', { timeout: 600_000 }, async (t) => {
  await using members = await Members.make({ voters: 3, tickMs: 1000 });
  const { all } = members;
  const apaches = all.map((member) => new ApacheMember(member));
  const log = (): string => members.tail(3000) + apaches.map((each) => each.log).join('\n==\n');
  await using _all = { [Symbol.asyncDispose]: async () => void (await Promise.all(apaches.map((each) => each.end()))) };
  for (const each of apaches) each.start();
  const serving = async (which: readonly MemberOfTest[]): Promise<void> => {
    for (const member of which)
      await until(
        async () => (await modeOf(member)) !== undefined,
        2 * PATIENCE_MS,
        () => `Apache ${member.id}: ${log()}`,
      );
  };
  await serving(all);
  const client = await connect(members.hosts, { connectTimeoutMs: PATIENCE_MS });
  await client.create('/data');
  for (let i = 0; i < NODES; i++) await client.create(`/data/n${i}`, String(i));
  await client.close();

  for (const [at, member] of all.entries()) {
    const apache = apaches[at] as ApacheMember;
    await apache.end();
    // its dataDir as it was: refused, with what to do
    member.start();
    assert.equal(await member.ended, 42, member.log);
    assert.match(member.log, /version-2 holds data of an Apache ZooKeeper server .* zoosh import-apache/);
    // with an empty one: it waits, and names who is in its way
    setAside(member);
    member.start();
    await noneServes(all.slice(0, at + 1), log);
    t.diagnostic(`step ${at + 1}: refused, and waits with an empty directory`);
    const left = all.slice(at + 1);
    // the Apache servers go on for as long as they are a majority
    if (left.length === 2) {
      await serving(left);
      assert.equal(await countAt(left.map(({ hosts }) => hosts).join()), NODES);
    }
  }
  // all three are ours, empty, and see each other: an ensemble would be founded, and every client be told that all is gone
  await noneServes(all, log);
  assert.match(members.tail(20_000), /import-apache/);

  // the way it is done, as the log says: one directory is imported, the others begin empty, as they are
  await Promise.all(all.map((member) => member.kill('SIGTERM')));
  const last = members.member(3);
  putBack(last);
  const ran = await zoosh(['import-apache', last.data]);
  assert.equal(ran.code, 0, ran.stderr);
  members.startAll();
  await members.serving();
  await members.equal();
  for (const { hosts } of all) assert.equal(await countAt(hosts), NODES);
});

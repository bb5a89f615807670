/** From one version to the next and back, member by member, while clients write; and what is refused on the way. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Client, type ConnectOptions, connect as connectNow, KeeperError } from '../../src/index.ts';
import { LONG } from '../amount.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { BIN, zoosh } from './cli.ts';
import { type MemberOfTest, Members, until } from './members.ts';
import { NextBuild, SPEAKS_FIRST, SPEAKS_MORE, SPEAKS_NEXT_ONLY, WRITES_NEXT } from './next-build.ts';
import { Wire } from './wire.ts';

/** A member that stands still for some seconds keeps its leader and its followers. */
const SYNC = 'syncLimit=60';
const connect = (hosts: string, options: ConnectOptions = {}): Promise<Client> =>
  connectNow(hosts, { connectTimeoutMs: PATIENCE_MS, ...options });
/** A member is started from what its link leads to. */
const linkOf = (data: string): string => join(dirname(data), 'build.js');
const linked = (_id: number, [node = '', , ...words]: readonly string[], data: string): string[] => {
  symlinkSync(BIN, linkOf(data));
  return [node, linkOf(data), ...words];
};
function use(member: MemberOfTest, bin: string): void {
  const link = linkOf(member.data);
  symlinkSync(bin, `${link}.new`);
  renameSync(`${link}.new`, link);
}

/** Creates one node after the other and remembers those that were acknowledged; what is uncertain is tried again. */
class Writer {
  readonly acknowledged: string[] = [];
  /** The longest time between two of them, ms. */
  longest = 0;
  private isOver = false;
  private readonly work: Promise<void>;
  constructor(client: Client, name: string) {
    this.work = this.run(client, name);
    this.work.catch(() => {}); // told by end()
  }
  private async run(client: Client, name: string): Promise<void> {
    let last = performance.now();
    for (let at = 0; !this.isOver; at++) {
      const path = `/w/${name}-${at}`;
      for (;;)
        try {
          await client.create(path, String(at));
          break;
        } catch (error) {
          if (!(error instanceof KeeperError) || error.code === 'Closing') throw error;
          if (error.code === 'NodeExists') break;
          assert.equal(error.code, 'ConnectionLoss', path);
        }
      this.acknowledged.push(path);
      const now = performance.now();
      this.longest = Math.max(this.longest, now - last);
      last = now;
    }
  }
  async end(): Promise<void> {
    this.isOver = true;
    await this.work;
  }
}
const versionOf = async (member: MemberOfTest): Promise<string | undefined> =>
  /^Zookeeper version: (\S+?),/m.exec(await member.word('srvr'))?.[1];

/** There and back. Returns how long nobody wrote, where that was too long. */
async function thereAndBack(t: TestContext): Promise<string | undefined> {
  using next = new NextBuild('9.9.9', SPEAKS_MORE);
  await using members = await Members.start({ voters: 3, wrap: linked, lines: [SYNC] });
  await using first = await connect(members.hosts, { timeoutMs: 40_000 });
  await using second = await connect(
    [...members.all]
      .reverse()
      .map(({ hosts }) => hosts)
      .join(','),
    {
      timeoutMs: 40_000,
    },
  );
  await first.create('/w');
  await first.create('/mine', null, { mode: 'ephemeral' });
  const session = first.sessionId;
  const writers = [new Writer(first, 'a'), new Writer(second, 'b')];
  const seen: string[] = [];
  for (const [bin, version] of [
    [next.bin, /9\.9\.9$/],
    [BIN, /-zoosh\.0\.1\.0$/],
  ] as const)
    for (const member of members.all) {
      const before = writers.map(({ acknowledged }) => acknowledged.length);
      const wasLeader = (await member.ask({ op: 'status' })).role === 'leader';
      assert.equal(await member.kill('SIGTERM'), 0, member.log.slice(-2000));
      use(member, bin);
      member.start();
      await members.serving();
      await until(
        async () => version.test((await versionOf(member).catch(() => '')) ?? ''),
        PATIENCE_MS,
        () => `member ${member.id} does not say that it is ${version}`,
      );
      seen.push(`${member.id}${wasLeader ? ' (leader)' : ''}`);
      // old and new write together before the next one goes
      await until(
        async () => writers.every(({ acknowledged }, at) => acknowledged.length > (before[at] ?? 0) + 20),
        PATIENCE_MS,
        () => `after member ${member.id} nobody writes`,
      );
    }
  for (const writer of writers) await writer.end();
  assert.equal(seen.length, 6);
  assert.ok(seen.filter((each) => each.includes('leader')).length >= 2, `a leader went in each round: ${seen}`);
  assert.equal(first.sessionId, session, 'the session lived through all of it');
  const all = writers.flatMap(({ acknowledged }) => acknowledged).map((path) => path.slice('/w/'.length));
  assert.ok(all.length > 240);
  for (const member of members.all) {
    await using client = await connect(member.hosts);
    await client.sync('/');
    const { children } = await client.getChildren('/w');
    assert.deepEqual([...children].sort(), [...all].sort(), `member ${member.id}`);
    assert.equal((await client.exists('/mine'))?.ephemeralOwner, session);
  }
  // the last of these clients has said that it goes: a member may be behind with that
  await members.equal();
  const longest = Math.max(...writers.map((writer) => writer.longest));
  t.diagnostic(`${all.length} writes, the longest pause ${Math.round(longest)} ms; replaced ${seen.join(', ')}`);
  // a leader hands over: nobody waits for a session's time, or for an election's silence
  return lateIf(longest > 30_000, `${longest} ms without a write`);
}

test('N to N+1 and back: every member is replaced in turn, and nothing that was acknowledged is lost', (t) =>
  timely(() => thereAndBack(t)));

test('a version that no longer speaks ours is turned away in words, and the others go on', async () => {
  using far = new NextBuild('99.0.0', SPEAKS_NEXT_ONLY);
  await using members = await Members.start({ voters: 3, wrap: linked, lines: [SYNC] });
  const last = await members.follower();
  await last.kill('SIGTERM');
  use(last, far.bin);
  last.start();
  const others = members.all.filter((member) => member !== last);
  await until(
    async () =>
      [...others, last].some((member) => /speaks feature levels .*upgrade one version at a time/.test(member.log)),
    PATIENCE_MS,
    () => members.all.map((member) => member.log.slice(-600)).join('\n'),
  );
  await using client = await connect(others.map(({ hosts }) => hosts).join(','));
  await client.create('/on');
  await until(
    async () => (await last.status()) !== undefined,
    PATIENCE_MS,
    () => members.tail(),
  );
  assert.equal((await last.ask({ op: 'status' })).serving, false);
  // and with the one that does, it is a member again
  await last.kill('SIGTERM');
  use(last, BIN);
  last.start();
  await members.serving();
});

test('sessions are everybody’s while the leader is of before there were local ones, and local once it is not', async () => {
  using first = new NextBuild('0.0.9', SPEAKS_FIRST);
  const lines = ['localSessionsEnabled=true', 'localSessionsUpgradingEnabled=true', SYNC];
  await using members = await Members.make({ voters: 3, wrap: linked, lines });
  for (const member of members.all) {
    use(member, first.bin);
    member.start();
  }
  await members.serving();
  const replace = async (member: MemberOfTest): Promise<void> => {
    assert.equal(await member.kill('SIGTERM'), 0, member.log.slice(-2000));
    use(member, BIN);
    member.start();
    await members.serving();
  };
  const locals = async (member: MemberOfTest): Promise<string | undefined> =>
    /^zk_local_sessions\t(\d+)$/m.exec(await member.word('mntr'))?.[1];
  const learner = await members.follower();
  await replace(learner);
  const at = async (): Promise<{ readonly wire: Wire; readonly own: string | undefined }> => {
    const wire = await Wire.open(learner, 60_000);
    return { wire, own: await locals(learner) };
  };
  const before = await at();
  assert.equal(before.own, '0');
  before.wire.send(before.wire.create(1, '/a'), before.wire.create(2, '/e', 1), before.wire.end(3));
  assert.deepEqual(await before.wire.answers(4), ['1:0', '2:0', '3:0', 'end'], members.tail());
  for (const member of members.all) if (member !== learner) await replace(member);
  const after = await at();
  assert.equal(after.own, '1');
  after.wire.send(after.wire.create(1, '/b'), after.wire.get(2, '/a'), after.wire.end(3));
  assert.deepEqual(await after.wire.answers(4), ['1:0', '2:0', '3:0', 'end'], members.tail());
  await members.equal();
});

/** Names, sizes and bytes of everything below a folder, but for the lock. */
function bytesOf(folder: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (statSync(path).isFile() && !name.includes('lock')) out.set(name, readFileSync(path, 'latin1'));
  }
  return out;
}

/** The others in the long runs. */
const USUAL = ['identity', 'snapshot'];
for (const [what, raised] of Object.entries(WRITES_NEXT).filter(([name]) => LONG || USUAL.includes(name)))
  test(`${what}: a directory that a newer version wrote is refused in words and left as it is`, async () => {
    using next = new NextBuild('9.9.9', [raised]);
    await using members = await Members.make({ voters: 1, wrap: linked });
    const member = members.member(1);
    use(member, next.bin);
    member.start();
    await members.serving();
    await using client = await connect(member.hosts);
    await client.create('/new', 'x');
    await member.ask({ op: 'snapshot' });
    await client.create('/newer', 'x');
    await client.close();
    assert.equal(await member.kill('SIGTERM'), 0);
    const before = bytesOf(member.data);
    use(member, BIN);
    member.start();
    assert.equal(await member.ended, 42, member.log.slice(-2000));
    assert.match(
      member.log,
      /was written by a newer version of zoosh \(.* (2; this program reads 1|3; this program reads 1 to 2)\)\. Nothing was changed/,
    );
    assert.deepEqual(bytesOf(member.data), before);
    // read by nobody else either
    const verified = await zoosh(['verify', member.data]);
    assert.notEqual(verified.code, 0);
    // the newer one still has all of it
    use(member, next.bin);
    member.start();
    await members.serving();
    await using again = await connect(member.hosts);
    assert.ok((await again.exists('/newer')) !== null);
  });

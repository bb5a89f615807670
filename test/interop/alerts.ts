/** Prometheus with the rules that only zoosh has figures for: each fires where its condition was caused, and is silent where it was not. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { SECTOR } from '../../src/records/log-record.ts';
import { type MemberOfTest, Members } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { timely } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { EXPORTER, metricsPort, Prometheus, rulesOf, until } from './prometheus.ts';
import { onSmallDisk } from './small-disk.ts';

/** Only damage that goes with checksums of its own causes it: it is shown by test/zab (`alarm`), not by a live server. */
const NOT_CAUSED = ['HistoriesDiffer'];
const DAY_MS = 86_400_000;
const SMALL_MB = 64;

test('rules of zoosh: each fires where its condition was caused, none on a server that is well', async (t) => {
  await timely(() => everyRule((line) => t.diagnostic(line)));
});

async function everyRule(tell: (line: string) => void): Promise<string | undefined> {
  const own = mkdtempSync('/dev/shm/zoosh-alerts-');
  using _removed = { [Symbol.dispose]: () => rmSync(own, { recursive: true, force: true, maxRetries: 8 }) };
  const authority = makeAuthority('servers');
  /** Serves by TLS, too, with a certificate for so many days. */
  const tls = (name: string, days: number): string[] => {
    const file = join(own, `${name}.pem`);
    const { store } = makeCertificate(authority, { hosts: ['127.0.0.1'], to: new Date(Date.now() + days * DAY_MS) });
    writeFileSync(file, store, { mode: 0o600 });
    return ['secureClientPort=0', `ssl.keyStore.location=${file}`, 'ssl.clientAuth=none'];
  };
  const servers = [`dataDir=${own}/healthy`, ...tls('healthy', 60)];
  await using healthy = await new ServerProcess([...EXPORTER, ...servers], 'info').start();
  await using slow = await new ServerProcess([...EXPORTER, ...tls('slow', 3)], 'info').start();
  // they are scraped where they were before, once they were started again
  const base = await ownBlock('127.0.0.1', 3);
  const exporter = EXPORTER.filter((line) => !line.includes('httpPort'));
  await using members = await Members.make({
    voters: 3,
    lines: [...exporter, 'preAllocSize=64'],
    linesOf: (id) => [`metricsProvider.httpPort=${base + id - 1}`],
    wrap: (id, command, data) => (id === 1 ? onSmallDisk(id, data, command, SMALL_MB) : command),
  });
  members.startAll();
  await members.serving();
  await using prometheus = await Prometheus.start({
    ...{ healthy: metricsPort(healthy.stderr), slow: metricsPort(slow.stderr) },
    members: [1, 2, 3].map((id) => String(base + id - 1)),
  });
  for (const job of ['healthy', 'slow', 'members']) await prometheus.sees(job);
  const early = [...(await prometheus.firing('healthy')), ...(await prometheus.firing('members'))];
  if (early.length > 0) return `before anything was done to them: ${early}`;
  const shown = new Set<string>();
  const fires = async (name: string, job: string): Promise<void> => {
    await until(`${name} does not fire: ${prometheus.said}`, () => prometheus.hasFired(name, job));
    shown.add(name);
    tell(`${name} fired`);
  };

  await fires('CertificateEnds', 'slow');
  await standStill(slow, async () => {
    await fires('SlowFsync', 'slow');
    await fires('LoopBlocked', 'slow');
  });
  const first = members.member(1);
  const ballast = join(`/proc/${first.pid}/root${first.data}`, 'ballast');
  for (let mb = 0; mb < SMALL_MB * 0.6; mb += 2) {
    writeFileSync(ballast, Buffer.alloc(2 << 20, 1), { flag: 'a' });
    await sleep(100);
  }
  await fires('DiskFullInADay', 'members');
  await fill(first, ballast);
  await fires('DiskRefused', 'members');
  rmSync(ballast);
  await members.serving();

  const leader = await members.leader();
  const follower = members.all.find((member) => member !== leader && member !== first) ?? members.member(2);
  await follower.kill();
  await fires('NoSlack', 'members');
  flip(follower);
  follower.start();
  await members.serving();
  await fires('DamageFound', 'members');
  await first.kill();
  await leader.kill();
  await follower.kill();
  follower.start();
  await fires('NoLeader', 'members');

  const names = rulesOf('zoosh');
  assert.deepEqual([...shown, ...NOT_CAUSED].sort(), names.toSorted(), 'every rule of the group');
  for (const name of [...names, ...rulesOf('zookeeper')])
    if (await prometheus.hasFired(name, 'healthy')) return `${name} on a server that is well`;
  return undefined;
}

/**
 * A server that stands still again and again while it writes.
 *
 * Few writes between two stops, and large ones: on a quick disk hundreds of small ones would go to one that is met by a
 * stop, and the slow one of a hundred that the rule asks for would never be.
 */
async function standStill(server: ServerProcess, fired: () => Promise<void>): Promise<void> {
  await using client = await connect(server.hosts, { timeoutMs: 40_000 });
  let isOver = false;
  const writing = Promise.all(
    ['/a', '/b', '/c'].map(async (path) => {
      await client.create(path);
      while (!isOver) await client.set(path, Buffer.alloc(900_000));
    }),
  );
  const pausing = (async () => {
    while (!isOver) {
      server.signal('SIGSTOP');
      await sleep(400);
      server.signal('SIGCONT');
      await sleep(60);
    }
  })();
  try {
    await fired();
  } finally {
    isOver = true;
    await pausing;
    await writing;
  }
}
/** Its disk is full, and it finds out. */
async function fill(member: MemberOfTest, ballast: string): Promise<void> {
  for (let size = 8 << 20; size > 256; size >>= 1) {
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  await using client = await connect(member.hosts, { timeoutMs: 40_000 });
  for (let i = 0; i < 3000 && !/the disk is full/.test(member.log); i++)
    await client.create(`/full-${i}`, Buffer.alloc(4000, 66)).catch(() => sleep(20));
  assert.match(member.log, /the disk is full/);
}
/** One bit of the first file of its log. */
function flip({ data }: MemberOfTest): void {
  const folder = join(data, 'zoosh-1');
  const [name] = readdirSync(folder)
    .filter((each) => each.startsWith('log.'))
    .sort();
  const file = join(folder, name ?? assert.fail('no log'));
  const bytes = readFileSync(file);
  bytes[SECTOR + 100] = (bytes[SECTOR + 100] as number) ^ 4;
  writeFileSync(file, bytes);
}

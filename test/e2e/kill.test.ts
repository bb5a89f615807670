/** SIGKILL of the built binary at random moments and, by watching its files, within snapshots, rolls and purges. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, type ClientPorts, connect } from '../../src/index.ts';
import { realClock } from '../../src/platform/clock.ts';
import { tcpDialer } from '../../src/platform/tcp.ts';
import { SECTOR } from '../../src/records/log-record.ts';
import { isLogName, logName } from '../../src/storage/files.ts';
import { decodeIdentity } from '../../src/storage/identity.ts';
import { amount } from '../amount.ts';
import { PATIENCE_MS } from '../patience.ts';
import { Workload } from '../sim/workload.ts';
import { ServerProcess } from './process.ts';

const ROUNDS = amount(100, 8);
const SERVERS = 2;
/** Lives more, for an aim that was missed every time. */
const MOST_TIMES = 30;
/** Writes acknowledged in a life. */
const LEAST = 50;
/** Snapshots, and with each a new log file, come every few ms, purges of what gathered ten times a second. */
const SETTINGS = ['snapCount=60', 'preAllocSize=64', 'autopurge.purgeInterval=100ms', 'maxSessionTimeout=400000'];

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 31));

/** Clients whose clock runs faster come back soon after a restart, as their delays grow with lives as short as these. */
const HASTE = 8;
/** By those clocks: a restart may take its time. */
const OPTIONS = { timeoutMs: 400_000, connectTimeoutMs: HASTE * PATIENCE_MS };
const portsFor = (n: number): ClientPorts => ({
  clock: {
    monotonic: () => realClock.monotonic() * HASTE,
    wall: realClock.wall,
    after: (ms, run) => realClock.after(ms / HASTE, run),
  },
  dialer: tcpDialer,
  random: seededRandom(n),
});

const AIMS = ['any', 'snapshot', 'roll', 'purge'] as const;
type Aim = (typeof AIMS)[number];

/** Resolves when the server is seen to begin what is aimed at, or after a while. */
async function moment(folder: string, aim: Aim, waitMs: number): Promise<void> {
  await sleep(waitMs);
  if (aim === 'any') return;
  const begins = (name: string): boolean => {
    if (aim === 'snapshot') return name.startsWith('snapshot.') && name.endsWith('.tmp');
    const there = existsSync(join(folder, name));
    return aim === 'roll' ? isLogName(name) && there : /^snapshot\.[0-9a-f]+$/.test(name) && !there;
  };
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, (type, name) => {
      if (type === 'rename' && begins(name ?? '')) end();
    });
    const timer = setTimeout(end, 400);
    function end(): void {
      clearTimeout(timer);
      watcher.close();
      resolve();
    }
  });
}

/** What the files of a killed server say it was doing. */
function underWay(folder: string): Set<Aim> {
  const names = readdirSync(folder);
  const found = new Set<Aim>();
  if (names.some((name) => name.startsWith('snapshot.') && name.endsWith('.tmp'))) found.add('snapshot');
  const copies = ['identity', 'identity.copy'].map((name) => decodeIdentity(readFileSync(join(folder, name))));
  const [first, second] = copies as [(typeof copies)[0], (typeof copies)[0]];
  const { logs } = first.write > second.write ? first : second;
  const listed = new Set(logs.map(logName));
  const from = (name: string): bigint => BigInt(`0x${name.split('.')[1]}`);
  const newest = logName(logs.at(-1) as (typeof logs)[0]);
  for (const name of names) {
    if (!isLogName(name) || listed.has(name)) continue;
    found.add(from(name) < from(newest) ? 'purge' : 'roll');
  }
  // listed and still without a group: the roll was not over
  const bytes = readFileSync(join(folder, newest));
  if (statSync(join(folder, newest)).size <= SECTOR || bytes[SECTOR] === 0) found.add('roll');
  return found;
}

/** Aims that no kill hit yet: each is hit in about half of the lives that aim at it, so that few lives more are needed. */
const lacking = ({ during }: Counts): Aim[] => AIMS.slice(1).filter((aim) => (during.get(aim) ?? 0) === 0);

interface Counts {
  rounds: number;
  acknowledged: number;
  inFlight: number;
  survived: number;
  readonly during: Map<Aim, number>;
}

async function rounds(side: number, counts: Counts): Promise<void> {
  const random = seededRandom(seed + side);
  await using server = new ServerProcess(SETTINGS);
  const folder = join(server.folder, 'data', 'zoosh-1');
  mkdirSync(folder, { recursive: true });
  let load: Workload | undefined;
  const clients: Client[] = [];
  for (let round = 0; ; round++) {
    await server.start();
    if (load === undefined) {
      for (let i = 0; i < 3; i++) clients.push(await connect(server.hosts, OPTIONS, portsFor(random.below(2 ** 31))));
      load = await Workload.begin(random, clients);
    } else {
      const until = Date.now() + PATIENCE_MS;
      const pause = async (): Promise<boolean> => {
        await sleep(2);
        return Date.now() < until;
      };
      assert.ok(await load.settled(pause), `round ${round}: clients did not come back: ${load.surprises}`);
      await using reader = await connect(server.hosts, OPTIONS, portsFor(random.below(2 ** 31)));
      assert.deepEqual(await load.faults(reader), [], `server ${side}, round ${round}, seed ${seed}`);
    }
    if (round >= ROUNDS / SERVERS && (lacking(counts).length === 0 || round >= (MOST_TIMES * ROUNDS) / SERVERS)) break;
    const { acknowledged } = load;
    load.start();
    // a machine that is busy for a while has a life go on for longer, so that it is one
    const late = Date.now() + PATIENCE_MS;
    while (load.acknowledged < acknowledged + LEAST && Date.now() < late) await sleep(2);
    const aims = round < ROUNDS / SERVERS ? AIMS : lacking(counts);
    await moment(folder, aims[round % aims.length] ?? 'any', 60 + random.below(120));
    const ended = server.kill('SIGKILL');
    load.stop();
    assert.equal(await ended, 128, `it was alive when it was killed: ${server.stderr}`);
    for (const what of underWay(folder)) counts.during.set(what, (counts.during.get(what) ?? 0) + 1);
    counts.rounds++;
  }
  await load.close();
  counts.acknowledged += load.acknowledged;
  counts.inFlight += load.inFlight;
  counts.survived += load.survived;
}

test(`${ROUNDS} kills of the built binary lose nothing acknowledged, no half of a multi and no session`, async () => {
  const counts: Counts = { rounds: 0, acknowledged: 0, inFlight: 0, survived: 0, during: new Map() };
  await Promise.all(Array.from({ length: SERVERS }, (_, side) => rounds(side, counts)));
  const during = AIMS.slice(1).map((aim) => `${aim} ${counts.during.get(aim) ?? 0}`);
  console.log(
    `kills: ${counts.rounds} (seed ${seed}), acknowledged writes: ${counts.acknowledged}, in flight: ${counts.inFlight} of which ${counts.survived} were done, lost: 0; kills within a ${during.join(', ')}`,
  );
  assert.ok(counts.rounds >= ROUNDS);
  assert.ok(counts.acknowledged >= ROUNDS * LEAST && counts.inFlight > ROUNDS);
  assert.deepEqual(lacking(counts), [], `no kill within these, ${counts.rounds} times`);
});

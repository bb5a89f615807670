/** A worker's job: connections that no client of ZooKeeper makes, many at once, for a while. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { frame, hello } from './raw.ts';

export interface StormJob {
  readonly port: number;
  readonly seed: number;
  readonly ms: number;
}
/** Connections by what they did, and how many of all the server ended. */
export interface StormReport {
  readonly counts: Record<string, number>;
  readonly ended: number;
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
/** Connections: so many that there are well over a hundred pings beside them, also when this began late. */
const LEAST = 800;
const LENGTHS = [-1, -0x8000_0000, 0, 1, 0x7fff_ffff, 1_048_575, 1_048_576, 0x4745_5420, 3];
const CODES = Object.values(OPERATIONS).map(({ code }) => code);
const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

/** What each sends, in pieces; some leave at the end, some stay and wait. */
const KINDS: Readonly<Record<string, (random: Random) => Buffer[]>> = {
  noise: (random) => [Buffer.from(random.bytes(1 + random.below(5000)))],
  length: (random) => [int32(pick(random, LENGTHS)), Buffer.from(random.bytes(random.below(100)))],
  'half a handshake': (random) => [hello().subarray(0, 1 + random.below(hello().length - 1))],
  'byte by byte': (random) => Array.from(hello().subarray(0, random.below(45)), (byte) => Buffer.from([byte])),
  'wrong session': (random) => [hello(BigInt(random.below(1000)) + 1n, Buffer.from(random.bytes(random.below(40))))],
  'two handshakes': () => [hello(), hello()],
  'a length after the handshake': (random) => [hello(), int32(pick(random, LENGTHS))],
  'broken requests': (random) => [
    hello(),
    ...Array.from({ length: 1 + random.below(20) }, () =>
      frame(Buffer.concat([int32(random.below(9)), int32(pick(random, CODES)), random.bytes(random.below(60))])),
    ),
  ],
  'half a large frame': () => [hello(), int32(1_000_000), Buffer.alloc(600_000)],
  words: (random) => [
    Buffer.from(pick(random, ['ruok', 'stat', 'mntr', 'xxxx', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02'])),
  ],
};

async function one(random: Random, port: number, kind: string, over: Promise<void>): Promise<boolean> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let closed = false;
  const close = new Promise<void>((resolve) => {
    socket.once('close', () => {
      closed = true;
      resolve();
    });
  });
  socket.on('error', () => {});
  if (random.below(4) > 0) socket.resume(); // others never read
  for (const piece of (KINDS[kind] as (typeof KINDS)[string])(random)) {
    if (closed) break;
    socket.write(piece);
    if (random.below(3) === 0) await sleep(random.below(20));
  }
  const stays = random.below(4) === 0;
  await Promise.race([close, stays ? over : sleep(random.below(100))]);
  const byServer = closed;
  if (random.below(2) === 0) socket.resetAndDestroy();
  else socket.destroy();
  await close;
  return byServer;
}

async function storm({ port, seed, ms }: StormJob): Promise<StormReport> {
  const random = seededRandom(seed);
  const counts: Record<string, number> = {};
  const all: Promise<boolean>[] = [];
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const until = performance.now() + ms;
  // where everything takes longer the storm does, too
  while (performance.now() < until || all.length < LEAST) {
    for (let i = 0; i < 8; i++) {
      const kind = pick(random, Object.keys(KINDS));
      counts[kind] = (counts[kind] ?? 0) + 1;
      all.push(one(random, port, kind, over));
    }
    await sleep(15);
  }
  end();
  const ended = (await Promise.all(all)).filter(Boolean).length;
  return { counts, ended };
}

storm(workerData as StormJob).then((report) => parentPort?.postMessage(report));

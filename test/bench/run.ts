/**
 * `npm run bench`: what this machine does with the built server, by our own client over loopback. For a comparison with
 * another server see docs/performance.md. Takes about 20 s.
 */
import { cpus } from 'node:os';
import { type Client, connect } from '../../src/index.ts';
import { ServerProcess } from '../e2e/process.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);

interface Load {
  readonly name: string;
  readonly sessions: number;
  /** Requests in flight per session. */
  readonly depth: number;
  readonly request: (client: Client, n: number) => Promise<unknown>;
}

const data = Buffer.alloc(100, 120);
const KEYS = 1000;
const LOADS: readonly Load[] = [
  { name: 'get 100 B', sessions: 1, depth: 1, request: (client, n) => client.get(`/bench/k${n % KEYS}`) },
  { name: 'get 100 B', sessions: 16, depth: 16, request: (client, n) => client.get(`/bench/k${n % KEYS}`) },
  { name: 'set 100 B', sessions: 1, depth: 1, request: (client, n) => client.set(`/bench/k${n % KEYS}`, data) },
  { name: 'set 100 B', sessions: 16, depth: 16, request: (client, n) => client.set(`/bench/k${n % KEYS}`, data) },
  {
    name: 'create 100 B',
    sessions: 16,
    depth: 16,
    request: (client) => client.create('/bench/c-', data, { mode: 'persistentSequential' }),
  },
];

async function measure({ name, sessions, depth, request }: Load, hosts: string): Promise<void> {
  const clients = await Promise.all(Array.from({ length: sessions }, () => connect(hosts)));
  const took: number[] = [];
  const start = performance.now();
  const end = start + SECONDS * 1000;
  let next = 0;
  await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: depth }, async () => {
        for (let before = performance.now(); before < end; ) {
          await request(client, next++);
          const now = performance.now();
          took.push(now - before);
          before = now;
        }
      }),
    ),
  );
  const elapsed = (performance.now() - start) / 1000;
  await Promise.all(clients.map((client) => client.close()));
  took.sort((a, b) => a - b);
  const at = (part: number): string =>
    (took[Math.min(took.length - 1, Math.floor(took.length * part))] as number).toFixed(2);
  const rate = Math.round(took.length / elapsed);
  console.log(
    `${name.padEnd(13)} ${`${sessions}x${depth}`.padEnd(6)} ${String(rate).padStart(8)} /s   p50 ${at(0.5)}  p99 ${at(0.99)} ms`,
  );
}

console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}, sessions x requests in flight`);
await using server = new ServerProcess();
await server.start();
const client = await connect(server.hosts);
await client.create('/bench');
await Promise.all(Array.from({ length: KEYS }, (_, n) => client.create(`/bench/k${n}`, data)));
await client.close();
for (const load of LOADS) await measure(load, server.hosts);

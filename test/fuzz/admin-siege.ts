/** Malformed requests to the admin server, over real sockets: what it answers, and what a client beside it notices. */
import { connect as dial } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { connect } from '../../src/index.ts';
import { COMMANDS } from '../../src/runtime/admin/http.ts';
import { PATIENCE_MS } from '../patience.ts';
import { Bystander } from './peer-siege.ts';
import { type Blocks, beginLooking, blocksOf, probedServer, residentMiB, showBlocks } from './probed.ts';

const AT_ONCE = 16;
/** Nobody waits longer for an answer, ms; for what is still lacking at the end they do, since a machine may be slow. */
const WAIT_MS = 150;
const LONG_WAIT_MS = 3000;
/** So many times what is wanted, and not more, for what is still lacking. */
const MOST_TIMES = 4;
/** What must have become of some: answered, asked for a login, unknown, the wrong method, no HTTP at all. */
export const WANTED = ['200', '400', '401', '404', '405', 'nothing', 'waits'];
const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;

const METHODS = [
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'TRACE',
  'DELETE',
  'get',
  'G ET',
  '',
  'OPTIONS',
  'CONNECT',
  'A'.repeat(300),
];
const NAMES = [
  ...COMMANDS.flatMap(({ names }) => names),
  ...[
    '',
    'nosuch',
    'ruok/',
    '..%2f..%2fetc%2fpasswd',
    '%',
    '%zz',
    '%00',
    '%ff%fe',
    '__proto__',
    'constructor',
    'toString',
  ],
];
const PATHS = [
  '/commands/',
  '/commands',
  '/',
  '//',
  '*',
  'http://x/commands/ruok',
  '/live',
  '/ready',
  '/healthy',
  '/commands/../',
];
const QUERIES = [
  '',
  '?',
  '?traceMask=1',
  '?traceMask=99999999999999999999',
  '?traceMask=%',
  '?streaming=false',
  '?a&a&a',
  `?${'a=b&'.repeat(500)}`,
];
const HEADERS = [
  ...['Host: x', 'Connection: close', 'Connection: keep-alive', 'Authorization: digest', 'Authorization: \x01', 'X: '],
  ...[
    'Content-Length: 5',
    'Content-Length: -1',
    'Content-Length: 99999999999',
    'Content-Length: 5, 6',
    'Content-Length: 0x5',
  ],
  ...[
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip',
    'Expect: 100-continue',
    'Upgrade: websocket',
    ' folded',
    'no colon',
  ],
  ...[
    `X: ${'x'.repeat(9000)}`,
    'Authorization: ip 127.0.0.1',
    ': empty',
    'Hos\tt: x',
    'Range: bytes=0-',
    '\u00ff: \u00fe',
  ],
];
const BODIES = [
  '',
  'hello',
  '{"percentage": 0}',
  '{"percentage":',
  '5\r\nhello\r\n0\r\n\r\n',
  'ffffffff\r\n',
  '\0\0\0',
  'x'.repeat(70_000),
];
const ENDS = ['\r\n', '\n', '\r', '\r\n\r\n'];

/** Bytes that begin as a request does, most of them; then some of them changed. */
export function request(random: Random): Buffer {
  const path = random.below(3) > 0 ? `/commands/${pick(random, NAMES)}` : pick(random, PATHS);
  const end = random.below(8) > 0 ? '\r\n' : pick(random, ENDS);
  const version =
    random.below(6) > 0 ? 'HTTP/1.1' : pick(random, ['HTTP/1.0', 'HTTP/9.9', 'HTTP/1.1 ', 'http/1.1', '', 'HTTP/0.9']);
  const method = random.below(3) > 0 ? pick(random, ['GET', 'POST', 'HEAD']) : pick(random, METHODS);
  const lines = [`${method} ${path}${pick(random, QUERIES)} ${version}`];
  if (random.below(4) > 0) lines.push('Host: x');
  for (let left = random.below(2) * random.below(4); left > 0; left--) lines.push(pick(random, HEADERS));
  const bytes = Buffer.from(
    `${lines.join(end)}${end}${end}${random.below(2) > 0 ? pick(random, BODIES) : ''}`,
    'latin1',
  );
  for (let left = random.below(3) === 0 ? 1 + random.below(4) : 0; left > 0; left--)
    bytes[random.below(bytes.length)] = random.below(256);
  return random.below(6) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

export interface AdminSiege extends Blocks {
  readonly inputs: number;
  readonly seconds: number;
  /** By the number in the first line of the answer; `nothing` where the connection ended without one. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Of the client beside; and the slowest of them, ms. */
  readonly writes: number;
  readonly slowestMs: number;
  readonly grownMiB: number;
}

/** Sends one, and hangs up at the first words of an answer, or when none came for a while; what the first line says. */
function send(port: number, bytes: Buffer, halfClosed: boolean, waitMs: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let outcome = 'nothing';
    const socket = dial(port, '127.0.0.1', () => {
      if (halfClosed) socket.end(bytes);
      else socket.write(bytes);
    });
    // what is not whole is waited for, and so is who has to prove something
    const timer = setTimeout(() => {
      outcome = 'waits';
      socket.destroy();
    }, waitMs);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.length > 12) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      if (text !== '')
        outcome = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? `not HTTP: ${JSON.stringify(text.slice(0, 40))}`;
      resolve(outcome);
    });
  });
}

/** @throws Error when the server answers something that is no answer, stops, or its client notices */
export async function besiegeAdmin(
  count: number,
  seed: number,
  progress: (inputs: number) => void = () => {},
): Promise<AdminSiege> {
  const random = seededRandom(seed);
  const lines = ['admin.enableServer=true', 'admin.serverAddress=127.0.0.1', 'admin.serverPort=0'];
  await using server = await probedServer(lines).start();
  const port = Number(/admin server on 127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1]);
  await using client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
  const bystander = new Bystander(await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS }), '/beside');
  while (bystander.writes === 0) await sleep(5);
  await beginLooking(server);
  const outcomes = new Map<string, number>();
  let inputs = 0;
  const before = residentMiB(server.pid);
  const began = performance.now();
  const enough = (): boolean => bystander.writes > 10 && WANTED.every((each) => outcomes.has(each));
  const attack = async (): Promise<void> => {
    while (inputs < count || (!enough() && inputs < MOST_TIMES * count)) {
      const waitMs = inputs < count ? WAIT_MS : LONG_WAIT_MS;
      inputs++;
      const outcome = await send(port, request(random), random.below(4) === 0, waitMs);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (inputs % 1000 === 0) progress(inputs);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, attack));
  const seconds = (performance.now() - began) / 1000;
  const grownMiB = Math.round(residentMiB(server.pid) - before);
  // whoever asks properly is answered as before, and nothing was changed
  const asked = await fetch(`http://127.0.0.1:${port}/commands/ruok`);
  if (asked.status !== 200) throw new Error(`ruok is answered with ${asked.status}`);
  await bystander.stop();
  const { writes, slowestMs, failures } = bystander;
  if (failures.length > 0) throw new Error(`a client beside: ${failures}`);
  const { data } = await client.get('/beside');
  if (String(data) !== String(writes - 1)) throw new Error(`/beside holds ${data}, ${writes} were written`);
  const { children } = await client.getChildren('/');
  if (children.length !== 2) throw new Error(`nobody made ${children}`);
  await client.close();
  const ended = await server.kill('SIGTERM');
  if (ended !== 0) throw new Error(`the server ended with ${ended}: ${server.stderr}`);
  return { inputs, seconds, outcomes, writes, slowestMs, grownMiB, ...blocksOf(server) };
}

export const showAdmin = (found: AdminSiege): string => {
  const { inputs, seconds, outcomes, writes, slowestMs, grownMiB } = found;
  const all = [...outcomes].map(([name, many]) => `${name} ${many}`).join('; ');
  return (
    `${inputs} requests in ${seconds.toFixed(1)} s: ${all}; beside: ${writes} writes, none failed, the slowest took ` +
    `${slowestMs.toFixed(0)} ms; ${showBlocks(found)}; its memory grew by ${grownMiB} MiB`
  );
};

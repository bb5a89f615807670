/**
 * A load for the measurements by hand, in a process of its own: `load.js create|set|touch PORT COUNT [KEYS] [CONNECTIONS] [DEPTH]`.
 * Every connection keeps DEPTH requests under way on nodes below `/p`: creates of 100 bytes, sets of random nodes to 1 to 199
 * bytes, so that no slot of an allocator fits again by chance, or to one byte (touch). Prints one line of JSON at the end.
 */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const DATA_BYTES = 100;
const NAME_DIGITS = 8;

export interface LoadFigures {
  readonly count: number;
  readonly refused: number;
  readonly seconds: number;
}

/** The handshake of a new session with a timeout of 30 s. */
export function hello(): Buffer {
  const bytes = Buffer.alloc(4 + 45);
  bytes.writeInt32BE(45, 0);
  bytes.writeInt32BE(30_000, 16);
  bytes.writeInt32BE(16, 28);
  return bytes;
}

const path = (key: number): string => `/p/${String(key).padStart(NAME_DIGITS, '0')}`;

export type LoadKind = 'create' | 'set' | 'touch';

/** A create or setData of the node `key` as it goes onto the wire, its data filled with something of its own. */
export function request(kind: LoadKind, key: number, xid: number): Buffer {
  const name = path(key);
  const most = kind === 'set' ? 2 * DATA_BYTES - 1 : 1;
  const size = kind === 'create' ? DATA_BYTES : 1 + Math.floor(Math.random() * most);
  const bytes = Buffer.alloc(12 + 4 + name.length + 4 + size + (kind === 'create' ? 4 + 4 + 9 + 10 + 4 : 4));
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt32BE(xid, 4);
  bytes.writeInt32BE(kind === 'create' ? 1 : 5, 8);
  let at = bytes.writeInt32BE(name.length, 12);
  at += bytes.latin1Write(name, at);
  at = bytes.writeInt32BE(size, at);
  bytes.fill(33 + (xid % 90), at, at + size);
  at += size;
  if (kind !== 'create') {
    bytes.writeInt32BE(-1, at);
    return bytes;
  }
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt32BE(31, at);
  at = bytes.writeInt32BE(5, at);
  at += bytes.latin1Write('world', at);
  at = bytes.writeInt32BE(6, at);
  at += bytes.latin1Write('anyone', at);
  bytes.writeInt32BE(0, at);
  return bytes;
}

/** One request below the root: the parent of all the others. */
export function parent(): Buffer {
  const bytes = Buffer.alloc(12 + 6 + 4 + 4 + 4 + 9 + 10 + 4);
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt32BE(1, 4);
  bytes.writeInt32BE(1, 8);
  bytes.writeInt32BE(2, 12);
  bytes.latin1Write('/p', 16);
  bytes.writeInt32BE(0, 18);
  bytes.writeInt32BE(1, 22);
  bytes.writeInt32BE(31, 26);
  bytes.writeInt32BE(5, 30);
  bytes.latin1Write('world', 34);
  bytes.writeInt32BE(6, 39);
  bytes.latin1Write('anyone', 43);
  return bytes;
}

/** Cuts replies off a socket; `onReply` gets the error number of each but the handshake's. */
export function replies(
  socket: Socket,
  onReady: () => void,
  onReply: (err: number) => void,
  onChunk: () => void,
): void {
  let rest: Buffer = Buffer.alloc(0);
  let ready = false;
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 4 && bytes.length - at >= 4 + bytes.readInt32BE(at)) {
      if (ready) onReply(bytes.readInt32BE(at + 16));
      else {
        ready = true;
        onReady();
      }
      at += 4 + bytes.readInt32BE(at);
    }
    rest = bytes.subarray(at);
    onChunk();
  });
}

function run(kind: LoadKind, port: number, count: number, keys: number, width: number, depth: number): void {
  const began = performance.now();
  let sent = 0;
  let done = 0;
  let refused = 0;
  let open = 0;
  for (let i = 0; i < width; i++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let free = depth;
    let xid = 0;
    const fill = (): void => {
      const batch: Buffer[] = [];
      for (; free > 0 && sent < count; free--, sent++)
        batch.push(request(kind, kind === 'create' ? sent : Math.floor(Math.random() * keys), ++xid & 0x7fff_ffff));
      if (batch.length > 0) socket.write(Buffer.concat(batch));
    };
    replies(
      socket,
      () => open++,
      (err) => {
        done++;
        free++;
        if (err !== 0) refused++;
      },
      () => {
        if (done < count) return fill();
        if (open === 0) return;
        open = 0;
        const figures: LoadFigures = { count: done, refused, seconds: (performance.now() - began) / 1000 };
        process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
      },
    );
    socket.on('close', () => {
      process.stderr.write(`a connection ended after ${done} replies\n`);
      process.exit(1);
    });
    socket.on('error', () => {});
    socket.write(hello());
  }
}

/** Runs the load in a process of its own, at a lower priority than the server's. @throws Error when it fails */
export function load(
  kind: LoadKind,
  port: number,
  count: number,
  keys = count,
  width = 64,
  depth = 16,
): Promise<LoadFigures> {
  const figures = [kind, port, count, keys, width, depth].map(String);
  const child = spawn('nice', ['-n', '5', process.execPath, fileURLToPath(import.meta.url), ...figures], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    // not `exit`: what it printed may come after that
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(out) as LoadFigures) : reject(new Error(`the load ended with ${code}`)),
    );
  });
}

/** Makes `/p`. */
export function makeParent(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    replies(
      socket,
      () => socket.write(parent()),
      (err) => {
        socket.destroy();
        if (err === 0) resolve();
        else reject(new Error(`/p was refused with ${err}`));
      },
      () => {},
    );
    socket.once('error', reject);
    socket.write(hello());
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [kind, port, count, keys, width, depth] = process.argv.slice(2);
  run(
    kind === 'set' || kind === 'touch' ? kind : 'create',
    Number(port),
    Number(count),
    Number(keys),
    Number(width),
    Number(depth),
  );
}

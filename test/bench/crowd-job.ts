/**
 * A crowd of clients in a process of its own, each a socket and a session, for measurements: `crowd-job.js`, forked. Told
 * `open PORT COUNT`, `flood PORT` (opens connections and drops them, as many as it can, or so many a second), `slow PORT COUNT`
 * (a byte of the handshake a second from each) or `look`, it answers each message with a {@link CrowdReport}.
 */
import { connect, type Socket } from 'node:net';
import { hello as firstFrame } from './load.ts';

export interface CrowdReport {
  /** Connections whose session is established. */
  readonly open: number;
  /** Sessions that the server said are over. */
  readonly expired: number;
  /** Connections opened so far. */
  readonly connections: number;
}
export type CrowdOrder =
  | { readonly what: 'open' | 'slow'; readonly port: number; readonly count: number }
  | { readonly what: 'flood'; readonly port: number; readonly perSecond?: number }
  | { readonly what: 'look' | 'end' };

const PING = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);
/** A third of the timeout that {@link firstFrame} asks for. */
const PING_MS = 10_000;
const AGAIN_MS = 20;
/** Connections of a flood under way at a time. */
const FLOOD = 200;
/** Sessions begun at a time: what is measured is not their beginning. */
const OPENING = 200;

let open = 0;
let expired = 0;
let connections = 0;
let isOver = false;

function client(port: number, ready: () => void): void {
  let known: Buffer | undefined;
  let first = true;
  const begin = (): void => {
    if (isOver) return;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    connections++;
    let isOpen = false;
    socket.once('connect', () => socket.write(known ?? firstFrame()));
    socket.on('data', (chunk: Buffer) => {
      if (isOpen || chunk.length < 40) return;
      const session = chunk.subarray(12, 20);
      if (session.readBigInt64BE(0) === 0n) {
        expired++;
        known = undefined;
        socket.destroy();
        return;
      }
      isOpen = true;
      open++;
      known = firstFrame();
      session.copy(known, 20);
      chunk.copy(known, 32, 24, 40);
      if (first) ready();
      first = false;
    });
    const ping = setInterval(() => isOpen && socket.write(PING), PING_MS);
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(ping);
      if (isOpen) open--;
      isOpen = false;
      setTimeout(begin, AGAIN_MS + Math.random() * AGAIN_MS);
    });
  };
  begin();
}

function openAll(port: number, count: number): void {
  let begun = 0;
  const next = (): void => {
    if (begun++ < count) client(port, next);
  };
  for (let i = 0; i < OPENING; i++) next();
}

/** Each second the same number, a few every ms: what could not be opened in time is made up for, up to {@link FLOOD}. */
function evenly(port: number, perSecond: number): void {
  let due = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    due = Math.min(FLOOD, due + ((now - last) * perSecond) / 1000);
    last = now;
    for (; due >= 1; due--) {
      connections++;
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => socket.destroy());
      socket.on('error', () => {});
    }
  }, 1);
}

function flood(port: number): void {
  const one = (): void => {
    if (isOver) return;
    connections++;
    const socket: Socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', one);
  };
  for (let i = 0; i < FLOOD; i++) one();
}

function slow(port: number, count: number): void {
  const bytes = firstFrame();
  const one = (): void => {
    if (isOver) return;
    connections++;
    const socket = connect({ port, host: '127.0.0.1' });
    let at = 0;
    socket.once('connect', () => {
      open++;
      const drip = setInterval(() => socket.write(bytes.subarray(at, ++at)), 1000);
      socket.once('close', () => {
        open--;
        clearInterval(drip);
      });
    });
    socket.on('error', () => {});
    socket.once('close', () => setTimeout(one, AGAIN_MS));
  };
  for (let i = 0; i < count; i++) setTimeout(one, i / 2);
}

process.on('message', (order: CrowdOrder) => {
  if (order.what === 'open') openAll(order.port, order.count);
  else if (order.what === 'flood')
    if (order.perSecond === undefined) flood(order.port);
    else evenly(order.port, order.perSecond);
  else if (order.what === 'slow') slow(order.port, order.count);
  else if (order.what === 'end') {
    isOver = true;
    process.exit(0);
  }
  process.send?.({ open, expired, connections } satisfies CrowdReport);
});
process.on('disconnect', () => process.exit(0));

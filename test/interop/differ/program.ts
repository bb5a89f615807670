/** Programs that are run against two servers: what they are made of, how they go onto the wire, how people read them. */
import { inspect } from 'node:util';
import { Writer } from '../../../src/protocol/bytes.ts';
import { OPERATIONS, type OperationName, XID } from '../../../src/protocol/operations.ts';
import type { Kind } from '../../../src/protocol/record.ts';

/** Opcodes that no client is meant to send alone. */
const ODD = { notification: 0, check: 13, deleteContainer: 20, unknown: 99, createSession: -10 } as const;
export const CODES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.entries(OPERATIONS).map(([name, { code }]) => [name, code])),
  ...ODD,
};
export const nameOf = (code: number): string => Object.keys(CODES).find((name) => CODES[name] === code) ?? `${code}`;

/**
 * One request. In it `$` at the beginning of a text stands for the program's root, and a `relativeZxid` counts from the zxid
 * that made this root; -1 is the last one that the session has seen.
 */
export interface Ask {
  readonly op: string;
  readonly request?: unknown;
  /** Bytes behind the header, in place of a request. */
  readonly raw?: Buffer;
  /** So many bytes of the body are sent, no more. */
  readonly cut?: number;
}
export type Step =
  /** Written at once: more than one are pipelined. */
  | { readonly kind: 'ask'; readonly who: number; readonly asks: readonly Ask[] }
  /** The connection goes, the session stays; the next request takes it up again. */
  | { readonly kind: 'cut'; readonly who: number };
export interface Program {
  readonly seed: number;
  readonly steps: readonly Step[];
}
export const SESSIONS = 3;

/** What stands for what, on one server, in one run. */
export interface Place {
  /** `/d` and digits, as long in every run. */
  readonly root: string;
  readonly base: bigint;
}

/** Every text and zxid of a request, as this server is to get it. */
function placed(value: unknown, place: Place, seen: bigint): unknown {
  if (typeof value === 'string') return value.startsWith('$') ? place.root + value.slice(1) : value;
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((each) => placed(each, place, seen));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) =>
      key === 'relativeZxid'
        ? [key, each === -1n ? seen : place.base + (each as bigint)]
        : [key, placed(each, place, seen)],
    ),
  );
}

/** The xid that the reply will carry: pings have their own, whatever the request said. */
export const xidOf = (op: string, next: number): number =>
  op === 'ping' ? XID.ping : op === 'auth' ? XID.auth : op.startsWith('setWatches') ? XID.setWatches : next;

/** A frame, with its length. `seen`: the last zxid that the session has seen. */
export function encode(ask: Ask, xid: number, place: Place, seen: bigint): Buffer {
  const body = new Writer();
  body.int32(0);
  body.int32(xid);
  body.int32(CODES[ask.op] as number);
  const start = body.at;
  if (ask.raw !== undefined) {
    const raw = Buffer.from(ask.raw.toString('latin1').replaceAll('$', place.root), 'latin1');
    body.room(raw.length);
    body.bytes.set(raw, body.at);
    body.at += raw.length;
  } else (kindOf(ask.op) as Kind<unknown>).write(body, placed(ask.request, place, seen));
  const bytes = ask.cut === undefined ? body.take() : body.take().subarray(0, start + ask.cut);
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}
/** A check alone is written as a delete is. */
const kindOf = (op: string): unknown => OPERATIONS[(op === 'check' ? 'delete' : op) as OperationName].request;

const show = (value: unknown): string =>
  inspect(value, { depth: 9, breakLength: Number.POSITIVE_INFINITY, compact: true, maxArrayLength: null });
/** A line for each step and request. */
export function print({ seed, steps }: Program): string {
  const lines = [`program ${seed}`];
  for (const step of steps) {
    lines.push(
      `  s${step.who} ${step.kind === 'cut' ? 'loses its connection' : step.asks.length > 1 ? 'at once:' : ''}`,
    );
    if (step.kind === 'ask')
      for (const { op, request, raw, cut } of step.asks)
        lines.push(`    ${op} ${show(raw ?? request)}${cut === undefined ? '' : `, its first ${cut} bytes`}`);
  }
  return lines.join('\n');
}
export const asksOf = ({ steps }: Program): number =>
  steps.reduce((sum, step) => sum + (step.kind === 'ask' ? step.asks.length : 1), 0);

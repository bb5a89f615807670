import type { Socket } from 'node:net';
import type { Placed } from '../base/bag.ts';
import type { FrameCutter } from '../protocol/frame.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { ClientConnection } from '../server/connection.ts';
import { isWrite } from '../server/writes.ts';

const { auth, getAllChildrenNumber, getChildren, getChildren2, getEphemerals, multi, multiRead, sasl } = OPERATIONS;
const { setWatches, setWatches2 } = OPERATIONS;
/** Of what is asked for in a few bytes and may take ms: whatever goes over many nodes. */
const LONG: ReadonlySet<number> = new Set(
  [getAllChildrenNumber, getChildren, getChildren2, getEphemerals, multi, multiRead, setWatches, setWatches2].map(
    ({ code }) => code,
  ),
);
export const isLong = (type: number): boolean => LONG.has(type);
/** Nothing comes of it but an answer; a login decides what later writes may do. */
export const isAnswerAlone = (type: number): boolean => !isWrite(type) && type !== auth.code && type !== sasl.code;

/** One socket and what it is to the server. */
export interface Client extends Placed {
  readonly connection: ClientConnection;
  readonly socket: Socket;
  readonly cutter: FrameCutter;
  /** The first bytes, until it is known whether they are a word or a frame. */
  head: Buffer | undefined;
  timer: Disposable | undefined;
  paused: boolean;
  ended: boolean;
  /** Requests it may still do in this turn. */
  share: number;
  /** Requests wait in the cutter for a later turn. */
  deferred: boolean;
  /** Its last bytes are in the cutter; `gone`: nobody is there any more who would read an answer. */
  last: 'no' | 'ending' | 'gone';
  queued: boolean;
  readonly onFrame: (bytes: Buffer, start: number, end: number) => boolean;
}

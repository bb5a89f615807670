import type { Member } from '../../src/records/txns.ts';
import type { Peer } from '../../src/zab/peer.ts';
import { type Entry, type Limits, type Mark, type Note, ORIGIN, type Position } from '../../src/zab/types.ts';
import type { Copy, SimDisk } from './sim-disk.ts';
import type { Link } from './sim-net.ts';

export const LIMITS: Limits = { notify: 2, notifyMost: 8, drain: 2, ping: 2, init: 30, sync: 12, silence: 8, ask: 4 };
const NO_BYTES = new Uint8Array(0);

let payload = 0;
/** The entry after `last`; each has a chain of its own. */
export function entryAfter(last: Mark, epoch: number, counter: number, note?: Note): Entry {
  payload = (payload + 1) | 0;
  const chainHi = (Math.imul(last.chainHi ^ payload, 0x9e3779b1) + last.chainLo) | 0;
  const chainLo = (Math.imul(last.chainLo ^ counter, 0x85ebca6b) + epoch) | 0;
  return { epoch, counter, chainHi, chainLo, bytes: NO_BYTES, note };
}
export const memberOf = (sid: number, incarnation: string | null, role: Member['role'] = 'participant'): Member => ({
  sid,
  role,
  incarnation,
  addresses: [],
  client: null,
});

/** A simulated member: its directory, and while it lives its machine. */
export class Node {
  readonly sid: number;
  readonly disk: SimDisk;
  peer: Peer | undefined;
  life = 0;
  pausedUntil = 0;
  /** What came while it was paused, in order. */
  held: (() => void)[] = [];
  /** Index of the last entry applied in this life; what the loader applies counts. */
  applied = -1;
  /** The last that was seen on its disk. */
  currentEpoch = 0;
  tail: Mark = ORIGIN;
  /** Where the last config record of its log stands, while it leads. */
  configAt: Position = ORIGIN;
  writing = [false, false];
  gathered = false;
  /** It leads and may be asked to write. */
  serves = false;
  /** Its disk does nothing any more in this life. */
  diskFails = false;
  /** What its directory was some time ago. */
  copy: Copy | undefined;
  snapshotIn: readonly Entry[] = [];
  readonly links = new Map<number, Link>();
  constructor(sid: number, disk: SimDisk) {
    this.sid = sid;
    this.disk = disk;
  }
  get leads(): boolean {
    return this.peer?.role === 'leading' && this.peer.phase === 'broadcast';
  }
}

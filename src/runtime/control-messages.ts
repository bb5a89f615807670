import type { DamageNote } from './damage-notes.ts';
import type { LogLevel } from './log.ts';
import type { FaultsInForce } from './peer-faults.ts';

/** What a member is and does, as it sees it itself. Zxids are hexadecimal texts. */
export interface ServerStatus {
  readonly sid: number;
  /** `looking`: it has no leader now, and serves nobody. `standalone`: it leads nobody but itself. */
  readonly role: 'leader' | 'follower' | 'observer' | 'looking' | 'standalone';
  /** Where in its role it is: election, discovery, synchronization, broadcast, ... */
  readonly phase: string;
  /** Clients are served. */
  readonly serving: boolean;
  readonly epoch: number;
  /** The last transaction that it applied. */
  readonly zxid: string;
  readonly leader: number | undefined;
  readonly clientPort: number | undefined;
  /** Of a leader: every change of members is done, so that who is not among them any more may go (foundations.md 13.7). */
  readonly settled: boolean;
  readonly clients: number;
  /** That it is damaged and who repairs it, or what it waits for, a short phrase; undefined when it is whole. */
  readonly repair: string | undefined;
  /** What was damaged since its start, and how it was mended. */
  readonly damage: readonly DamageNote[];
  /** How long the last election took that this member took part in, ms. */
  readonly electionMs: number | undefined;
}
/** The same with what the process adds. */
export interface MemberStatus extends ServerStatus {
  readonly pid: number;
  readonly faults: FaultsInForce & { readonly clientsCut: boolean };
}
export interface TreeDigest {
  /** The state that it is of. */
  readonly zxid: string;
  /** Hexadecimal. */
  readonly digest: string;
}

/** What a backup begins with: so many bytes of a snapshot follow the line. */
export interface BackupAnnouncement {
  readonly zxid: string;
  readonly bytes: number;
  readonly sid: number;
  /** The highest that the member promised anybody. */
  readonly epoch: number;
  /** Of the program. */
  readonly version: string;
  /** ms since 1970, by the member's clock. */
  readonly takenAt: number;
}

/** One line of JSON to a member. */
export type ControlRequest =
  | { readonly op: 'status' }
  | { readonly op: 'digest' }
  | { readonly op: 'snapshot' }
  /** A new snapshot that holds all that was acknowledged before; its bytes come behind the answer. */
  | { readonly op: 'backup' }
  /** Removes files beyond so many snapshots. */
  | { readonly op: 'purge'; readonly keep: number }
  /** Cuts the member off from these servers and no others; with `clients` from all clients too. */
  | { readonly op: 'partition'; readonly from: readonly number[]; readonly clients: boolean }
  | { readonly op: 'lag'; readonly ms: number }
  | { readonly op: 'heal' }
  /** Tells what is logged, after changing it when `level` is there. */
  | { readonly op: 'log'; readonly level?: LogLevel }
  | { readonly op: 'stop' };
/** What each is answered with when it was done. */
export interface ControlResults {
  readonly status: MemberStatus;
  readonly digest: TreeDigest;
  readonly snapshot: { readonly zxid: string };
  readonly backup: BackupAnnouncement;
  /** The first 1000 of them. */
  readonly purge: { readonly removed: readonly string[]; readonly count: number };
  readonly partition: MemberStatus['faults'];
  readonly lag: MemberStatus['faults'];
  readonly heal: MemberStatus['faults'];
  readonly log: { readonly level: string };
  readonly stop: Record<string, never>;
}
/** One line of JSON back, in the order of the requests. */
export type ControlAnswer =
  | { readonly ok: true; readonly result: ControlResults[keyof ControlResults] }
  | { readonly ok: false; readonly error: string };

/** The longest line either way, bytes. */
export const MAX_CONTROL_LINE = 64 * 1024;

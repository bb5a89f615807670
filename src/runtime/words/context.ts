import type { Member } from '../../records/txns.ts';
import type { ServerConfig } from '../../server/config.ts';
import type { EnsembleConfig } from '../../server/config-ensemble.ts';
import type { ClientConnection } from '../../server/connection.ts';
import type { Server } from '../../server/server.ts';
import type { DamageNotes } from '../damage-notes.ts';
import type { Tally } from '../tally.ts';
import type { Traffic } from '../traffic.ts';

/** What the words tell besides the server's own figures. */
export interface WordContext {
  readonly server: Server;
  readonly config: ServerConfig;
  readonly connections: Iterable<{ readonly connection: ClientConnection }> & { readonly size: number };
  readonly version: string;
  readonly started: number;
  /** What happened since the process began. */
  readonly tally: Tally;
  readonly damage: DamageNotes;
  readonly traffic: Traffic;
  /** TLS handshakes of clients that are begun and not done. */
  readonly handshakes: number;
  /** Of a leader. */
  learners(): readonly LearnerRow[];
}
/** Who learns from this leader, and how its connection is. */
export interface LearnerRow {
  readonly sid: number;
  readonly isObserver: boolean;
  /** `host:port`. */
  readonly address: string;
  /** ms since 1970. */
  readonly established: number;
  readonly waitingBytes: number;
  /** Messages; to be set to 0 by whoever counts anew. */
  readonly traffic: { sent: number; received: number };
  /** Up to where it was sent what is proposed. */
  readonly zxid: bigint;
  /** Transactions that a voter in step does not have on its disk yet; undefined of others. */
  readonly behind: number | undefined;
}
/** The whole text a word answers; `argument` is what came behind the word. */
export type Word = (context: WordContext, argument: Buffer) => string;

/** What this server is to its ensemble by the last reconfig; before it has met one, by zoo.cfg. Undefined: it was removed. */
export function roleIn({ sid, role }: EnsembleConfig, { tree }: Server): Member['role'] | undefined {
  return tree.config === undefined ? role : tree.config.members.find((member) => member.sid === sid)?.role;
}

/** As ZooKeeper's words call what this server does. */
export const mode = ({
  server: { peer, readOnly },
}: WordContext): 'standalone' | 'leader' | 'observer' | 'follower' | 'read-only' => {
  if (readOnly) return 'read-only';
  if (!peer.isMember) return 'standalone';
  return peer.role === 'leading' ? 'leader' : peer.role === 'observing' ? 'observer' : 'follower';
};

/** As Java prints a mean: at least one place, at most four. */
export const mean = (total: number, count: number): string => {
  const value = count === 0 ? 0 : total / count;
  return Number.isInteger(value) ? `${value}.0` : String(Number(value.toFixed(4)));
};

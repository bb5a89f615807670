import type { SessionId } from '../base/ids.ts';
import type { Reader } from '../protocol/bytes.ts';
import type { PeerMessage } from '../records/peer-messages.ts';
import type { CreateSessionTxn } from '../records/txns.ts';
import type { ClientConnection } from './connection.ts';
import type { Numbered } from './replica.ts';
import type { TrackedSession } from './sessions.ts';

/**
 * Where a serving member takes what only the leader can decide: writes, the beginning and end of sessions, and sync. The
 * leader decides at its own desk; a learner's desk sends everything on.
 */
export interface Desk {
  /** Requests taken here that are not in this server's log yet. */
  readonly waiting: number;
  /** No request may be given now: it must be kept back until {@link Office.goOn} or the next epoch. */
  readonly holds: boolean;
  /** Sessions may begin as this member's own: whoever decides takes what they ask for. */
  readonly takesLocal: boolean;
  /** A client of this session sent something to this server. */
  heard(session: TrackedSession): void;
  write(
    connection: ClientConnection,
    xid: number,
    type: number,
    from: Reader,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /** Takes a sync; false: nothing is open, answer it like a read. */
  sync(connection: ClientConnection, bytes: Buffer, start: number, end: number): boolean;
  createSession(connection: ClientConnection): void;
  /** A session of this member alone becomes everybody's, before anything asked later; false: nothing can be begun any more. */
  upgrade(connection: ClientConnection, txn: CreateSessionTxn): boolean;
  /** Takes up session `id` again, if it lives and the password is its own; the client is told either way. */
  resume(connection: ClientConnection, id: SessionId, password: Uint8Array): void;
  /** An entry came into the log: who asked for it here waits for it from now on. */
  bind(numbered: Numbered): void;
  /** The session is over. */
  forget(session: TrackedSession): void;
  /** What was held back may go on. */
  goOn(): void;
  /** What another member says, its bytes ours to keep; a learner's messages come by their link, the leader's under link 0. */
  received(link: number, message: PeerMessage): void;
  /** That learner's link is no more. */
  gone(link: number): void;
  /** Before proposals are handed on: learners are told which of them came of their requests. */
  tell(): void;
  /** At the end of a turn, behind its proposals: the number of a sync that zab is to be asked for, if there is one. */
  nextSync(): number | undefined;
  /** zab answered that sync: it is certain that this member led after it was asked. */
  synced(id: number): void;
}

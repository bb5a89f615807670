import { OPERATIONS } from '../protocol/operations.ts';
import type { ClientConnection } from './connection.ts';
import type { Desk } from './desk.ts';
import { isWrite } from './writes.ts';

/** What a read-only server does not do (semantics.md 15): whatever needs the ensemble. */
export const needsEnsemble = (type: number): boolean =>
  isWrite(type) || type === OPERATIONS.sync.code || type === STANDALONE_CHECK;
/** The operation `check` outside of a multi, which only read-only servers know by name. */
const STANDALONE_CHECK = 13;

/** The desk of a member that found no leader: there is nobody to ask, so whoever wants more than a local session is sent away. */
export class ReadOnlyDesk implements Desk {
  readonly waiting = 0;
  readonly takesLocal = true;
  readonly holds = false;
  private readonly end: (connection: ClientConnection) => void;

  constructor(end: (connection: ClientConnection) => void) {
    this.end = end;
  }
  createSession(connection: ClientConnection): void {
    this.end(connection);
  }
  /** Whether a session of the ensemble lives is not known here; its client looks for a server that knows. */
  resume(connection: ClientConnection): void {
    this.end(connection);
  }
  upgrade(): boolean {
    return false;
  }
  write(connection: ClientConnection): void {
    this.end(connection); // refused before it comes here
  }
  sync(): boolean {
    return false;
  }
  heard(): void {}
  bind(): void {}
  forget(): void {}
  goOn(): void {}
  received(): void {}
  gone(): void {}
  tell(): void {}
  nextSync(): undefined {}
  synced(): void {}
}

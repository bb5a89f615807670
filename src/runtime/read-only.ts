import type { Server } from '../server/server.ts';

/** At least this long a member looks for a leader before it serves without one, ms. */
const PATIENCE_MS = 2000;

export interface ReadOnlyOptions {
  readonly tickMs: number;
  /** The present state's. */
  readonly server: () => Server;
  /** What is held here is whole and this member's own: nothing damaged, lost or half given anew. */
  readonly isWhole: () => boolean;
  /** It serves from now on, or no more: then nobody may stay connected. */
  begun(): void;
  ended(): void;
}

/** When a member that finds no leader serves those who only read, and when it stops (semantics.md 15). */
export class ReadOnlyMode {
  private readonly options: ReadOnlyOptions;
  /** Since when it looks, monotonic ms. */
  private since: number | undefined;
  private on = false;

  constructor(options: ReadOnlyOptions) {
    this.options = options;
  }
  /** To be called behind whatever zab was told: nobody may read what it is about to cut off or to replace. */
  consider(): void {
    const { server, tickMs, isWhole, begun, ended } = this.options;
    const { peer, readOnly, now, applying } = server();
    const looks = peer.role === 'looking';
    if (!looks) this.since = undefined;
    else this.since ??= now;
    const may = looks && isWhole();
    if (this.on && (!may || !readOnly)) {
      this.on = false;
      this.since = looks ? now : undefined;
      server().look();
      ended();
    } else if (!this.on && may && !applying && now - (this.since ?? now) >= Math.max(PATIENCE_MS, tickMs)) {
      this.on = true;
      server().serveReadOnly();
      begun();
    }
  }
}

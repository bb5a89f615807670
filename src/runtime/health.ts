import type { Clock } from '../ports/clock.ts';
import { Writer } from '../protocol/bytes.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { ServerConfig } from '../server/config.ts';
import { isLoopback } from '../server/config-servers.ts';
import { ClientConnection } from '../server/connection.ts';
import type { Server } from '../server/server.ts';
import type { Tally } from './tally.ts';

/** How long a quorum may take to confirm, ms; and for how long an answer counts. */
const PATIENCE_MS = 2000;
const FRESH_MS = 1000;
const NOT_SERVING = 'this server serves no clients now';

export interface HealthOptions {
  readonly clock: Clock;
  readonly tally: Tally;
  /** The present state, its clocks set. */
  server(): Server;
  /** What was asked is to be sent. */
  turn(): void;
  /** What makes this server less safe than it could be, a clause each. */
  readonly weaknesses?: readonly string[];
}

/** What an operator asked for that costs safety: he is reminded for as long as it is so. */
export function weaknessesOf({ forceSync, ensemble }: Pick<ServerConfig, 'forceSync' | 'ensemble'>): string[] {
  const found: string[] = [];
  if (!forceSync) found.push('forceSync=no, a power cut loses writes that were acknowledged');
  if (ensemble === undefined || !ensemble.insecure) return found;
  const { servers, secretFile, tls } = ensemble;
  const isOpen = secretFile === undefined && (tls === undefined || tls.takesPlain);
  const beyond = servers.some(({ quorum, election }) => [...quorum, ...election].some(({ host }) => !isLoopback(host)));
  if (isOpen && beyond)
    found.push(
      'peer.insecure=true, whoever reaches the ports between members can join the ensemble and change its data',
    );
  return found;
}

/** What a probe is told. */
export interface Verdict {
  readonly ok: boolean;
  /** Why not, a clause. */
  readonly why: string | undefined;
}

/** Asks for a sync as a client does that has no session and reads no answer. Nothing is written. */
class Prober extends ClientConnection {
  readonly done: (isConfirmed: boolean) => void;
  constructor(wall: number, done: (isConfirmed: boolean) => void) {
    super(0, '127.0.0.1', 0, wall);
    this.done = done;
    this.state = 'open';
    this.owner = { ended: false, socket: { destroyed: true, destroySoon: () => done(false) } };
  }
  override answered(): void {
    this.done(true);
  }
}

/** What probes of a service manager ask. */
export class Health {
  private readonly options: HealthOptions;
  private known: { readonly at: number; readonly verdict: Promise<Verdict> } | undefined;
  constructor(options: HealthOptions) {
    this.options = options;
  }
  /** What else whoever looks after this server should know, a clause. */
  get remark(): string | undefined {
    const { tally, weaknesses = [] } = this.options;
    const { adminDown } = tally;
    const all = [...(adminDown === undefined ? [] : [`no admin server: ${adminDown}`]), ...weaknesses];
    return all.length === 0 ? undefined : all.join('; ');
  }
  /** Clients are served: a session can be had here. */
  ready(): Verdict {
    const { serving, peer, options } = this.options.server();
    if (!serving) return { ok: false, why: NOT_SERVING };
    const isIdle = peer.role === 'leading' && !options.leaderServes;
    return { ok: !isIdle, why: isIdle ? 'this server leads, and takes no sessions then (leaderServes=no)' : undefined };
  }
  /** A quorum confirms that this server is where the ensemble is, and the disk did not refuse the last write. */
  healthy(): Promise<Verdict> {
    const { clock } = this.options;
    const now = clock.monotonic();
    if (this.known === undefined || now - this.known.at >= FRESH_MS) this.known = { at: now, verdict: this.ask() };
    return this.known.verdict;
  }
  private async ask(): Promise<Verdict> {
    const { tally } = this.options;
    // a leader that takes no sessions is well
    if (!this.options.server().serving) return { ok: false, why: NOT_SERVING };
    if (tally.diskFailed) return { ok: false, why: 'the last write to the disk failed' };
    if (!(await this.sync())) return { ok: false, why: `no quorum confirmed within ${PATIENCE_MS} ms` };
    return { ok: true, why: undefined };
  }
  private sync(): Promise<boolean> {
    const { clock, server: present, turn } = this.options;
    const server = present();
    return new Promise((resolve) => {
      const timer = clock.after(PATIENCE_MS, () => resolve(false));
      const done = (isConfirmed: boolean): void => {
        timer[Symbol.dispose]();
        resolve(isConfirmed);
      };
      // alone it is its own quorum: what it was given before is to be on its disk
      if (!server.peer.isMember) server.await(server.last, () => done(true));
      else {
        const to = new Writer(32);
        to.int32(1);
        to.int32(OPERATIONS.sync.code);
        to.text('/');
        const frame = to.take();
        const prober = new Prober(server.wall, done);
        // nobody has to log in to ask whether this server is well
        prober.identities = [...(server.options.auth.enforced ?? [])].map((scheme) => ({ scheme, id: '' }));
        server.receive(prober, frame, 0, frame.length);
      }
      turn();
    });
  }
}

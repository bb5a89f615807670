/** Holding something as long as an ephemeral node lives, and knowing in time when it may not. */
import type { Zxid } from '../base/ids.ts';
import type { Client, ClientState, WatchListener } from '../client/api.ts';
import { codeOf, removeLater, removeOwn, untilAnswered } from './certain.ts';
import { checkNode, FRESH, type Place } from './contest.ts';
import { RecipeError } from './errors.ts';
import type { Style } from './styles.ts';
import { endOf, tell } from './waiting.ts';

/**
 * `held`; `suspended`: the connection is lost and the session may end, stop what can be stopped; `lost` is final and comes
 * before anybody else can be in; `released` by the holder.
 */
export type HoldState = 'held' | 'suspended' | 'lost' | 'released';

/** Something held; `await using` releases it. */
export interface Hold extends AsyncDisposable {
  /** The path that is contended for. */
  readonly path: string;
  /** The node that stands for this holder. */
  readonly node: string;
  /** Grows from holder to holder: give it to what is protected, which refuses smaller ones than it has seen. */
  readonly token: Zxid;
  readonly style: Style;
  readonly state: HoldState;
  /** When it is lost unless a server answers before: monotonic ms of the client's clock. It moves. */
  readonly deadline: number;
  /** Aborts with a RecipeError `Lost` when it is lost. */
  readonly signal: AbortSignal;
  /**
   * Returns a function that takes the listener off again. What it throws is an uncaught exception of the program, and changes
   * nothing of the hold.
   */
  onChange(listener: (state: HoldState) => void): () => void;
  /** Lets the next one in. Waits until that is certain, or the session over. */
  release(): Promise<void>;
}

/** Of the timeout: how much earlier than the server could at the earliest a hold is given up. Clocks may differ by that. */
const MARGIN = 0.1;

/**
 * The hold of one node. It is believed for the timeout, less a margin, from when the last request was sent that the leader
 * has answered: a member that is cut off from the others goes on answering pings while the leader lets the session expire,
 * so the proof is a transaction, a check that the node is there. Whoever looks at `state` is told by the clock, too: after
 * a pause of the process no timer has fired yet.
 */
export class Tenure {
  readonly node: string;
  readonly token: Zxid;
  readonly style: Style;
  readonly #path: string;
  readonly #client: Client;
  readonly #abort = new AbortController();
  /** No more proofs are needed. */
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(state: HoldState) => void>();
  readonly #off: () => void;
  /** Tells our node from the next holder's, where both have the same name. */
  readonly #shared: Zxid | undefined;
  #state: HoldState = 'held';
  #provenAt: number;
  #timeoutMs: number;
  #beating = false;
  #timer: Disposable | undefined;

  constructor(client: Client, path: string, { node, token, provenAt, part, hasCommonName = false }: Place) {
    this.#client = client;
    this.#path = path;
    this.node = node;
    this.token = token;
    this.#shared = hasCommonName ? token : undefined;
    this.style = part.naming.style;
    this.#provenAt = provenAt;
    this.#timeoutMs = client.negotiatedTimeoutMs;
    this.#off = client.on('state', ({ state }) => this.#hear(state));
    this.#hear(client.state);
    this.#arm();
    void this.#watch();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get deadline(): number {
    const timeoutMs = Math.min(this.#timeoutMs, this.#client.negotiatedTimeoutMs);
    return this.#provenAt + timeoutMs * (1 - MARGIN);
  }
  get state(): HoldState {
    // after a pause of the process no timer has fired yet
    if (!this.#over && this.#client.clock.monotonic() >= this.deadline) this.#lose('no answer in time');
    return this.#state;
  }
  get #over(): boolean {
    return this.#state === 'lost' || this.#state === 'released';
  }

  onChange(listener: (state: HoldState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async release(): Promise<void> {
    if (this.state === 'released') return;
    this.#end('released');
    await removeOwn(this.#client, this.node, this.#shared);
  }

  /** It is not held any more, and the node is somebody else's business. */
  settle(): void {
    if (!this.#over) this.#end('released');
  }

  #hear(state: ClientState): void {
    const end = endOf(state);
    if (end !== undefined) this.#lose(end.message, true);
    else if (state === 'suspended') this.#become('suspended');
    else if (this.#state === 'suspended' && !this.#beating) void this.#prove();
  }

  #become(state: HoldState): void {
    if (this.#over || this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) tell(listener, state);
  }

  #end(state: 'lost' | 'released'): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#off();
    this.#stop.abort();
    this.#become(state);
  }

  #lose(why: string, isGone = false): void {
    if (this.#over) return;
    const reason = new RecipeError('Lost', this.#path, `no longer held: ${why}`);
    this.#end('lost');
    this.#abort.abort(reason);
    // the session may live on, and the next one must not wait for it
    if (!isGone) removeLater(this.#client, this.node, this.#shared);
  }

  /** Who deletes the node lets the next one in at once: that is not left to the next proof. Data, since such a watch stays on nothing that is not there. */
  async #watch(): Promise<void> {
    const heard: WatchListener = ({ type }) => {
      if (this.#over) return;
      if (type !== 'NodeDeleted') void this.#watch();
      else if (!this.#beating) void this.#prove();
    };
    try {
      await untilAnswered(this.#client, () => this.#client.get(this.node, { watch: heard }), this.#stop.signal);
    } catch (error) {
      // where it may not be read, the proofs that come anyway tell
      if (codeOf(error) === 'NoNode' && !this.#over && !this.#beating) void this.#prove();
    }
  }

  /** The next thing to do by the clock: a proof, or giving up. */
  #arm(): void {
    if (this.#over) return;
    this.#timer?.[Symbol.dispose]();
    const { clock } = this.#client;
    const now = clock.monotonic();
    const beatAt = this.#provenAt + this.#timeoutMs * FRESH;
    if (!this.#beating && now >= beatAt) void this.#prove();
    const next = this.#beating ? this.deadline : Math.min(this.deadline, beatAt);
    this.#timer = clock.after(Math.max(1, next - now), () => {
      if (this.state !== 'lost') this.#arm();
    });
  }

  /** Asks the leader whether the node is there; again whenever the connection breaks before the answer. */
  async #prove(): Promise<void> {
    this.#beating = true;
    const client = this.#client;
    try {
      this.#proven(await untilAnswered(client, () => checkNode(client, this.node, this.#shared), this.#stop.signal));
    } catch (error) {
      if (codeOf(error) === 'NoNode') this.#lose('its node was deleted', true);
      else this.#lose((error as Error).message);
    }
    this.#beating = false;
    this.#arm();
  }

  #proven(sentAt: number): void {
    if (this.state === 'lost' || this.#over) return; // an answer that came too late is none
    this.#provenAt = Math.max(this.#provenAt, sentAt);
    this.#timeoutMs = this.#client.negotiatedTimeoutMs;
    this.#become('held');
  }
}

/** What one who acquired sees of a tenure; `leave` is what releasing means to those who share it. */
export class Share implements Hold {
  readonly path: string;
  readonly #tenure: Tenure;
  readonly #leave: () => Promise<void>;
  #left: Promise<void> | undefined;
  constructor(path: string, tenure: Tenure, leave = (): Promise<void> => tenure.release()) {
    this.path = path;
    this.#tenure = tenure;
    this.#leave = leave;
  }
  get node() {
    return this.#tenure.node;
  }
  get token() {
    return this.#tenure.token;
  }
  get style() {
    return this.#tenure.style;
  }
  get state() {
    return this.#left === undefined ? this.#tenure.state : 'released';
  }
  get deadline() {
    return this.#tenure.deadline;
  }
  get signal() {
    return this.#tenure.signal;
  }
  onChange(listener: Parameters<Hold['onChange']>[0]): () => void {
    return this.#tenure.onChange(listener);
  }
  release(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Locks: one holder at a time, or many readers; and leaders, who are holders that tell who they are. */
import type { Acl, Client } from '../client/api.ts';
import { contest, type Rules } from './contest.ts';
import { RecipeError } from './errors.ts';
import { checkStyle, LOCK_PARTS, type Part, READ_PARTS, type Style, WRITE_PARTS } from './styles.ts';
import { type Hold, Share, Tenure } from './tenure.ts';
import { orAborted, type WaitOptions, within } from './waiting.ts';

export interface RecipeOptions {
  /** Whose node names; default those that are on the path already, else `zoosh`. */
  readonly style?: Style | undefined;
  /** Who this is, for those who look: the data of the node. */
  readonly id?: string | undefined;
  /** Of every node that is made. Default: everything to anyone. Its holder must be able to read it. */
  readonly acl?: readonly Acl[] | undefined;
}

/** One contender of this session, shared by all who acquire it. */
interface Entry {
  users: number;
  readonly immediate: boolean;
  /** Ends a contest that nobody waits for any more. */
  readonly stop: AbortController;
  readonly tenure: Promise<Tenure>;
  /** Set once it is held. */
  held: Tenure | undefined;
  /** Of a reader: it stands beside the writer of this session. */
  readonly isUnder: boolean;
}

/** What contends by the same nodes, so that one keeps the others out. */
const KINDS = ['lock', 'write', 'read', 'elect'] as const;
type Kind = (typeof KINDS)[number];

/** What each session holds or waits for, by kind and path. */
const tables = new WeakMap<Client, Map<string, Entry>>();
function tableOf(client: Client): Map<string, Entry> {
  let table = tables.get(client);
  if (table === undefined) {
    table = new Map();
    tables.set(client, table);
  }
  return table;
}

/**
 * A fair lock: first come, first served. Re-entrant: whoever acquires it in a session that holds it already is in at once,
 * and it is released when all have released it. Who must be kept apart within one program needs sessions of their own.
 */
export class Lock {
  readonly path: string;
  protected readonly client: Client;
  readonly #options: RecipeOptions;
  readonly #parts: readonly Part[];
  readonly #kind: Kind;

  constructor(
    client: Client,
    path: string,
    options: RecipeOptions = {},
    parts: readonly Part[] = LOCK_PARTS,
    kind: Kind = 'lock',
  ) {
    checkStyle(options.style);
    this.client = client;
    this.path = path;
    this.#options = options;
    this.#parts = parts;
    this.#kind = kind;
  }

  /**
   * Waits until it is held.
   * @throws RecipeError TimedOut, StyleConflict, WouldDeadlock; KeeperError when the session ends; the signal's reason
   */
  async acquire(options: WaitOptions = {}): Promise<Hold> {
    return within(this.client, this.path, options, async (signal) => {
      for (;;)
        try {
          return await this.#join(this.#entry(false), signal);
        } catch (error) {
          // shared with one who would not wait
          if (!(error instanceof RecipeError) || error.code !== 'Busy') throw error;
        }
    });
  }

  /** Undefined when somebody else is in. @throws as `acquire`, but for time */
  async tryAcquire(options: Pick<WaitOptions, 'signal'> = {}): Promise<Hold | undefined> {
    const known = this.#known();
    if (known !== undefined && known.held === undefined && !known.immediate) return undefined;
    return within(this.client, this.path, options, async (signal) => {
      try {
        return await this.#join(this.#entry(true), signal);
      } catch (error) {
        if (error instanceof RecipeError && error.code === 'Busy') return undefined;
        throw error;
      }
    });
  }

  #key(kind: Kind): string {
    return `${kind} ${this.path}`;
  }

  /** What this session holds here as another kind. */
  #held(kind: Kind): Tenure | undefined {
    const held = tableOf(this.client).get(this.#key(kind))?.held;
    return held?.state === 'held' || held?.state === 'suspended' ? held : undefined;
  }

  /** What this session holds or waits for already, which is shared. */
  #known(): Entry | undefined {
    const known = tableOf(this.client).get(this.#key(this.#kind));
    if (known === undefined || known.held?.state === 'lost') return undefined;
    // a reader that waits for those whom the session, which writes by now, keeps waiting would wait for ever
    const isBehind = this.#kind === 'read' && known.held === undefined && !known.isUnder;
    return isBehind && this.#held('write') !== undefined ? undefined : known;
  }

  /** @throws RecipeError WouldDeadlock */
  #refuseOwn(): void {
    const table = tableOf(this.client);
    const reader = table.get(this.#key('read'));
    if (this.#kind === 'write' && reader !== undefined && reader.held?.state !== 'lost')
      throw new RecipeError('WouldDeadlock', this.path, 'this session reads under it and would wait for itself');
    for (const kind of KINDS) {
      const mayBoth = kind === this.#kind || (this.#kind === 'read' && kind === 'write');
      if (!mayBoth && this.#held(kind) !== undefined)
        throw new RecipeError(
          'WouldDeadlock',
          this.path,
          'this session holds it as another recipe and would wait for itself',
        );
    }
  }

  #entry(immediate: boolean): Entry {
    const known = this.#known();
    if (known !== undefined) return known;
    this.#refuseOwn();
    const table = tableOf(this.client);
    const key = this.#key(this.#kind);
    // who writes may read as well
    const writer = this.#kind === 'read' ? this.#held('write') : undefined;
    const { style, id = '', acl } = this.#options;
    const rules: Rules = {
      path: this.path,
      parts: this.#parts,
      style,
      data: id,
      acl,
      places: 1,
      under: writer,
      immediate,
    };
    const stop = new AbortController();
    const forget = (): void => {
      if (table.get(key) === entry) table.delete(key);
    };
    const tenure = contest(this.client, rules, stop.signal).then((place) => {
      entry.held = new Tenure(this.client, this.path, place);
      entry.held.onChange((state) => {
        if (state === 'lost') forget();
      });
      return entry.held;
    });
    tenure.catch(forget);
    const entry: Entry = { users: 0, immediate, stop, tenure, held: undefined, isUnder: writer !== undefined };
    table.set(key, entry);
    return entry;
  }

  async #join(entry: Entry, signal: AbortSignal): Promise<Hold> {
    entry.users++;
    const leave = async (): Promise<void> => {
      if (--entry.users > 0) return;
      const table = tableOf(this.client);
      const key = this.#key(this.#kind);
      if (table.get(key) === entry) table.delete(key);
      entry.stop.abort(new DOMException('given up', 'AbortError'));
      await entry.tenure.then(
        (tenure) => tenure.release(),
        () => {}, // the contest took its node back
      );
    };
    try {
      const tenure = await orAborted(entry.tenure, signal);
      const { style } = this.#options;
      if (style !== undefined && tenure.style !== style)
        throw new RecipeError('StyleConflict', this.path, `this session holds it in style ${tenure.style}`);
      if (tenure.state === 'lost') throw tenure.signal.reason;
      return new Share(this.path, tenure, leave);
    } catch (error) {
      leave().catch(() => {}); // whoever gave up does not wait for the connection to come back
      throw error;
    }
  }
}

/**
 * Many readers or one writer, in the order in which they came. A session that writes may read as well, and go on reading
 * when it has released the other; one that reads cannot ask to write.
 */
export class ReadWriteLock {
  readonly read: Lock;
  readonly write: Lock;
  constructor(client: Client, path: string, options: RecipeOptions = {}) {
    this.read = new Lock(client, path, options, READ_PARTS, 'read');
    this.write = new Lock(client, path, options, WRITE_PARTS, 'write');
  }
}

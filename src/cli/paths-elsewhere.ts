import type { Client } from '../client/api.ts';
import { Failure } from '../shell/failure.ts';
import { PathSource } from '../shell/path-source.ts';

/** A session that no Tab has asked for so long is ended, ms. */
const IDLE_MS = 20_000;
/** Who presses Tab does not wait longer for a server that says nothing, ms. */
const OPEN_MS = 3000;

interface Kept {
  readonly paths: PathSource;
  client: Promise<Client> | undefined;
  idle: NodeJS.Timeout | undefined;
}

/**
 * Nodes of other ensembles for Tab at a prompt, as in `cp /a @prod:/b`: a session for each, begun with the first Tab that
 * names it, and ended when none has for a while.
 */
export class PathsElsewhere {
  readonly #open: (target: string) => Promise<Client>;
  readonly #kept = new Map<string, Kept>();
  #isClosed = false;

  /** `open` begins a session with a target such as `@prod`. */
  constructor(open: (target: string) => Promise<Client>) {
    this.#open = open;
  }

  of(profile: string): PathSource {
    const known = this.#kept.get(profile);
    if (known !== undefined) return known.paths;
    const kept: Kept = {
      paths: new PathSource(
        () => this.#client(profile, kept),
        () => performance.now(),
      ),
      client: undefined,
      idle: undefined,
    };
    this.#kept.set(profile, kept);
    return kept.paths;
  }

  /** Own writes make what is known stale. */
  forget(): void {
    for (const { paths } of this.#kept.values()) paths.forget();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#kept.values()].map((kept) => this.#end(kept)));
  }

  #client(profile: string, kept: Kept): Promise<Client> | undefined {
    if (this.#isClosed) return undefined;
    clearTimeout(kept.idle);
    kept.idle = setTimeout(() => void this.#end(kept), IDLE_MS).unref();
    kept.client ??= this.#open(`@${profile}`);
    const opening = kept.client;
    // the next Tab tries again
    opening.catch(() => {
      if (kept.client === opening) kept.client = undefined;
    });
    const silent = new Failure(3, 'ConnectFailed', `@${profile} does not answer yet`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(silent), OPEN_MS);
      // a session that looks for its server would keep the question
      const isLive = ({ state }: Client): boolean => state === 'connected' || state === 'connectedReadOnly';
      opening
        .then((client) => (isLive(client) ? resolve(client) : reject(silent)), reject)
        .finally(() => clearTimeout(timer));
    });
  }

  async #end(kept: Kept): Promise<void> {
    clearTimeout(kept.idle);
    const { client } = kept;
    kept.client = undefined;
    await client?.then((each) => each.close()).catch(() => {}); // a session that cannot be ended ends by itself
  }
}

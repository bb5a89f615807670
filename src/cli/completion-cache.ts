import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import type { NodeFacts, NodeReader } from '../shell/path-source.ts';

/** What was seen is believed this long, ms. */
const FRESH_MS = 5000;
/** After a connection that failed nothing is tried this long, ms. */
const REST_MS = 10_000;

interface Seen {
  /** When, ms since 1970: the next process has to know. */
  readonly at: number;
}
interface Content {
  failedAt?: number;
  readonly children: Record<string, Seen & { readonly names: readonly string[] }>;
  /** `stat` is null where there is no node; ids are texts here. */
  readonly facts: Record<
    string,
    Seen & { readonly stat: null | readonly [children: number, owner: string, bytes: number] }
  >;
}

/**
 * Answers for Tab in the operating system's shells, on disk, since each Tab is a process of its own and must not be a
 * session of its own. One file for each target with its credentials, mode 0600, which holds names and sizes but no data.
 * A cache that cannot be read or written is no cache.
 */
export class CompletionCache {
  readonly #folder: string;
  readonly #file: string;
  readonly #now: () => number;
  readonly #content: Content;

  /** `target`: everything that decides what a session would see. `now`: ms since 1970. */
  constructor(folder: string, target: unknown, now: () => number) {
    this.#folder = folder;
    this.#now = now;
    const name = createHash('sha256').update(JSON.stringify(target)).digest('hex').slice(0, 32);
    this.#file = join(folder, `complete-${name}.json`);
    this.#content = contentOf(this.#file, (at) => this.#isFresh(at, FRESH_MS));
  }

  /** A connection failed a moment ago. */
  get rests(): boolean {
    return this.#content.failedAt !== undefined && this.#isFresh(this.#content.failedAt, REST_MS);
  }

  failed(): void {
    this.#content.failedAt = this.#now();
    this.save();
  }

  /** Answers from what is kept; what is not, `open` is asked for, and kept. */
  reader(open: () => Promise<NodeReader>): NodeReader {
    const { children, facts } = this.#content;
    return {
      exists: async (path) => {
        const known = facts[path];
        if (known !== undefined) return known.stat === null ? undefined : factsOf(known.stat);
        const found = await (await open()).exists(path);
        const stat =
          found === undefined ? null : ([found.numChildren, String(found.ephemeralOwner), found.dataLength] as const);
        facts[path] = { at: this.#now(), stat };
        return found;
      },
      getChildren: async (path) => {
        const known = children[path];
        if (known !== undefined) return { children: known.names };
        const found = await (await open()).getChildren(path);
        children[path] = { at: this.#now(), names: found.children };
        return found;
      },
    };
  }

  /** Writes it for the next process; whole or not at all, since two may write at once. */
  save(): void {
    try {
      makeFolders(this.#folder, { mkdirSync, statSync }, 0o700);
      const temporary = `${this.#file}.${process.pid}`;
      writeFileSync(temporary, JSON.stringify(this.#content), { mode: 0o600 });
      renameSync(temporary, this.#file);
    } catch {
      // the next Tab asks again
    }
  }

  // a clock that was set back makes nothing live for ever
  #isFresh(at: number, ms: number): boolean {
    const age = this.#now() - at;
    return age >= 0 && age < ms;
  }
}

const factsOf = ([numChildren, owner, dataLength]: readonly [number, string, number]): NodeFacts => ({
  numChildren,
  ephemeralOwner: BigInt(owner),
  dataLength,
});

function contentOf(file: string, isFresh: (at: number) => boolean): Content {
  try {
    const { failedAt, children, facts } = JSON.parse(readFileSync(file, 'utf8')) as Content;
    const fresh = <T extends Seen>(all: Record<string, T>): Record<string, T> =>
      Object.assign(Object.create(null), Object.fromEntries(Object.entries(all).filter(([, { at }]) => isFresh(at))));
    return { ...(failedAt !== undefined && { failedAt }), children: fresh(children), facts: fresh(facts) };
  } catch {
    return { children: Object.create(null), facts: Object.create(null) };
  }
}

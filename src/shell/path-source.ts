import { joinPath, nameOf, parentOf } from '../base/path.ts';
import { failureOf } from './failure.ts';
import { showBytes, showCount } from './units.ts';

/** What a menu says about a node. */
export interface PathNote {
  readonly children: number;
  readonly text: string;
}

/** What a menu asks of a server; a client does it, or what keeps a client's answers. */
export interface NodeReader {
  exists(path: string): Promise<NodeFacts | undefined>;
  getChildren(path: string): Promise<{ readonly children: readonly string[] }>;
}
/** Of a node's stat. */
export interface NodeFacts {
  readonly numChildren: number;
  readonly ephemeralOwner: bigint;
  /** bytes */
  readonly dataLength: number;
}

const FRESH_MS = 3000;
/** What colours tell may be older than what a menu offers. */
const KNOWN_MS = 30_000;
const ASK_FIRST = 5000;
const MAX_LISTED = 50_000;
const MAX_NOTES = 50;

/** Children of nodes for completion: short-lived, never with a watch, never an exception. */
export class PathSource {
  readonly #client: () => Promise<NodeReader> | undefined;
  readonly #now: () => number;
  readonly #cache = new Map<string, { at: number; names: readonly string[] }>();
  readonly #notes = new Map<string, PathNote>();
  #notesAt = 0;

  /** `client` gives the session when there is one to be had without waiting long. */
  constructor(client: () => Promise<NodeReader> | undefined, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /** Own writes make what is known stale. */
  forget(): void {
    this.#cache.clear();
    this.#notes.clear();
  }

  /** Whether a node is there, as far as is known without asking anybody. */
  knows(path: string): boolean | undefined {
    if (path === '/') return true;
    const known = this.#cache.get(parentOf(path));
    if (known === undefined || this.#now() - known.at >= KNOWN_MS) return undefined;
    return known.names.includes(nameOf(path));
  }

  /** Names below `parent`. More than 5,000 only when the user insists, more than 50,000 never. */
  async children(parent: string, insist: boolean): Promise<{ names: readonly string[]; message?: string }> {
    const known = this.#cache.get(parent);
    if (known !== undefined && this.#now() - known.at < FRESH_MS) return { names: known.names };
    try {
      const client = await this.#client();
      if (client === undefined) return { names: [], message: 'not connected' };
      const stat = await client.exists(parent);
      if (stat === undefined) return { names: [] };
      const count = showCount(stat.numChildren);
      if (stat.numChildren > MAX_LISTED)
        return { names: [], message: `${count} children, too many for a menu: ls ${parent} | grep` };
      if (stat.numChildren > ASK_FIRST && !insist)
        return { names: [], message: `${count} children: type more and press Tab again to load` };
      const { children } = await client.getChildren(parent);
      this.#cache.set(parent, { at: this.#now(), names: children });
      return { names: children };
    } catch (error) {
      return { names: [], message: failureOf(error).message };
    }
  }

  /** For at most 50 names; undefined entries are not known. */
  async notes(parent: string, names: readonly string[]): Promise<readonly (PathNote | undefined)[]> {
    if (this.#now() - this.#notesAt > FRESH_MS) this.#notes.clear();
    this.#notesAt = this.#now();
    const asked = names.slice(0, MAX_NOTES);
    const missing = asked.filter((name) => !this.#notes.has(joinPath(parent, name)));
    // a note is a comfort: without a session, or of a node that may not be read, the name stands without it
    const client = missing.length > 0 ? await this.#client()?.catch(() => undefined) : undefined;
    if (client !== undefined)
      await Promise.all(
        missing.map(async (name) => {
          const path = joinPath(parent, name);
          const stat = await client.exists(path).catch(() => undefined);
          if (stat !== undefined) this.#notes.set(path, noteOf(stat));
        }),
      );
    return asked.map((name) => this.#notes.get(joinPath(parent, name)));
  }
}

function noteOf({ numChildren, ephemeralOwner, dataLength }: NodeFacts): PathNote {
  const parts = [
    ...(numChildren > 0 ? [`${showCount(numChildren)} ${numChildren === 1 ? 'child' : 'children'}`] : []),
    ...(ephemeralOwner > 0n ? ['ephemeral'] : []),
    ...(dataLength > 0 ? [showBytes(dataLength)] : []),
  ];
  return { children: numChildren, text: parts.join('  ') };
}

import { joinPath } from '../base/path.ts';
import { type Client, RequestError, type WatchListener } from '../client/api.ts';
import { shared } from '../client/shared-signal.ts';
import { createUnique, ensurePath, isCode, read, removeOwn, unique, untilAnswered } from './certain.ts';
import { childrenOf } from './children-of.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import { checkStyle, type Style } from './styles.ts';
import { bell, orAborted } from './waiting.ts';

const SUFFIXES: readonly (readonly [Style, RegExp])[] = [
  ['zoosh', /^[0-9a-f]{16}-member$/],
  ['kazoo', /__party__/],
];

export interface Member {
  readonly id: string;
  readonly node: string;
  /** What it says about itself besides its id: only in style curator, whose ids are the names of the nodes. */
  readonly data: Buffer | null;
}

/** A node of ours; its czxid where another may get the same name. */
interface Joined {
  readonly node: string;
  readonly czxid: bigint | undefined;
}

/** Who is there: a member is one as long as its session lives. kazoo's Party, Curator's GroupMember by style. */
export class Group {
  readonly path: string;
  readonly #client: Client;
  readonly #options: Omit<RecipeOptions, 'id'>;
  constructor(client: Client, path: string, options: Omit<RecipeOptions, 'id'> = {}) {
    checkStyle(options.style);
    this.#client = client;
    this.path = path;
    this.#options = options;
  }

  /**
   * Becomes a member until `leave` or the end of the session; `data` only in style curator.
   * @throws RecipeError StyleConflict, Conflict (Curator's style: another session has that id); RequestError for an id that is no
   * name there
   */
  async join(id: string, data: Uint8Array | string | null = null): Promise<{ node: string; leave(): Promise<void> }> {
    const client = this.#client;
    const style = await this.#style();
    const { node, czxid } =
      style === 'curator' ? await this.#joinCurator(id, data) : await this.#joinUnique(style, id, this.#options.acl);
    return { node, leave: () => removeOwn(client, node, czxid) };
  }

  async #joinUnique(style: Style, id: string, acl: RecipeOptions['acl']): Promise<Joined> {
    const client = this.#client;
    const name = style === 'kazoo' ? `${unique(client, 16)}__party__` : `${unique(client, 8)}-member`;
    const { path: node } = await createUnique(client, { parent: this.path, name, data: id, mode: 'ephemeral', acl });
    return { node, czxid: undefined };
  }

  async #joinCurator(id: string, data: Uint8Array | string | null): Promise<Joined> {
    const client = this.#client;
    const { acl } = this.#options;
    if (id === '' || id.includes('/'))
      throw new RequestError('invalid', 'an id is the name of a node in style curator', joinPath(this.path, id));
    const node = joinPath(this.path, id);
    const options = { mode: 'ephemeral', ...(acl === undefined ? {} : { acl }) } as const;
    for (;;)
      try {
        const { stat } = await untilAnswered(client, () => client.create(node, data, options));
        return { node, czxid: stat?.czxid };
      } catch (error) {
        if (isCode(error, 'NoNode')) await ensurePath(client, this.path, acl);
        else if (isCode(error, 'NodeExists')) {
          const stat = await read(client, async () => {
            await client.sync(node);
            return client.exists(node);
          });
          if (stat?.ephemeralOwner === client.sessionId) return { node, czxid: stat.czxid };
          if (stat !== undefined) throw new RecipeError('Conflict', this.path, `another session is ${id}`);
        } else throw error;
      }
  }

  async #style(): Promise<Style> {
    const { style } = this.#options;
    const there = styleOf(await this.#names());
    if (style !== undefined && there !== undefined && there !== style)
      throw new RecipeError('StyleConflict', this.path, `a group of style ${there} is there`);
    return style ?? there ?? 'zoosh';
  }

  #names(watch?: WatchListener, signal?: AbortSignal): Promise<string[]> {
    return childrenOf(this.#client, this.path, { acl: this.#options.acl, watch, signal });
  }

  /** Those who are members now, in the order of their nodes' names. */
  async members(): Promise<Member[]> {
    return this.#members(await this.#names());
  }

  async #members(names: readonly string[], signal?: AbortSignal): Promise<Member[]> {
    const client = this.#client;
    const style = styleOf(names);
    const found = await Promise.all(
      names.map(async (name): Promise<Member | undefined> => {
        const node = joinPath(this.path, name);
        try {
          const { data } = await read(client, () => client.get(node, { signal }), signal);
          return style === 'curator' ? { id: name, node, data } : { id: data?.toString() ?? '', node, data: null };
        } catch (error) {
          if (isCode(error, 'NoNode')) return undefined;
          throw error;
        }
      }),
    );
    return found.filter((each) => each !== undefined);
  }

  /** The members, and again after each change that is seen, until `signal` aborts, which ends it in silence. */
  async *observe(signal: AbortSignal = new AbortController().signal): AsyncGenerator<Member[], void> {
    shared(signal);
    while (!signal.aborted) {
      using heard = bell(this.#client);
      try {
        yield await this.#members(await this.#names(heard.at(this.path), signal), signal);
        await orAborted(heard.heard, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }
}

/** Names of neither ours nor kazoo's are ids: that is Curator's way. */
function styleOf(names: readonly string[]): Style | undefined {
  const first = names[0];
  if (first === undefined) return undefined;
  return SUFFIXES.find(([, pattern]) => pattern.test(first))?.[0] ?? 'curator';
}

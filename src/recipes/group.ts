import { joinPath } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { createUnique, ensurePath, isCode, read, removeOwn, unique, untilAnswered } from './certain.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import type { Style } from './styles.ts';
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

/** Who is there: a member is one as long as its session lives. kazoo's Party, Curator's GroupMember by style. */
export class Group {
  readonly path: string;
  readonly #client: Client;
  readonly #options: Omit<RecipeOptions, 'id'>;
  constructor(client: Client, path: string, options: Omit<RecipeOptions, 'id'> = {}) {
    this.#client = client;
    this.path = path;
    this.#options = options;
  }

  /**
   * Becomes a member until `leave` or the end of the session; `data` only in style curator.
   * @throws RecipeError StyleConflict, Conflict (Curator's style: another session has that id)
   */
  async join(id: string, data: Uint8Array | string | null = null): Promise<{ node: string; leave(): Promise<void> }> {
    const client = this.#client;
    const style = await this.#style();
    const node =
      style === 'curator' ? await this.#joinCurator(id, data) : await this.#joinUnique(style, id, this.#options.acl);
    return { node, leave: () => removeOwn(client, node) };
  }

  async #joinUnique(style: Style, id: string, acl: RecipeOptions['acl']): Promise<string> {
    const client = this.#client;
    const name = style === 'kazoo' ? `${unique(client, 16)}__party__` : `${unique(client, 8)}-member`;
    return (await createUnique(client, { parent: this.path, name, data: id, mode: 'ephemeral', acl })).path;
  }

  async #joinCurator(id: string, data: Uint8Array | string | null): Promise<string> {
    const client = this.#client;
    const { acl } = this.#options;
    const node = joinPath(this.path, id);
    await ensurePath(client, this.path, acl);
    try {
      await untilAnswered(client, () =>
        client.create(node, data, { mode: 'ephemeral', ...(acl === undefined ? {} : { acl }) }),
      );
    } catch (error) {
      if (!isCode(error, 'NodeExists')) throw error;
      await client.sync(node);
      const stat = await read(client, () => client.exists(node));
      if (stat?.ephemeralOwner !== client.sessionId)
        throw new RecipeError('Conflict', this.path, `another session is ${id}`);
    }
    return node;
  }

  async #style(): Promise<Style> {
    const { style } = this.#options;
    const there = styleOf(await this.#names());
    if (style !== undefined && there !== undefined && there !== style)
      throw new RecipeError('StyleConflict', this.path, `a group of style ${there} is there`);
    return style ?? there ?? 'zoosh';
  }

  async #names(watch?: () => void): Promise<string[]> {
    const client = this.#client;
    try {
      return (await read(client, () => client.getChildren(this.path, watch === undefined ? {} : { watch }))).children;
    } catch (error) {
      if (isCode(error, 'NoNode')) return [];
      throw error;
    }
  }

  /** Those who are members now, in the order of their nodes' names. */
  async members(): Promise<Member[]> {
    return this.#members(await this.#names());
  }

  async #members(names: readonly string[]): Promise<Member[]> {
    const client = this.#client;
    const style = styleOf(names);
    const found = await Promise.all(
      names.map(async (name): Promise<Member | undefined> => {
        const node = joinPath(this.path, name);
        try {
          const { data } = await read(client, () => client.get(node));
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
  async *observe(signal: AbortSignal): AsyncGenerator<Member[], void> {
    await ensurePath(this.#client, this.path, this.#options.acl); // what is not there has no children to watch
    while (!signal.aborted) {
      using heard = bell(this.#client);
      yield await this.#members(await this.#names(heard.ring));
      try {
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

/** What nodes were, for telling what an event changed. */
import { KeeperError } from '../base/errors.ts';
import type { Client, WatchEvent } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import type { EventChange, NodeValue } from '../shell/output.ts';
import { walkNodes } from '../shell/walk.ts';
import { inflightOf } from './support.ts';

/** Data kept, bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** There is no such node, or it may not be read. */
const isHidden = (error: unknown): boolean =>
  error instanceof KeeperError && (error.code === 'NoNode' || error.code === 'NoAuth');

/** Undefined when there is no such node, or it may not be read. */
export async function readValue(client: Client, path: string, signal: AbortSignal): Promise<NodeValue | undefined> {
  try {
    const { data, stat } = await client.get(path, { signal });
    return { version: stat.version, data };
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  }
}

/** The last values of what is watched, 64 MB of them. */
export class WatchValues {
  readonly #client: () => Promise<Client>;
  readonly #context: CommandContext;
  readonly #values = new Map<string, NodeValue>();
  readonly #names = new Map<string, readonly string[]>();
  /** Versions that an event was told with. */
  readonly #told = new Map<string, number>();
  #bytes = 0;

  /** `client`: the session in use, which may be another one after an expiry. */
  constructor(client: () => Promise<Client>, context: CommandContext) {
    this.#client = client;
    this.#context = context;
  }

  /** Reads what is there. The watch must stand already, so that nothing changes unheard in between. */
  async begin(path: string, recursive: boolean): Promise<void> {
    const { signal } = this.#context;
    const client = await this.#client();
    try {
      const options = { signal, inflight: inflightOf(this.#context), data: true, ...(!recursive && { depth: 0 }) };
      for await (const node of walkNodes(client, path, options)) {
        if (!node.denied) this.#keep(node.path, { version: node.stat.version, data: node.data });
        if (this.#bytes >= MOST_BYTES) {
          this.#context.warn('more than 64 MiB of data: what was before is not shown for all nodes');
          break;
        }
      }
      if (!recursive) this.#names.set(path, (await client.getChildren(path, { signal })).children);
    } catch (error) {
      if (!isHidden(error)) throw error;
    }
  }

  /**
   * What an event changed; what is there now is what the next one starts from. `told`: the node is as the event before it
   * was told with, since several changes came before it could be read.
   */
  async changeOf({ type, path }: WatchEvent): Promise<EventChange | 'told'> {
    const { signal } = this.#context;
    const client = await this.#client();
    if (type === 'NodeChildrenChanged') {
      const before = this.#names.get(path) ?? [];
      const children = await client.getChildren(path, { signal }).then(
        (found) => found.children,
        (error) => {
          if (isHidden(error)) return [];
          throw error;
        },
      );
      this.#names.set(path, children);
      const [old, now] = [new Set(before), new Set(children)];
      const [added, removed] = [children.filter((each) => !old.has(each)), before.filter((each) => !now.has(each))];
      return { before: undefined, after: undefined, children: { added, removed, count: children.length } };
    }
    const before = this.#values.get(path);
    const after = type === 'NodeDeleted' ? undefined : await readValue(client, path, signal);
    this.#keep(path, after);
    if (type === 'NodeDataChanged' && after !== undefined && this.#told.get(path) === after.version) return 'told';
    if (after === undefined) this.#told.delete(path);
    else this.#told.set(path, after.version);
    // what was read at the beginning may have been read behind its change
    return { before: before?.version === after?.version ? undefined : before, after };
  }

  #keep(path: string, value: NodeValue | undefined): void {
    this.#bytes -= this.#values.get(path)?.data?.length ?? 0;
    if (value === undefined || this.#bytes + (value.data?.length ?? 0) > MOST_BYTES) {
      this.#values.delete(path);
      return;
    }
    this.#values.set(path, value);
    this.#bytes += value.data?.length ?? 0;
  }
}

/** Requests that are repeated until their outcome is known, however often the connection breaks. */
import { type KeeperCode, KeeperError } from '../base/errors.ts';
import { joinPath, parentOf } from '../base/path.ts';
import type { Acl, Client, CreateMode, MultiOp, MultiResult } from '../client/api.ts';
import { MultiError, RequestError } from '../client/api.ts';
import { pause } from './waiting.ts';

/** Codes after which the same request may be sent again: nothing is known, or nothing was done. */
const TRANSIENT: ReadonlySet<KeeperCode> = new Set([
  'ConnectionLoss',
  'OperationTimeout',
  'RequestTimeout',
  'SessionMoved',
  'ThrottledOp',
]);
const ENDED: ReadonlySet<KeeperCode> = new Set(['SessionExpired', 'Closing', 'AuthFailed', 'UnknownSession']);
/** Before another try when the connection did not break; a broken one is waited for by the client. */
const PAUSE_MS = 50;

export const codeOf = (error: unknown): KeeperCode | undefined =>
  error instanceof KeeperError || error instanceof MultiError ? error.code : undefined;
export const isCode = (error: unknown, code: KeeperCode): boolean => codeOf(error) === code;
export const isTransient = (error: unknown): boolean => TRANSIENT.has(codeOf(error) as KeeperCode);
/** The session is over, and its ephemeral nodes with it. */
export const isEnded = (error: unknown): boolean => ENDED.has(codeOf(error) as KeeperCode);

/**
 * Sends a request again until it is answered. `repeated` tells `work` that an earlier attempt may have been carried out.
 * @throws what the server refuses; when the session ends with an attempt in doubt, ConnectionLoss: the outcome is unknown
 */
export async function untilAnswered<T>(
  client: Client,
  work: (repeated: boolean) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let repeated = false; ; repeated = true) {
    signal?.throwIfAborted();
    try {
      return await work(repeated);
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (!isCode(error, 'ConnectionLoss')) await pause(client.clock, PAUSE_MS, signal);
    }
  }
}

/** A read, repeated until it is answered. */
export const read = <T>(client: Client, work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  untilAnswered(client, work, signal);

/**
 * Makes a node and those above it, as far as they are missing: persistent; `data` is that of the node, the others have none.
 * @throws KeeperError NoNode when the chroot of the client is not there, which nobody below it can make; NoAuth
 */
export async function ensurePath(
  client: Client,
  path: string,
  acl?: readonly Acl[],
  data: Uint8Array | string | null = null,
): Promise<void> {
  const isTop = path === '/' || path === '';
  if (isTop && client.chroot === '') return;
  if ((await read(client, () => client.exists(path || '/'))) !== undefined) return;
  if (isTop) throw new KeeperError('NoNode', '/');
  await ensurePath(client, parentOf(path), acl);
  try {
    await untilAnswered(client, () => client.create(path, data, acl === undefined ? {} : { acl }));
  } catch (error) {
    if (isCode(error, 'NoNode'))
      await ensurePath(client, path, acl, data); // the parent went again meanwhile
    else if (!isCode(error, 'NodeExists')) throw error;
  }
}

export interface Made {
  readonly path: string;
  /** zxid of its creation; undefined when the node is gone again already. */
  readonly czxid: bigint | undefined;
  /**
   * When the request that made it was sent: monotonic ms of the client's clock. Before all time when it was found: a leader
   * that the others have left still answers a sync, so what was seen proves nothing about the session.
   */
  readonly sentAt: number;
}

/** What a node of ours is made of. */
export interface Wanted {
  readonly parent: string;
  /** Its name, or for sequential nodes the beginning of it; no other node's begins so. */
  readonly name: string;
  readonly data: Uint8Array | string | null;
  readonly mode: CreateMode;
  readonly acl?: readonly Acl[] | undefined;
}

/**
 * Makes a node exactly once: after a lost reply the node is looked for by its name, which nobody else has. The look comes
 * after a sync, since a server that we came to may not have applied yet what another took from us. The parents are made.
 */
export async function createUnique(client: Client, { parent, name, data, mode, acl }: Wanted): Promise<Made> {
  const path = joinPath(parent, name);
  const options = { mode, ...(acl === undefined ? {} : { acl }) };
  let isDoubtful = false;
  return untilAnswered(client, async () => {
    const sentAt = client.clock.monotonic();
    if (isDoubtful) {
      const found = await findOwn(client, parent, name);
      if (found !== undefined) return { ...found, sentAt: Number.NEGATIVE_INFINITY };
    }
    for (;;)
      try {
        isDoubtful = true;
        const made = await client.create(path, data, options);
        return { path: made.path, czxid: made.stat?.czxid ?? (await czxidOf(client, made.path)), sentAt };
      } catch (error) {
        if (!isCode(error, 'NoNode')) throw error;
        isDoubtful = false;
        await ensurePath(client, parent, acl);
      }
  });
}

async function findOwn(
  client: Client,
  parent: string,
  prefix: string,
): Promise<{ path: string; czxid: bigint | undefined } | undefined> {
  await client.sync(parent);
  const children = await client.getChildren(parent).then(
    (found) => found.children,
    (error) => {
      if (isCode(error, 'NoNode')) return [];
      throw error;
    },
  );
  const name = children.find((each) => each.startsWith(prefix));
  if (name === undefined) return undefined;
  const path = joinPath(parent, name);
  return { path, czxid: await czxidOf(client, path) };
}
const czxidOf = async (client: Client, path: string): Promise<bigint | undefined> => (await client.exists(path))?.czxid;

/**
 * Deletes a node of ours; one that is gone, or whose session is, is no failure. `czxid` tells ours where others give theirs the
 * same name: when a reply is lost, the one found there may be the next one's by then. @throws KeeperError NoAuth, NotEmpty
 */
export async function removeOwn(client: Client, path: string, czxid?: bigint): Promise<void> {
  try {
    await untilAnswered(client, async (repeated) => {
      if (repeated && czxid !== undefined) {
        await client.sync(path);
        if ((await client.exists(path))?.czxid !== czxid) return;
      }
      await client.delete(path);
    });
  } catch (error) {
    if (!isCode(error, 'NoNode') && !isEnded(error)) throw error;
  }
}

/** The same in the background; for what nobody waits for any more. */
export function removeLater(client: Client, path: string, czxid?: bigint): void {
  removeOwn(client, path, czxid).catch(() => {}); // it goes with the session at the latest
}

/**
 * Does `ops` exactly once. An ephemeral node `marker`, whose name nobody else has, is made with them: when an attempt finds
 * it there, an earlier one whose reply was lost did the work. Undefined then; else the results of `ops`.
 * @throws MultiError of an operation; ConnectionLoss when the session ended before the outcome was known
 */
export async function once(
  client: Client,
  marker: string,
  ops: readonly MultiOp[],
): Promise<MultiResult[] | undefined> {
  const mark: MultiOp = { op: 'create', path: marker, data: null, options: { mode: 'ephemeral' } };
  let isDoubtful = false;
  let done: MultiResult[] | undefined;
  try {
    done = await untilAnswered(client, async () => {
      try {
        return (await client.multi([mark, ...ops])).slice(1);
      } catch (error) {
        if (isTransient(error)) isDoubtful = true;
        throw error;
      }
    });
  } catch (error) {
    // the number of a part is for who made the parts, and a recipe did
    if (error instanceof RequestError) error.message = error.message.replace(/^operation \d+: /, '');
    // the marker of an attempt whose answer nobody waited for goes, too
    if (codeOf(error) === undefined) removeLater(client, marker);
    if (isDoubtful && isEnded(error)) throw new KeeperError('ConnectionLoss', parentOf(marker), { cause: error });
    const isMarked = error instanceof MultiError && error.code === 'NodeExists' && error.index === 0;
    if (!isMarked) throw error;
  }
  removeLater(client, marker);
  return done;
}

/** Text that nobody else has: `bytes` random bytes in hexadecimal. */
export const unique = (client: Client, bytes: number): string =>
  Buffer.from(client.random.bytes(bytes)).toString('hex');

import { setTimeout as sleep } from 'node:timers/promises';
import { KeeperError } from '../base/errors.ts';
import type { Client } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import type { Ensemble } from './ensemble.ts';
import { askInForce, type InForce } from './in-force.ts';

const RETRY_MS = 200;
/** How long the answer to what was sent is waited for, once nobody wants to wait any more. */
const GRACE_MS = 5000;
/** The server says that it did not do it. Everything else may mean that it did, or will. */
const REFUSALS: ReadonlySet<string> = new Set([
  'NewConfigNoQuorum',
  'ReconfigInProgress',
  'BadVersion',
  'BadArguments',
  'MarshallingError',
  'NoAuth',
  'ReconfigDisabled',
  'Unimplemented',
]);
const PASSES: ReadonlySet<string> = new Set([
  'NewConfigNoQuorum',
  'ReconfigInProgress',
  'BadVersion',
  'ConnectionLoss',
]);

/** A change was sent, and nobody knows whether it was or will be made. */
export class Unsettled extends Error {
  override readonly name = 'Unsettled';
}

export interface Change {
  readonly words: { readonly joining?: string; readonly leaving?: string };
  /** Whether that is so already; `first` was in force when this change was asked for. */
  readonly isMade: (now: InForce, first: InForce) => boolean;
}
export interface Patience {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** A session as `super`. */
export const connectAsSuper = (ensemble: Ensemble, signal: AbortSignal, connectTimeoutMs: number): Promise<Client> =>
  connect(ensemble.connect, {
    auth: [{ scheme: 'digest', auth: `super:${ensemble.folder.superPassword}` }],
    signal,
    connectTimeoutMs,
  });

/**
 * One change of the configuration; tried again while another is in progress or the new member is not in step yet. Each try
 * names the version that it is meant for: once another is in force, a try that got lost can do nothing any more.
 * @throws Unsettled when it may have been made or may still be; anything else: it was not made, and will not be
 */
export async function reconfigure(ensemble: Ensemble, change: Change, { signal, timeoutMs }: Patience): Promise<void> {
  const end = performance.now() + timeoutMs;
  let first: InForce | undefined;
  /** That a try is meant for which was not answered. */
  let open: bigint | undefined;
  /** True when it is made. */
  const isMade = async (client: Client, until: AbortSignal): Promise<boolean> => {
    const now = await askInForce(client, until);
    if (now === undefined) return false;
    first ??= now;
    if (open !== undefined && now.version !== open) open = undefined;
    last = now;
    return change.isMade(now, first);
  };
  let last: InForce | undefined;
  try {
    await using client = await connectAsSuper(ensemble, signal, timeoutMs);
    for (;;)
      try {
        signal.throwIfAborted();
        if (await isMade(client, signal)) return;
        const before = open;
        open = last?.version ?? -1n;
        try {
          await patiently(client.reconfig({ ...change.words, version: open }), signal);
          open = undefined;
          return;
        } catch (error) {
          if (error instanceof KeeperError && REFUSALS.has(error.code)) open = before;
          throw error;
        }
      } catch (error) {
        if (!(error instanceof KeeperError) || !PASSES.has(error.code) || performance.now() > end) throw error;
        await sleep(RETRY_MS, undefined, { signal });
      }
  } catch (error) {
    if (open === undefined) throw error;
    // one more look, on a connection of its own
    const bound = AbortSignal.timeout(GRACE_MS);
    try {
      await using client = await connectAsSuper(ensemble, bound, GRACE_MS);
      if (await isMade(client, bound)) return;
    } catch {
      // then it is not known
    }
    if (open === undefined) throw error;
    throw new Unsettled('it is not known whether the change of members was made', { cause: error });
  }
}

/** The answer, also a while after the signal: whoever sent it should know what became of it. */
async function patiently<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  answer.catch(() => {}); // heard below, or nobody waits any more
  const late = async (): Promise<never> => {
    if (!signal.aborted)
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true, signal: over.signal });
        over.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    if (!over.signal.aborted) await sleep(GRACE_MS, undefined, { signal: over.signal });
    throw signal.reason ?? new Error('answered');
  };
  const given = late();
  given.catch(() => {});
  try {
    return await Promise.race([answer, given]);
  } finally {
    over.abort();
  }
}

/** A client that notes what its changes replace. */
import { KeeperError } from '../base/errors.ts';
import type { Acl, Client, MultiOp, MultiResult, OpOptions, Stat } from '../client/api.ts';
import { bytesOf } from '../client/arguments.ts';
import { ClientTransaction } from '../client/multi.ts';
import { showAcl } from './acl-text.ts';
import { hasMasked, isWorldReadable, type NodeRecord, recordOf } from './node-record.ts';
import { isRefusal } from './refusal.ts';
import { type Lost, markOf, type Step, type TrashDraft } from './trash.ts';
import { hasData } from './undo-copies.ts';
import { hex } from './units.ts';

export interface RecordingOptions {
  /** `settings undo-protected on`: what not everybody may read is kept, too. */
  readonly keepsProtected: boolean;
}

const PROTECTED_WHY = 'not everybody may read it (settings undo-protected on keeps it)';

const LOST_WHY = 'whether it was made is not known: no answer came';

/** What stood there before: the node, or why it cannot be known or its data is not kept; undefined: nothing. */
type Before =
  | { readonly node: NodeRecord; readonly stat: Stat }
  | { readonly why: string; readonly lost?: Lost }
  | undefined;

/** `inner`, whose changes are noted before they are sent: a shell that dies in between has what it needs. */
export function recordingClient(inner: Client, draft: TrashDraft, { keepsProtected }: RecordingOptions): Client {
  const look = async (path: string, { signal }: OpOptions = {}): Promise<Before> => {
    try {
      const [{ data, stat }, { acl }] = await Promise.all([
        inner.get(path, { signal }),
        inner.getAcl(path, { signal }),
      ]);
      // a masked ACL is kept as it was read, and undo refuses to write it back
      const node = recordOf({ path, data, stat, acl }, true);
      if (keepsProtected || isWorldReadable(acl) || !hasData(data)) return { node, stat };
      return { why: PROTECTED_WHY, lost: { mark: markOf(data), node: { ...node, data: null } } };
    } catch (error) {
      const code = error instanceof KeeperError ? error.code : undefined;
      if (code === 'NoAuth') return { why: 'we may not read it' };
      if (code === 'NoNode') return undefined;
      throw error;
    }
  };
  /** With an answer that is waited for a moment longer, where what was done is kept. */
  const sent = <T, O extends OpOptions>(
    options: O | undefined,
    send: (options: O | undefined) => Promise<T>,
  ): Promise<T> =>
    draft.isOpen && options?.signal !== undefined
      ? answered(options.signal, () => send({ ...options, signal: undefined }))
      : send(options);
  /** Notes, does, and takes the note back when the server refused. */
  const noted = async <T>(step: Step | undefined, work: (number: number) => Promise<T>): Promise<T> => {
    const number = step === undefined ? -1 : draft.add(step);
    try {
      return await work(number);
    } catch (error) {
      if (isRefusal(error)) draft.void(number, 1);
      throw error;
    }
  };
  // servers before 3.9 tell nothing of what a transaction makes
  const statOf = async (path: string, told: Stat | undefined): Promise<Stat | undefined> =>
    told ?? (await inner.exists(path).catch(() => undefined));
  const created = (path: string, now: Stat | undefined, data: Uint8Array | null): void => {
    if (now === undefined) return;
    const isEphemeral = now.ephemeralOwner !== 0n && { isEphemeral: true as const };
    draft.add({ did: 'created', path, czxid: hex(now.czxid), after: markOf(data), ...isEphemeral });
  };

  const changes: Pick<Client, 'create' | 'delete' | 'set' | 'setAcl' | 'multi' | 'transaction'> = {
    async create(path, data, options) {
      options?.signal?.throwIfAborted();
      try {
        const made = await sent(options, (more) => inner.create(path, data, more));
        if (draft.isOpen) created(made.path, await statOf(made.path, made.stat), bytesOf(data ?? null));
        return made;
      } catch (error) {
        if (!isRefusal(error)) draft.add({ did: 'unkept', path, why: LOST_WHY });
        throw error;
      }
    },
    async delete(path, version, options) {
      const step = draft.isOpen ? deletion(path, await look(path, options)) : undefined;
      return noted(step, () => sent(options, (more) => inner.delete(path, version, more)));
    },
    async set(path, data, version, options) {
      const before = draft.isOpen ? await look(path, options) : undefined;
      const step = change(path, before, bytesOf(data));
      return noted(step, async (number) => {
        const stat = await sent(options, (more) => inner.set(path, data, version, more));
        if (step?.did === 'set' && stat.version !== step.version) {
          // somebody wrote in between: what we saw is not what we replaced
          draft.void(number, 1);
          draft.add({ did: 'unkept', path, why: 'somebody else changed it in the same moment' });
        }
        return stat;
      });
    },
    async setAcl(path, acl, version, options) {
      const step = draft.isOpen ? await aclStep(path, acl, options) : undefined;
      return noted(step, () => sent(options, (more) => inner.setAcl(path, acl, version, more)));
    },
    async multi(ops: readonly MultiOp[], options?: OpOptions): Promise<MultiResult[]> {
      if (!draft.isOpen) return inner.multi(ops, options);
      const paths = [...new Set(ops.flatMap(({ op, path }) => (op === 'check' || op === 'create' ? [] : [path])))];
      const before = new Map<string, Before>();
      await Promise.all(paths.map(async (path) => void before.set(path, await look(path, options))));
      options?.signal?.throwIfAborted();
      const steps = stepsOf(ops, before);
      const numbers = steps.map((step) => draft.add(step));
      try {
        const results = await sent(options, (more) => inner.multi(ops, more));
        const unknown = new Set(steps.flatMap((step) => (step.did === 'unkept' ? [step.path] : [])));
        // without what was there before, what came in its place is better than nothing
        const made = [...madeBy(ops, results)].filter(([path]) => !unknown.has(path));
        // noted in one go, in their order: others are noted meanwhile, and undo takes what is below a node before it
        const stats = await Promise.all(made.map(([path, { stat }]) => statOf(path, stat)));
        for (const [at, [path, { own }]] of made.entries())
          created(path, stats[at], dataAfter(ops, own.path === path ? path : undefined, own));
        return results;
      } catch (error) {
        if (isRefusal(error)) draft.void(numbers[0] ?? -1, steps.length);
        else for (const op of ops) if (op.op === 'create') draft.add({ did: 'unkept', path: op.path, why: LOST_WHY });
        throw error;
      }
    },
    transaction: () => new ClientTransaction(changes),
  };
  async function aclStep(path: string, next: readonly Acl[], { signal }: OpOptions = {}): Promise<Step | undefined> {
    try {
      const { acl, stat } = await inner.getAcl(path, { signal });
      if (hasMasked(acl)) return { did: 'unkept', path, why: 'its ACL can only be read without password hashes' };
      // auth: is written down as whoever presented a password
      const isKnown = next.every(({ scheme }) => scheme !== 'auth');
      return {
        did: 'acl',
        path,
        acl,
        aversion: stat.aversion + 1,
        czxid: hex(stat.czxid),
        ...(isKnown && { after: showAcl(next) }),
      };
    } catch (error) {
      if (error instanceof KeeperError && (error.code === 'NoAuth' || error.code === 'NoNode')) return undefined;
      throw error;
    }
  }
  return new Proxy(inner, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return changes[name as keyof typeof changes];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const deletion = (path: string, before: Before): Step | undefined => {
  if (before === undefined) return undefined;
  return 'why' in before ? unkept(path, before) : { did: 'deleted', node: before.node };
};
const unkept = (path: string, { why, lost }: { readonly why: string; readonly lost?: Lost }, after?: string): Step => ({
  ...{ did: 'unkept', path, why },
  ...(lost !== undefined && { lost: { ...lost, ...(after !== undefined && { after }) } }),
});
const change = (path: string, before: Before, data: Uint8Array | null, times = 1): Step | undefined => {
  if (before === undefined) return undefined;
  if ('why' in before) return unkept(path, before, markOf(data));
  return { did: 'set', node: before.node, version: before.stat.version + times, after: markOf(data) };
};

/** The data that a transaction leaves in a node, or in what `own` makes. */
function dataAfter(ops: readonly MultiOp[], path: string | undefined, own?: MultiOp): Uint8Array | null {
  const last = ops.findLast((op) => op.path === path && (op.op === 'set' || op.op === 'create')) ?? own;
  return last !== undefined && 'data' in last ? bytesOf(last.data) : null;
}

/** What a transaction does to each node it finds, all its operations on it taken together. */
function stepsOf(ops: readonly MultiOp[], before: ReadonlyMap<string, Before>): Step[] {
  const byPath = new Map<string, MultiOp[]>();
  for (const op of ops) {
    const known = byPath.get(op.path);
    if (op.op === 'check') continue;
    if (known === undefined) byPath.set(op.path, [op]);
    else known.push(op);
  }
  const steps: Step[] = [];
  for (const [path, was] of before) {
    const own = byPath.get(path) ?? [];
    // what is made anew comes in place of what was there: taken back it goes, and that comes again
    const isGone = own.some(({ op }) => op === 'delete');
    const step = isGone ? deletion(path, was) : change(path, was, dataAfter(own, path), own.length);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

/** The nodes that a transaction has made and left, and what made each last. */
function madeBy(
  ops: readonly MultiOp[],
  results: readonly MultiResult[],
): ReadonlyMap<string, { readonly own: MultiOp; readonly stat: Stat | undefined }> {
  const made = new Map<string, { own: MultiOp; stat: Stat | undefined }>();
  for (const [at, own] of ops.entries()) {
    const result = results[at];
    // a sequential node has its name since now
    if (result?.op === 'create') made.set(result.path, { own, stat: result.stat });
    else if (own.op === 'delete') made.delete(own.path);
  }
  return made;
}

/** How long an answer that is on its way is waited for once somebody has given up, ms: what was done is to be known. */
const GRACE_MS = 120;

/**
 * A change that heeds `signal`, but for the moment in which its answer comes: then it was not given up in time.
 * @throws the signal's reason
 */
function answered<T>(signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T> {
  if (signal === undefined) return send();
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    let timer: NodeJS.Timeout | undefined;
    const giveUp = (): void => {
      timer = setTimeout(() => reject(signal.reason), GRACE_MS);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    send()
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      });
  });
}

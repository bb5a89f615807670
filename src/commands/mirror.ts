import { setTimeout as pause } from 'node:timers/promises';
import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { addWatch } from '../recipes/repeated-watch.ts';
import type { Lack, Lost } from '../shell/archive-read.ts';
import { carryOut, inTurn } from '../shell/carry-out.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { isWithin } from '../shell/node-record.ts';
import {
  ACL_OPTIONS,
  type AclPolicy,
  aclPolicy,
  clientAt,
  liveSource,
  lostText,
  notWhole,
  openSource,
  placeOf,
  refuseAlone,
  refuseUnmarked,
  unmarkedText,
  unreadIn,
} from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import { isOwn } from '../shell/own-nodes.ts';
import { madeOf, stoppedAfter } from '../shell/part-done.ts';
import { quoteWord } from '../shell/paths.ts';
import { type Plan, planOf, unreadable } from '../shell/tree-plan.ts';
import { plural, showBytes, showCount } from '../shell/units.ts';
import { guardGiven } from './acl-guard.ts';
import { refuseOwn, tellOwn } from './refuse-own.ts';
import {
  Denied,
  emptySource,
  fileOf,
  inflightOf,
  missingUpTo,
  replacedBy,
  undoKeeps,
  withSuggestion,
} from './support.ts';

/** Changes are looked for so often even when nothing tells of them, ms. */
const EVERY_MS = 60_000;
/** What comes in a burst is taken together, ms. */
const SETTLE_MS = 100;
/** After a connection broke, ms. */
const AGAIN_MS = 1000;

/** One subtree kept equal to another. */
export default command({
  name: 'mirror',
  group: 'bulk',
  about: 'make one subtree equal to another, once or for as long as it runs',
  risk: 'bulk',
  params: {
    from: { kind: 'place', about: 'what is followed: PATH, @profile:PATH, file:F or snap:F:PATH' },
    to: { kind: 'place', about: 'what is changed: PATH or @profile:PATH' },
    follow: { kind: 'flag', short: '-f', about: 'go on as it changes, until Ctrl-C' },
    prune: { kind: 'flag', long: '--delete', about: 'delete there what is not here' },
    ...ACL_OPTIONS,
  },
  examples: [
    ['mirror /app /backup/app', 'once'],
    ['mirror -f --delete @prod:/app @standby:/app', 'and follow'],
    ['mirror --no-acl file:app.ndjson /app', 'from an export; ACLs stay as they are'],
  ],
  exits: [10, 11, 12, 13, 14, 15, 19, 30, 31, 44],
  notes: [
    'With -f a watch reports changes, and every minute all is compared besides. On servers before 3.6 that takes a watch for each node, of 1,000 nodes at most.',
    'Ephemeral nodes are left out.',
    'A file that was cut is refused (44) with --delete; else it is used, with a warning, and the exit code is 14.',
    'One that does not say whether it is whole, as older exports, lists of PATH=VALUE and folders that lost nodes, deletes only after a question, off a terminal only with --yes.',
    'At most 200,000 changes, or 64 MiB of data in them, are made at a time; more are refused before anything is changed: begin with cp -r.',
  ],
  isEndless: ({ follow }) => follow,
  async run({ from, to, follow, prune, noAcl, acl }, context): Promise<Output> {
    const policy = aclPolicy('mirror', noAcl, acl);
    const [source, target] = [placeOf(from), placeOf(to)];
    if (target.kind === 'file') throw usage('mirror: a file is written by export', `export ${from} FILE`);
    if (target.kind === 'snap') throw usage('mirror: a snapshot is only read', 'snapshots are made by servers');
    const isFile = source.kind !== 'path';
    if (isFile && follow)
      throw usage(`mirror: a ${source.kind === 'snap' ? 'snapshot' : 'file'} cannot be followed: leave out -f`);
    const [here, there] = [source.name, target.name].map((path) =>
      path.length > 1 ? path.replace(/\/$/, '') : path,
    ) as [string, string];
    if (source.kind === 'path' && source.target === target.target && (isWithin(here, there) || isWithin(there, here)))
      throw usage(
        here === there
          ? `mirror: ${here} would be made equal to itself`
          : isWithin(here, there)
            ? `mirror: ${here} lies within ${there}`
            : `mirror: ${there} lies within ${here}`,
      );
    // without a session for what needs none
    await using a = source.kind === 'path' ? await clientAt(source.target, context) : undefined;
    await using b = await clientAt(target.target, context);
    await guardGiven(policy, there, target.target === undefined, context);
    refuseOwn(b.client, there);
    const job: Job = {
      from: a === undefined ? from : a.client,
      here,
      to: b.client,
      there,
      isElsewhere: target.target !== undefined,
      prune,
      follow,
      policy,
    };
    const total = { created: 0, updated: 0, deleted: 0 };
    const plan = await withSuggestion(here, context, () => compare(job, context));
    if (!follow && plan.changes.length === 0) return answer(total, there, plan);
    const goes = plan.changes.filter(({ difference }) => difference.sign === '-').length;
    const isUnmarked = goes > 0 && plan.isUnmarked;
    if (isUnmarked) refuseUnmarked(from, goes, context, plan.lost);
    const changes = `make ${plural(plan.changes.length, 'change')} under ${there}`;
    await context.confirm({
      what: !follow ? changes : `${plan.changes.length === 0 ? '' : `${changes}, and `}follow ${from} from now on`,
      path: there,
      count: plan.changes.length,
      protects: context.session.isProtected(target.target),
      keepsUndo:
        !isUnmarked && target.target === undefined && (await undoKeeps(b.client, replacedBy(plan.changes), context)),
      details:
        plan.changes.length === 0
          ? [`nothing differs under ${there}`]
          : [
              ...(isUnmarked ? [unmarkedText(from, plan.lost)] : []),
              `${plural(plan.changes.length, 'change')}, ${showBytes(bytesOf(plan))} to write`,
              ...plan.changes.slice(0, 10).map(({ difference: { sign, path } }) => `${sign} ${path}`),
              ...(plan.changes.length > 10 ? ['...'] : []),
            ],
    });
    if (!follow) {
      await put(job, plan, total, context);
      return answer(total, there, plan);
    }
    return await followOn(job, plan, total, context); // the sessions are its own until then
  },
});

interface Job {
  /** The other session, or the place of a file. */
  readonly from: Client | string;
  readonly here: string;
  readonly to: Client;
  readonly there: string;
  /** In another ensemble than the one in use. */
  readonly isElsewhere: boolean;
  readonly prune: boolean;
  readonly follow: boolean;
  readonly policy: AclPolicy;
}
/** `isPart`: some of it may not be read; `isUnmarked`: out of a file that does not say whether it is whole, `lost`: or lacks nodes. */
type Compared = Plan & { readonly isPart: boolean; readonly isUnmarked: boolean; readonly lost: Lost | undefined };
/** Of data that is to be written. */
const bytesOf = ({ changes }: Plan): number =>
  changes.reduce(
    (sum, { difference: { sign }, record, setsData }) =>
      sum + (sign === '+' || setsData === true ? (record?.data?.length ?? 0) : 0),
    0,
  );
type Total = { created: number; updated: number; deleted: number };
const totalText = ({ created, updated, deleted }: Total): string =>
  `${showCount(created)} created, ${showCount(updated)} changed, ${showCount(deleted)} deleted`;

const answer = (total: Total, there: string, { same, isPart }: Compared): Output => ({
  ...(isPart && { exit: 14 }),
  type: 'counts',
  counts: { ...total, same },
  text: `${quoteWord(there)}: ${totalText(total)}, ${showCount(same)} unchanged`,
});

async function compare({ from, here, to, there, prune, policy }: Job, context: CommandContext): Promise<Compared> {
  const { signal } = context;
  const denied = new Denied();
  const options = {
    signal,
    inflight: inflightOf(context),
    acl: policy.way !== 'none',
    denied: (path: string) => denied.add(path, typeof from === 'string' ? fileOf(from) : undefined),
  };
  // what is hidden here would be deleted there, and nobody knows what is below what is hidden there
  const refuse = (path: string): never => {
    throw unreadable(path, 'addauth presents a credential; without --delete what is hidden is left alone');
  };
  const incomplete = (path: string): never => {
    throw placeOf(String(from)).kind === 'file' ? unreadIn(String(from), path, 'without --delete') : refuse(path);
  };
  let lack: Lack | undefined;
  const cut = (what: Lack): void => void (lack = what);
  await using wanted =
    typeof from === 'string'
      ? await openSource(from, context, { ...options, ...(prune ? { denied: incomplete } : { cut }) })
      : liveSource(from, here, here, { ...options, skipsOwn: true, ...(prune && { denied: refuse }) });
  if (prune) refuseAlone(wanted, String(from), '--delete');
  const hidden = new Set<string>();
  const hide = (path: string): void => void hidden.add(path);
  const isThere = (await to.exists(there, { signal })) !== undefined;
  const live = isThere
    ? liveSource(to, there, there, { ...options, skipsOwn: true, denied: prune ? refuse : hide })
    : emptySource(there);
  const above = isThere ? [] : await missingUpTo(to, parentOf(there), signal);
  using comparing = context.progress(`comparing ${there} with ${wanted.label}`);
  const skip = (path: string): boolean => isOwn(to, path);
  const seen = (count: number): void => comparing.update(count);
  const plan = await planOf(live, wanted, { prune, acl: policy, skip, hidden, above, seen });
  denied.tell(context, 'read');
  if (typeof from === 'string') tellOwn(plan.own, context);
  if (lack !== undefined) context.warn(notWhole(fileOf(String(from)) ?? '', lack));
  if (wanted.lost !== undefined && !prune) context.warn(lostText(fileOf(String(from)) ?? '', wanted.lost));
  const isPart = denied.any || lack !== undefined;
  return { ...plan, isPart, isUnmarked: wanted.isUnmarked === true, lost: wanted.lost };
}

async function put(
  { to, there, isElsewhere, follow }: Job,
  { changes }: Plan,
  total: Total,
  context: CommandContext,
): Promise<void> {
  if (changes.length === 0) return;
  const { signal } = context;
  using progress = context.progress(`writing ${there}`);
  let made = 0;
  try {
    await carryOut(to, changes, {
      signal,
      done(count) {
        made = count;
        progress.update(count, changes.length);
      },
    });
  } catch (error) {
    // who follows is told all rounds together
    if (follow && signal.aborted) throw error;
    throw stoppedAfter(error, madeOf(made, changes.length), context, { isElsewhere });
  } finally {
    for (const { difference } of inTurn(changes).flat().slice(0, made))
      total[difference.sign === '+' ? 'created' : difference.sign === '-' ? 'deleted' : 'updated']++;
  }
}

/** Puts through what changes, until the user has enough. */
async function followOn(job: Job, first: Plan, total: Total, context: CommandContext): Promise<Output> {
  const { from, here, there } = job;
  const { signal } = context;
  let wake = (): void => {};
  let isDirty = false;
  const told = (): void => {
    isDirty = true;
    wake();
  };
  const source = from as Client;
  const warn = (line: string): void => context.warn(`${line}; those are compared every minute`);
  await using _watch = await addWatch(source, here, told, { recursive: true, warn, signal });
  const gap = source.on('gap', told);
  try {
    await putWhatIs(job, first, total, context);
    isDirty = true; // what changed before the watch stood was told by nobody
    for (;;) {
      const round = new AbortController();
      const either = AbortSignal.any([signal, round.signal]);
      const change = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!isDirty) await Promise.race([change, pause(EVERY_MS, undefined, { signal: either })]);
      round.abort();
      await pause(SETTLE_MS, undefined, { signal });
      isDirty = false;
      try {
        isDirty = !(await putWhatIs(job, await compare(job, context), total, context));
      } catch (error) {
        if (!isLost(error)) throw error;
        context.warn('the connection broke; it goes on when there is one');
        await pause(AGAIN_MS, undefined, { signal });
        isDirty = true;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    context.warn(`${there}: ${totalText(total)}`);
    throw signal.reason;
  } finally {
    gap();
  }
}

/** Whether all of it was done; somebody else writes there, too, and then what is right is found out anew. */
async function putWhatIs(job: Job, plan: Plan, total: Total, context: CommandContext): Promise<boolean> {
  try {
    await put(job, plan, total, context);
  } catch (error) {
    const { exit = 0 } = error as { exit?: number };
    if (exit < 10 || exit > 13) throw error;
    return false;
  }
  for (const { difference } of plan.changes.slice(0, 20)) context.warn(`${difference.sign} ${difference.path}`);
  if (plan.changes.length > 20) context.warn(`... and ${plan.changes.length - 20} more`);
  return true;
}

/** The session goes on, and so does who follows. */
const isLost = (error: unknown): boolean =>
  error instanceof KeeperError && (error.code === 'ConnectionLoss' || error.code === 'OperationTimeout');

import { parentOf } from '../base/path.ts';
import type { Lack } from '../shell/archive-read.ts';
import { carryOut } from '../shell/carry-out.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import {
  ACL_OPTIONS,
  aclPolicy,
  fileSource,
  liveSource,
  lostText,
  notWhole,
  openSource,
  refuseAlone,
  refuseUnmarked,
  unmarkedText,
  unreadIn,
} from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import { isOwn } from '../shell/own-nodes.ts';
import { madeOf, stoppedAfter } from '../shell/part-done.ts';
import { quoteWord } from '../shell/paths.ts';
import { type Change, type Plan, planOf, unreadable } from '../shell/tree-plan.ts';
import { plural, showCount } from '../shell/units.ts';
import { guardGiven } from './acl-guard.ts';
import { refuseOwn, refuseOwnCheck, tellOwn } from './refuse-own.ts';
import { Denied, emptySource, inflightOf, missingUpTo, replacedBy, undoKeeps } from './support.ts';

/** A subtree made equal to a file. */
export default command({
  name: 'apply',
  group: 'bulk',
  about: 'make a subtree equal to a file',
  risk: 'bulk',
  riskOf: ({ check }) => (check ? 'read' : 'bulk'),
  params: {
    file: {
      kind: 'file',
      short: '-f',
      about: 'what export wrote, or snap:F:PATH',
      placeholder: 'FILE',
      required: true,
    },
    root: { kind: 'path', long: '--root', about: 'the subtree; default where the file came from', placeholder: 'PATH' },
    prune: { kind: 'flag', long: '--prune', about: 'delete what the file does not hold' },
    check: { kind: 'flag', long: '--check', about: 'only show what would change; 1 when something would' },
    ...ACL_OPTIONS,
  },
  examples: [
    ['apply -f app.ndjson --check', 'whether anything differs'],
    ['apply -f app.ndjson', 'makes and changes what the file says'],
    ['apply -f app.ndjson --prune', 'and deletes what it does not say'],
    ['apply -f snap:snapshot.1a2:/app --check', 'what a snapshot of a server would put back'],
  ],
  exits: [1, 10, 11, 12, 13, 14, 15, 19, 30, 31, 44],
  notes: [
    'At a prompt it shows every change and asks, but for up to 20 that undo can take back. It does those and no others: each is bound to the version that was seen. When somebody else was faster it stops there, says how far it came, and can be repeated.',
    'At most 200,000 changes, or 64 MiB of data in them, are one plan; more are refused before anything is changed.',
    'Levels that are missing above a node of the file are made, empty and open to everyone, as import makes them.',
    'A file that was cut is refused (44) with --prune or --check; else it is used, with a warning, and the exit code is 14.',
    'One that does not say whether it is whole, as older exports, lists of PATH=VALUE and folders that lost nodes, deletes only after a question, off a terminal only with --yes.',
    'What an ACL hides is left alone, too, unless the file holds it or --prune would have to look there: then nothing is begun (14).',
    'Ephemeral nodes are left alone. With --no-acl the ACLs of nodes that are there stay as they are.',
  ],
  async run({ file, root, prune, check, noAcl, acl }, context): Promise<Output> {
    if (file === undefined) throw usage('apply: -f FILE is missing', 'apply -f FILE');
    const policy = aclPolicy('apply', noAcl, acl);
    const client = await context.client();
    const { signal } = context;
    const refuse = (each: string): never => {
      throw unreadable(each);
    };
    const options = { signal, inflight: inflightOf(context), acl: policy.way !== 'none', denied: refuse };
    const unread = new Denied();
    const incomplete = (each: string): void => {
      if (prune) throw unreadIn(file, each, 'without --prune');
      unread.add(each, file);
    };
    let lack: Lack | undefined;
    // of what it does not hold nothing can be said
    const cut = prune || check ? undefined : (what: Lack): void => void (lack = what);
    await using wanted = file.startsWith('snap:')
      ? await openSource(file, context, options)
      : await fileSource(file, { signal, denied: incomplete, cut });
    if (prune) refuseAlone(wanted, file, '--prune');
    const path = root ?? wanted.root;
    if (!check) await guardGiven(policy, path, true, context);
    if (check) refuseOwnCheck(client, path, file.startsWith('snap:') ? file : `file:${file}`);
    refuseOwn(client, path);
    await client.sync(path, { signal });
    const isThere = (await client.exists(path, { signal })) !== undefined;
    // what the file does not hold stays as it is, whatever it is
    const hidden = new Set<string>();
    const hide = (each: string): void => void hidden.add(each);
    const live = isThere
      ? liveSource(client, path, path, { ...options, ...(!prune && { denied: hide }) })
      : emptySource(path);
    const above = isThere ? [] : await missingUpTo(client, parentOf(path), signal);
    using comparing = context.progress(`comparing ${path} with ${file}`);
    const plan = await planOf(live, wanted, {
      prune,
      acl: policy,
      skip: (each) => isOwn(client, each),
      hidden,
      above,
      seen: (count) => comparing.update(count),
    });
    unread.tell(context, 'read');
    tellOwn(plan.own, context);
    if (lack !== undefined) context.warn(notWhole(file, lack));
    const part = unread.any || lack !== undefined ? { exit: 14 } : {};
    const summary = summaryOf(plan, prune, lack === undefined);
    const differences = plan.changes.map(({ difference }) => difference);
    const counts = countsOf(plan.changes, plan);
    const goes = counts.deleted;
    if (wanted.lost !== undefined && (check || goes === 0)) context.warn(lostText(file, wanted.lost));
    if (check || plan.changes.length === 0)
      return {
        type: 'differences',
        differences,
        summary,
        counts,
        ...(plan.changes.length > 0 && { exit: 1 }),
        ...part,
      };
    // where nobody is asked the answer is what was done, and nothing besides
    if (context.asks) context.show({ type: 'differences', differences, summary });
    const isUnmarked = goes > 0 && wanted.isUnmarked === true;
    if (isUnmarked) refuseUnmarked(file, goes, context, wanted.lost);
    await context.confirm({
      what: whatOf(plan.changes.length, goes, path),
      path,
      count: plan.changes.length,
      keepsUndo: !isUnmarked && (await undoKeeps(client, replacedBy(plan.changes), context)),
      ...(isUnmarked && { details: [unmarkedText(file, wanted.lost)] }),
    });
    using progress = context.progress(`applying ${file}`);
    let made = 0;
    try {
      await carryOut(client, plan.changes, {
        signal,
        done(count) {
          made = count;
          progress.update(count, plan.changes.length);
        },
      });
    } catch (error) {
      throw stoppedAfter(error, madeOf(made, plan.changes.length), context);
    }
    return {
      ...part,
      type: 'counts',
      counts,
      changes: differences,
      text: `${quoteWord(path)} is as ${quoteWord(file)} says: ${showCount(counts.created)} created, ${showCount(counts.updated)} changed, ${showCount(counts.deleted)} deleted`,
    };
  },
});

/** As in a question. */
function whatOf(changes: number, deletions: number, path: string): string {
  if (deletions === changes) return `delete ${plural(deletions, 'node')} under ${path}`;
  const which = deletions === 0 ? '' : `, ${deletions} of them ${deletions === 1 ? 'a deletion' : 'deletions'}`;
  return `make ${plural(changes, 'change')} under ${path}${which}`;
}

const countsOf = (changes: readonly Change[], { same, extra, ephemerals }: Plan) => ({
  created: changes.filter(({ difference }) => difference.sign === '+').length,
  updated: changes.filter(({ difference }) => difference.sign === '~').length,
  deleted: changes.filter(({ difference }) => difference.sign === '-').length,
  same,
  extra,
  ephemerals,
});

/** `isWhole`: the file, so that --prune would take it. */
function summaryOf(plan: Plan, prune: boolean, isWhole: boolean): string {
  const { created, updated, deleted, same, extra, ephemerals } = countsOf(plan.changes, plan);
  return [
    ` = ${showCount(same)} unchanged`,
    ...(extra > 0 && !prune ? [`${showCount(extra)} only there${isWhole ? ' (--prune deletes them)' : ''}`] : []),
    ...(ephemerals > 0 ? [`${showCount(ephemerals)} ephemeral left alone`] : []),
    plan.changes.length === 0
      ? 'nothing to do'
      : `would create ${showCount(created)}, change ${showCount(updated)}, delete ${showCount(deleted)}`,
  ].join(', ');
}

import { parentOf } from '../base/path.ts';
import type { Client, MultiOp, MultiResult } from '../client/api.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { FORCED_LIMIT } from '../shell/data.ts';
import { Failure, refused, usage } from '../shell/failure.ts';
import { isWithin } from '../shell/node-record.ts';
import { ACL_OPTIONS, aclPolicy, aclUnder } from '../shell/node-source.ts';
import type { Output } from '../shell/output.ts';
import type { Link, Step, TrashEntry } from '../shell/trash.ts';
import { type LostSince, lostBy } from '../shell/undo-copies.ts';
import { type Undoing, undoPlan } from '../shell/undo-plan.ts';
import { hex, plural, showAge, showBytes } from '../shell/units.ts';
import { guardGiven } from './acl-guard.ts';
import { inflightOf } from './support.ts';

/** Takes back what was done at the prompt. */
export default command({
  name: 'undo',
  group: 'bulk',
  about: 'take back a change made at the prompt',
  risk: 'bulk',
  riskOf: ({ which }) => (which === 'list' ? 'read' : 'bulk'),
  params: {
    which: {
      kind: 'text',
      about: 'its number in undo list, or list, or clear; default the latest made here, in a terminal',
      optional: true,
      placeholder: 'N|list|clear',
      offers: ['list', 'clear'],
    },
    ...ACL_OPTIONS,
  },
  examples: [
    ['undo', 'the latest change made with these servers under this name'],
    ['undo list', 'what can be taken back'],
    ['undo 3', 'the third of that list'],
  ],
  exits: [10, 12, 14, 15, 30, 31],
  notes: [
    'It shows what it is about to do. What is not as the change left it, since somebody changed it, is not touched, and marked with a !.',
    'What a command replaces is kept for 14 days in files only you can read: up to 64 MiB of each command, 200 MiB of all. What an ACL hides from others is kept only with settings undo-protected on, and a command always without its data.',
    'What was not kept and stands where the change put it, as after mv, comes back from there. The last of anything is not taken away: it stays, and it is said how it is moved back.',
    'Not restored: zxids, versions, counters of sequential nodes, ephemeral nodes.',
    'An undo at a prompt can itself be taken back: undo list shows it. Changes made under another name (@profile, or an address) are those of another ensemble. The exit code is 12 when a part could not be taken back, 10 when there is nothing to take back.',
  ],
  async run({ which, noAcl, acl: text }, context): Promise<Output> {
    const { trash, signal } = context;
    if (!trash.isKept) throw usage('undo: this shell keeps no history', 'leave out --no-history');
    if (which === 'list') return listOf(trash.list(), context);
    if (which === 'clear') {
      const count = trash.list().length;
      await context.confirm({ what: `forget ${plural(count, 'change')} that could be taken back`, path: '/', count });
      if (!context.isDry) trash.clear();
      return { type: 'done', text: `forgot ${plural(count, 'change')}`, json: { cleared: count } };
    }
    if (which === undefined && !context.asks && !context.interactive && !context.saysYes && !context.isDry)
      throw refused(
        'undo: nobody is there to see which change it takes back',
        'undo list shows them: undo N says which',
      );
    const policy = aclPolicy('undo', noAcl, text);
    await guardGiven(policy, 'what comes again', false, context);
    const entry = chosen(which, trash.list(), context);
    const client = await context.client();
    const plan = await undoPlan(client, trash.steps(entry.id), {
      signal,
      inflight: inflightOf(context),
      aclOf: (record) => aclUnder(policy, record),
      laterOf: trash.laterOf(context.session.label),
      lostSince: lostAfter(entry, context),
    });
    if (plan.length === 0) {
      if (!context.isDry) trash.remove(entry.id);
      return { type: 'counts', counts: { undone: 0, impossible: 0 }, text: `nothing of it was done: ${entry.command}` };
    }
    const doable = plan.filter(isDoable);
    // a dry run shows by itself what would be sent
    const told = context.isDry ? plan.filter((each) => !isDoable(each)) : plan;
    if ((context.asks || context.interactive) && told.length > 0)
      context.show({
        type: 'differences',
        differences: told.slice(0, SHOWN).map(({ difference }) => difference),
        ...more(told),
      });
    const conflicts = plan.length - doable.length;
    if (doable.length === 0)
      throw new Failure(12, 'NothingToUndo', `nothing of it can be taken back: ${entry.command}`, {
        hint: 'undo list shows earlier changes',
      });
    const top = topOf(doable.map(({ difference }) => difference.path));
    await context.confirm({
      what: `take back ${plural(doable.length, 'change')}${conflicts > 0 ? ` of ${plan.length}` : ''} under ${top} of: ${entry.command}`,
      // nothing happens to the root itself
      path: top === '/' ? (doable[0]?.difference.path ?? top) : top,
      count: doable.length,
      keepsUndo: context.keepsUndo,
    });
    let done = 0;
    try {
      await carryOut(client, doable, context, (count) => {
        done = count;
      });
    } catch (error) {
      if (done > 0) context.warn(`${done} of ${plural(doable.length, 'change')} were taken back before that`);
      throw error;
    }
    if (conflicts === 0 && !context.isDry) trash.remove(entry.id);
    return {
      ...(conflicts > 0 && { exit: 12 }),
      type: 'counts',
      counts: { undone: doable.length, impossible: conflicts },
      text: `took back ${conflicts > 0 ? `${doable.length} of ${plural(plan.length, 'change')}` : plural(doable.length, 'change')}: ${entry.command}`,
    };
  },
});

/** What changes after this one lost: a copy of it may be the last there is. */
function lostAfter({ number, target }: TrashEntry, { trash }: CommandContext): LostSince[] {
  return trash.list().flatMap((each) => {
    if (each.number >= number || each.target !== target || each.counts?.unkept === 0) return [];
    try {
      return lostBy(trash.steps(each.id));
    } catch {
      return []; // what is damaged is told when it is taken back itself
    }
  });
}

/** The lowest node that all of these are at or below. */
function topOf([first = '/', ...others]: readonly string[]): string {
  let top = first;
  for (const path of others) while (!isWithin(path, top)) top = parentOf(top) || '/';
  return top;
}

const SHOWN = 100;
const more = (plan: readonly Undoing[]): { summary?: string } =>
  plan.length > SHOWN ? { summary: ` ... and ${plan.length - SHOWN} more` } : {};
const isDoable = ({ op, acl }: Undoing): boolean => op !== undefined || acl !== undefined;

/** @throws Failure (2, 10) */
function chosen(which: string | undefined, entries: readonly TrashEntry[], context: CommandContext): TrashEntry {
  const { label } = context.session;
  if (which === undefined) {
    const latest = entries.find(({ target, isUndo }) => target === label && !isUndo);
    if (latest !== undefined) return latest;
    throw new Failure(10, 'NothingToUndo', `nothing to take back: no change made at a prompt of ${label} is kept`, {
      hint: entries.some(({ target }) => target !== label)
        ? 'undo list shows those of other ensembles'
        : entries.length > 0
          ? 'an undo can be taken back, too: undo list shows its number'
          : undefined,
    });
  }
  const entry = /^\d+$/.test(which) ? entries[Number(which) - 1] : undefined;
  if (entry === undefined) throw usage(`undo: no change ${which}`, 'undo list shows them with their numbers');
  if (entry.target !== label)
    throw usage(`undo: that was done in ${entry.target}, and this is ${label}`, `connect ${entry.target} goes there`);
  return entry;
}

function listOf(entries: readonly TrashEntry[], { session }: CommandContext): Output {
  const now = Date.now();
  const SIGNS: Readonly<Record<Step['did'], string>> = { created: '+', set: '~', acl: '@', deleted: '-', unkept: '!' };
  const countsOf = ({ counts }: TrashEntry): string =>
    counts === undefined
      ? 'broke off'
      : Object.entries(counts)
          .filter(([, count]) => count > 0)
          .map(([did, count]) => `${SIGNS[did as Step['did']]}${count}`)
          .join(' ');
  const cells = (time: (at: number) => string, size: (bytes: number) => string): string[][] =>
    entries.map((entry) => [
      String(entry.number),
      time(entry.at),
      countsOf(entry),
      size(entry.bytes),
      `${entry.target === session.label ? '' : `${entry.target}: `}${entry.command}`,
    ]);
  return {
    type: 'table',
    columns: [
      { name: '#', right: true },
      { name: 'when' },
      { name: 'changes' },
      { name: 'size', right: true },
      { name: 'command', cuts: true },
    ],
    rows: cells((at) => new Date(at).toISOString(), String),
    humanRows: cells((at) => showAge(at, now), showBytes),
    json: entries.map(({ number, at, target, command: line, isUndo, counts, bytes }) => ({
      number,
      time: new Date(at).toISOString(),
      target,
      command: line,
      undo: isUndo,
      counts: counts ?? null,
      bytes,
    })),
    foot: entries.length > 0 ? ['+ made, ~ changed, @ ACL, - deleted, ! not kept'] : [],
  };
}

const BATCH_OPS = 500;
const BATCH_BYTES = 400_000;

async function carryOut(
  client: Client,
  plan: readonly Undoing[],
  context: CommandContext,
  told: (done: number) => void,
): Promise<void> {
  const { signal } = context;
  let ops: MultiOp[] = [];
  /** Changes among them. */
  let waiting = 0;
  let bytes = 0;
  let done = 0;
  using progress = context.progress('taking back');
  /** Of what is made again, the czxid it had. */
  const standing = new Map<string, string>();
  const linkOf = async (made: MultiResult): Promise<Link[]> => {
    const was = made.op === 'create' ? standing.get(made.path) : undefined;
    if (made.op !== 'create' || was === undefined) return [];
    const czxid = made.stat?.czxid ?? (await client.exists(made.path, { signal }))?.czxid;
    return czxid === undefined ? [] : [{ path: made.path, was, czxid: hex(czxid) }];
  };
  const send = async (): Promise<void> => {
    // what was there before is nothing that a server does not take
    const results = ops.length === 0 ? [] : await client.multi(ops, { signal, maxRequestBytes: FORCED_LIMIT });
    // what was only thought of stands for nothing
    if (!context.isDry) context.trash.link(context.session.label, (await Promise.all(results.map(linkOf))).flat());
    standing.clear();
    done += waiting;
    told(done);
    progress.update(done, plan.length);
    ops = [];
    waiting = 0;
    bytes = 0;
  };
  for (const { op, checks = [], acl, standsFor } of plan) {
    if (op !== undefined && standsFor !== undefined) standing.set(op.path, standsFor);
    if (op !== undefined) {
      const size = op.path.length + ('data' in op ? (op.data?.length ?? 0) : 0) + 60;
      if (ops.length >= BATCH_OPS || (ops.length > 0 && bytes + size > BATCH_BYTES)) await send();
      ops.push(...checks, op);
      waiting++;
      bytes += size;
    }
    if (acl !== undefined) {
      await send();
      await client.setAcl(acl.path, acl.acl, acl.aversion, { signal });
      done++;
    }
  }
  await send();
}

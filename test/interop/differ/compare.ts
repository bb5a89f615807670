/** Two transcripts of one program, side by side; and what docs/compatibility.md excuses. */
import type { Item } from './normal.ts';
import { textOf } from './normal.ts';
import type { Entry, Transcript } from './play.ts';

export interface Difference {
  readonly step: number;
  readonly who: number;
  /** Place of the request in its step, when it is about one. */
  readonly ask: number | undefined;
  /** Operation and field it is about; of a multi's part, the part's. */
  readonly op: string;
  readonly field: string;
  /** What zoosh answered, when it is about a reply. */
  readonly err?: string | undefined;
  readonly apache: string;
  readonly zoosh: string;
}
/** What may differ: one field of one operation, and why. */
export interface Rule {
  readonly op: string;
  readonly field: string;
  readonly why: string;
  /** Nothing follows from it; without this the request is left out and the program is run again. */
  readonly harmless?: true;
  readonly when?: (difference: Difference) => boolean;
}

const PART = /^(\d+)\.(.*)$/;

function itemDifferences(at: Omit<Difference, 'op' | 'field' | 'apache' | 'zoosh'>, a: Item, b: Item): Difference[] {
  const out: Difference[] = [];
  const stopped = new Set<string>();
  for (const name of new Set([...Object.keys(a.fields), ...Object.keys(b.fields)])) {
    const [apache, zoosh] = [a.fields[name] ?? 'absent', b.fields[name] ?? 'absent'];
    if (apache === zoosh) continue;
    const [, part, field = name] = PART.exec(name) ?? [];
    // of what was refused on one side only there is nothing more to compare
    if (stopped.has(part ?? '')) continue;
    if (field === 'err' || field === 'type') stopped.add(part ?? '');
    const op = part === undefined ? a.op : (a.parts?.[Number(part)] ?? a.op);
    out.push({ ...at, op, field: part === undefined ? field : `part ${field}`, err: b.fields.err, apache, zoosh });
  }
  return out;
}

function entryDifferences(a: Entry, b: Entry): Difference[] {
  const out: Difference[] = [];
  let replies = 0;
  for (let i = 0; i < Math.max(a.items.length, b.items.length); i++) {
    const [left, right] = [a.items[i], b.items[i]];
    const ask = a.asks[replies] === undefined ? undefined : replies;
    const at = { step: a.step, who: a.who, ask };
    const others = left?.kind === 'event' && ['type', 'path'].some((name) => left.fields[name] !== right?.fields[name]);
    if (left === undefined || right === undefined || left.kind !== right.kind || left.op !== right.op || others) {
      const isEvent = left?.kind === 'event' || right?.kind === 'event';
      const [apache, zoosh] = [left, right].map((item) => (item === undefined ? 'nothing' : textOf(item))) as [
        string,
        string,
      ];
      return [
        ...out,
        { ...at, op: a.asks[replies]?.op ?? 'notification', field: isEvent ? 'event' : 'reply', apache, zoosh },
      ];
    }
    out.push(...itemDifferences(at, left, right));
    if (left.kind === 'reply') replies++;
  }
  return out;
}

/** In the order of the steps. */
export function compare(apache: Transcript, zoosh: Transcript): Difference[] {
  const out: Difference[] = [];
  for (let i = 0; i < Math.max(apache.length, zoosh.length); i++) {
    const [a, b] = [apache[i], zoosh[i]];
    if (a === undefined || b === undefined || a.step !== b.step || a.who !== b.who) {
      const { step = -1, who = -1 } = a ?? b ?? {};
      const show = (entry: Entry | undefined): string => entry?.items.map(textOf).join('; ') ?? 'nothing';
      return [...out, { step, who, ask: undefined, op: 'session', field: 'heard', apache: show(a), zoosh: show(b) }];
    }
    out.push(...entryDifferences(a, b));
  }
  return [...out, ...eventZxids(zoosh)].sort((x, y) => x.step - y.step);
}

/**
 * Ours puts the zxid of the change into an event, where 3.8 has -1: it lies behind the reply before and not behind the reply
 * after; -1 is right while a client catches up.
 */
function eventZxids(transcript: Transcript): Difference[] {
  const out: Difference[] = [];
  const last = new Map<number, number>();
  for (const { step, who, asks, items } of transcript) {
    const catchesUp = asks.some(({ op }) => op.startsWith('setWatches'));
    const numbers = items.map(({ kind, fields }) =>
      kind === 'reply' && fields.zxid?.startsWith('+') ? Number(fields.zxid) : undefined,
    );
    items.forEach(({ kind, fields }, at) => {
      const own = numbers[at];
      if (own !== undefined) last.set(who, own);
      if (kind !== 'event' || (fields.zxid === '-1' && catchesUp)) return;
      const after = numbers.slice(at).find((each) => each !== undefined) ?? Number.POSITIVE_INFINITY;
      const zxid = fields.zxid?.startsWith('+') ? Number(fields.zxid) : -1;
      if (zxid > (last.get(who) ?? -1) && zxid <= after) return;
      const apache = `behind +${last.get(who)}, at most +${after}`;
      out.push({
        step,
        who,
        ask: undefined,
        op: 'notification',
        field: 'zxid out of place',
        apache,
        zoosh: `${fields.zxid}`,
      });
    });
  }
  return out;
}

export const ruleFor = (rules: readonly Rule[], difference: Difference): Rule | undefined =>
  rules.find(
    ({ op, field, when }) => op === difference.op && field === difference.field && when?.(difference) !== false,
  );

export const printDifference = ({ step, who, ask, op, field, apache, zoosh }: Difference): string =>
  `step ${step}${who < 0 ? '' : `, s${who}`}${ask === undefined ? '' : `, request ${ask}`}: ${field} of ${op}\n  apache ${apache}\n  zoosh  ${zoosh}`;

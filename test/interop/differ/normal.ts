/** What a server said, with everything that differs from run to run named by what it stands for. */
import { codeOfNumber, KEEPER_CODES } from '../../../src/base/errors.ts';
import { Reader } from '../../../src/protocol/bytes.ts';
import { WatcherEvent } from '../../../src/protocol/events.ts';
import { MultiAnswers, type MultiPart, OPERATIONS, type OperationName, XID } from '../../../src/protocol/operations.ts';
import type { Kind } from '../../../src/protocol/record.ts';
import { type Ask, nameOf, type Place } from './program.ts';

/** A part of what was said. Fields of a multi's parts begin with their number and a point. */
export interface Item {
  readonly kind: 'reply' | 'event' | 'welcome' | 'end' | 'node';
  readonly op: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Operations of the parts, for a multi. */
  readonly parts?: readonly string[];
}
export const codeName = (code: number): string =>
  code === 0 ? 'ok' : Object.values(KEEPER_CODES).includes(code as never) ? codeOfNumber(code) : String(code);

/** Of one machine: clocks are the same, but for rounding and steps. */
const NEAR_MS = 5000;
const HEAD = 16;

/** Identities that `auth` stood for are in no order: neighbours of one scheme and the same bits are put into one. */
function ownTogether(entries: readonly string[]): string[] {
  const out: string[][] = [];
  const kind = (entry: string | undefined): string | undefined => /^-?\d+ digest:/.exec(entry ?? '')?.[0];
  for (const entry of entries) {
    const run = out.at(-1);
    if (run !== undefined && kind(entry) !== undefined && kind(run[0]) === kind(entry)) run.push(entry);
    else out.push([entry]);
  }
  return out.flatMap((run) => run.sort());
}

/** Names zxids, times and sessions of one run on one server. */
export class Names {
  readonly sessions = new Map<bigint, string>();
  private readonly times = new Map<bigint, number>();
  private readonly place: Place;
  private readonly now: () => number;
  private readonly began: number;
  constructor(place: Place, now: () => number) {
    this.place = place;
    this.now = now;
    this.began = now();
  }
  path(path: string | null): string {
    const { root } = this.place;
    if (path === null) return 'null';
    return JSON.stringify(path.startsWith(root) ? `$${path.slice(root.length)}` : path);
  }
  zxid(zxid: bigint): string {
    if (zxid === 0n || zxid === -1n) return `${zxid}`;
    return zxid < this.place.base ? 'old' : `+${zxid - this.place.base}`;
  }
  session = (id: bigint): string => (id === 0n ? 'none' : (this.sessions.get(id) ?? `0x${id.toString(16)}`));
  /** A transaction has one time, and it is about now. */
  time(zxid: bigint, time: number): string {
    if (zxid < this.place.base) return 'old';
    const known = this.times.get(zxid);
    if (known === undefined) this.times.set(zxid, time);
    else if (known !== time) return `other by ${time - known}`;
    return time > this.began - NEAR_MS && time < this.now() + NEAR_MS ? 'of its zxid' : `far by ${time - this.now()}`;
  }
  /** A decoded record, flat. */
  flat(value: unknown, key: string, into: Record<string, string>): void {
    if (value instanceof Uint8Array) into[key] = JSON.stringify(Buffer.from(value).toString('latin1'));
    else if (value === null || value === undefined) into[key] = 'null';
    else if (typeof value === 'string') into[key] = this.path(value);
    else if (typeof value === 'bigint') into[key] = this.zxid(value);
    else if (Array.isArray(value)) into[key] = this.list(value);
    else if (typeof value !== 'object') into[key] = String(value);
    else
      for (const [name, each] of Object.entries(value)) {
        const at = key === '' ? name : `${key}.${name}`;
        const stat = value as { czxid: bigint; mzxid: bigint };
        if (name === 'ephemeralOwner') into[at] = this.session(each as bigint);
        else if (name === 'ctime') into[at] = this.time(stat.czxid, each as number);
        else if (name === 'mtime') into[at] = this.time(stat.mzxid, each as number);
        else this.flat(each, at, into);
      }
  }
  /** In no order, as children, ephemerals and identities are; ACLs keep theirs. */
  private list(values: readonly unknown[]): string {
    const texts = values.map((each) => {
      if (each === null || typeof each !== 'object') return this.path(each as string | null);
      const { perms, id, authScheme, user } = each as never as Record<string, Record<string, string>>;
      return perms === undefined ? `${authScheme}:${user}` : `${perms} ${id?.scheme}:${id?.id}`;
    });
    const isAcl = values.some((each) => typeof each === 'object' && each !== null && 'perms' in each);
    return `[${(isAcl ? ownTogether(texts) : texts.sort()).join(' ')}]`;
  }
  event(frame: Buffer): Item {
    const { type, state, path } = WatcherEvent.read(new Reader(frame, HEAD));
    const zxid = this.zxid(frame.readBigInt64BE(4));
    return {
      kind: 'event',
      op: 'notification',
      fields: { type: `${type}`, state: `${state}`, path: this.path(path), zxid },
    };
  }
  /** The reply to `ask`, sent as `xid`; for a ping of the runner's own there is no ask. */
  reply(frame: Buffer, ask: Ask | undefined, xid: number): Item {
    const op = ask?.op ?? 'settle';
    const said = frame.readInt32BE(0);
    const err = frame.readInt32BE(12);
    const fields: Record<string, string> = {
      xid: said === xid ? 'as asked' : `${said} for ${xid}`,
      err: codeName(err),
      zxid: this.zxid(frame.readBigInt64BE(4)),
    };
    const from = new Reader(frame, HEAD);
    const isMulti = op === 'multi' || op === 'multiRead';
    try {
      if (err === 0 && isMulti) this.multi(MultiAnswers.read(from), fields);
      else if (err === 0 && op in OPERATIONS) {
        const answer = (OPERATIONS[op as OperationName].answer as Kind<unknown>).read(from);
        this.flat(answer, op === 'addWatch' ? 'answer' : '', fields);
      }
    } catch (fault) {
      fields.body = String(fault);
    }
    fields.rest = from.bytes.toString('hex', from.at);
    const parts = isMulti ? ((ask?.request as MultiPart[]) ?? []).map(({ type }) => nameOf(type)) : [];
    return { kind: 'reply', op, fields, parts };
  }
  private multi(
    answers: readonly { type: number; err: number; result: unknown }[],
    fields: Record<string, string>,
  ): void {
    fields.count = `${answers.length}`;
    answers.forEach(({ type, err, result }, at) => {
      fields[`${at}.type`] = `${type}`;
      fields[`${at}.err`] = codeName(err);
      if (result !== undefined) {
        if (Array.isArray(result)) fields[`${at}.children`] = this.list(result);
        else this.flat(result, `${at}`, fields);
      }
    });
  }
  /** All of what one session heard in a step. */
  heard(frames: readonly Buffer[], asks: readonly Ask[], xids: readonly number[]): Item[] {
    let at = 0;
    return frames.map((frame) => {
      if (frame.readInt32BE(0) === XID.event) return this.event(frame);
      // the runner's own ping comes last; of a request that is never answered there is nothing
      if (frame.readInt32BE(0) === XID.ping && asks[at]?.op !== 'ping') return this.reply(frame, undefined, XID.ping);
      const item = this.reply(frame, asks[at], xids[at] ?? XID.ping);
      at++;
      return item;
    });
  }
}

export const textOf = ({ kind, op, fields }: Item): string =>
  `${kind} ${op} ${Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`;

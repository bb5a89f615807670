/** What a server could do wrong, as changes of frames on their way; each is told once and must be found. */
import { CODES, nameOf } from './program.ts';

const HEAD = 16;
const STAT_BYTES = 68;
/** Times are not compared, only looked at: within a run, and one for each transaction. */
const HOUR_MS = 3_600_000;

/** A frame on its way to the client, without its length. */
export interface Passing {
  /** What it answers; `notification` for an event. */
  readonly op: string;
  readonly frame: Buffer;
  /** The one before it to this client, not sent yet when a lie held it back. */
  readonly err: number;
}
/** A lie about answers: what goes on instead, or undefined when this frame is not one to lie about. */
export interface Lie {
  readonly name: string;
  readonly answer?: (passing: Passing) => readonly Buffer[] | undefined;
  /** A lie about what the client asked: the frame that the server gets instead. Told every time, since not all of them are done. */
  readonly request?: (op: string, frame: Buffer) => Buffer | undefined;
  /** The frame waits and goes behind the next one. */
  readonly late?: (passing: Passing) => boolean;
}

/** Where the Stat stands that closes an answer; those of closing sessions and of the runner itself are never lied about. */
const WITH_STAT: ReadonlySet<string> = new Set([
  'exists',
  'getData',
  'setData',
  'setAcl',
  'getAcl',
  'getChildren2',
  'create2',
  'createTtl',
]);
/** What is older than the program is only known to be old: a lie about it would be none. */
const NEW: ReadonlySet<string> = new Set(['create2', 'createTtl']);
const CHANGED: ReadonlySet<string> = new Set(['create2', 'createTtl', 'setData']);
const isEvent = ({ op }: Passing): boolean => op === 'notification';
const isReply = ({ op }: Passing): boolean => op !== 'notification' && op !== 'auth' && op !== 'sasl';

function stat(name: string, at: number, bytes: number, by = 1, ops = WITH_STAT): Lie {
  return {
    name,
    answer: ({ op, frame, err }) => {
      if (err !== 0 || !ops.has(op)) return undefined;
      const place = frame.length - STAT_BYTES + at;
      const changed = Buffer.from(frame);
      if (bytes === 8) changed.writeBigInt64BE(changed.readBigInt64BE(place) + BigInt(by), place);
      else changed.writeInt32BE(changed.readInt32BE(place) + by, place);
      return [changed];
    },
  };
}
const changed = (frame: Buffer, at: number, by: number): Buffer => {
  const copy = Buffer.from(frame);
  copy[at] = ((copy[at] as number) + by) & 0xff;
  return copy;
};
/** A refusal without the rest. */
const coded = (frame: Buffer, code: number): Buffer => {
  const copy = Buffer.from(frame.subarray(0, HEAD));
  copy.writeInt32BE(code, 12);
  return copy;
};
const code = (name: string, from: number, to: number): Lie => ({
  name,
  answer: (passing) =>
    isReply(passing) && passing.err === from && !EXCUSED.has(passing.op) ? [coded(passing.frame, to)] : undefined,
});
/** Of these a code or a zxid may differ by a rule. */
const EXCUSED: ReadonlySet<string> = new Set([
  'exists',
  'removeWatches',
  'checkWatches',
  'check',
  'createSession',
  'multi',
  'multiRead',
]);
const zxid = (name: string, by: bigint): Lie => ({
  name,
  answer: (passing) => {
    const { frame } = passing;
    const at = frame.readBigInt64BE(4);
    if (!isReply(passing) || EXCUSED.has(passing.op) || at <= 0n) return undefined;
    const copy = Buffer.from(frame);
    copy.writeBigInt64BE(at + by, 4);
    return [copy];
  },
});
const event = (name: string, change: (frame: Buffer) => readonly Buffer[]): Lie => ({
  name,
  answer: (passing) => (isEvent(passing) ? change(passing.frame) : undefined),
});
const ofOp = (name: string, ops: readonly string[], change: (frame: Buffer) => Buffer | undefined): Lie => ({
  name,
  answer: ({ op, frame, err }) => {
    if (err !== 0 || !ops.includes(op)) return undefined;
    const instead = change(frame);
    return instead === undefined ? undefined : [instead];
  },
});
const ask = (name: string, op: string, change: (frame: Buffer) => Buffer | undefined): Lie => ({
  name,
  request: (asked, frame) => (asked === op ? change(frame) : undefined),
});
/** Behind a path: where its length stands at 8. */
const behindPath = (frame: Buffer): number => 12 + Math.max(0, frame.readInt32BE(8));

export const LIES: readonly Lie[] = [
  stat('czxid', 0, 8, 1, NEW),
  stat('mzxid', 8, 8, 1, CHANGED),
  stat('ctime', 16, 8, HOUR_MS, NEW),
  stat('mtime', 24, 8, -HOUR_MS, CHANGED),
  stat('version', 32, 4),
  stat('cversion', 36, 4),
  stat('aversion', 40, 4),
  stat('ephemeralOwner', 44, 8),
  stat('dataLength', 52, 4),
  stat('numChildren', 56, 4),
  stat('pzxid', 60, 8, 1, NEW),
  code('refused though it was done', 0, -101),
  code('NoNode told as BadVersion', -101, -103),
  code('NodeExists told as NoNode', -110, -101),
  code('BadArguments told as InvalidAcl', -8, -114),
  code('InvalidAcl told as BadArguments', -114, -8),
  code('NotEmpty told as BadVersion', -111, -103),
  code('NoAuth told as NoNode', -102, -101),
  code('MarshallingError told as BadArguments', -5, -8),
  zxid('a zxid too high', 1n),
  zxid('a zxid too low', -1n),
  event('an event is lost', () => []),
  event('an event comes twice', (frame) => [frame, frame]),
  event('an event of another type', (frame) => [changed(frame, HEAD + 3, 1)]),
  event('an event of another state', (frame) => [changed(frame, HEAD + 7, 1)]),
  event('an event of another path', (frame) => [changed(frame, frame.length - 1, 1)]),
  event('an event with a zxid to come', (frame) => [changed(frame, 9, 1)]),
  { name: 'an event behind the reply', late: isEvent },
  { name: 'replies change places', late: (passing) => isReply(passing) && passing.op !== 'ping' },
  { name: 'a reply is lost', answer: (passing) => (isReply(passing) && passing.op !== 'check' ? [] : undefined) },
  {
    name: 'a reply with another xid',
    answer: (passing) => (isReply(passing) && passing.op !== 'ping' ? [changed(passing.frame, 3, 1)] : undefined),
  },
  {
    name: 'bytes behind a reply',
    answer: (passing) =>
      isReply(passing) && passing.op !== 'multiRead' ? [Buffer.concat([passing.frame, Buffer.alloc(1)])] : undefined,
  },
  ofOp('data of getData', ['getData'], (frame) =>
    frame.readInt32BE(HEAD) > 0 ? changed(frame, HEAD + 4, 1) : undefined,
  ),
  ofOp('empty data for null', ['getData'], (frame) =>
    frame.readInt32BE(HEAD) === -1
      ? Buffer.concat([frame.subarray(0, HEAD), Buffer.alloc(4), frame.subarray(HEAD + 4)])
      : undefined,
  ),
  ofOp('another child', ['getChildren', 'getChildren2'], (frame) =>
    frame.readInt32BE(HEAD) > 0 ? changed(frame, HEAD + 8, 1) : undefined,
  ),
  ofOp('other bits in an ACL', ['getAcl'], (frame) =>
    frame.readInt32BE(HEAD) > 0 ? changed(frame, HEAD + 7, 1) : undefined,
  ),
  ofOp('another path of a created node', ['create', 'create2'], (frame) =>
    changed(frame, HEAD + 3 + frame.readInt32BE(HEAD), 1),
  ),
  ofOp('a number of children', ['getAllChildrenNumber'], (frame) => changed(frame, frame.length - 1, 2)),
  ofOp('another ephemeral', ['getEphemerals'], (frame) =>
    frame.readInt32BE(HEAD) > 0 ? changed(frame, HEAD + 8, 1) : undefined,
  ),
  ofOp('another code in a multi', ['multi'], (frame) =>
    frame.length > HEAD + 9 && frame.readInt32BE(HEAD) === -1
      ? changed(changed(frame, HEAD + 8, 1), HEAD + 12, 1)
      : undefined,
  ),
  ofOp('another identity', ['whoAmI'], (frame) => changed(frame, frame.length - 1, 1)),
  ask('other data are written', 'setData', (frame) => {
    const at = behindPath(frame);
    return frame.readInt32BE(at) > 0 && frame.readInt32BE(frame.length - 4) === -1
      ? changed(frame, at + 4, 1)
      : undefined;
  }),
  ask('an ephemeral is made a plain node', 'create', (frame) =>
    frame.readInt32BE(frame.length - 4) === 1 ? changed(frame, frame.length - 1, -1) : undefined,
  ),
  ask('a version is not looked at', 'delete', (frame) => {
    if (frame.length < 16 || frame.readInt32BE(frame.length - 4) === -1) return undefined;
    const copy = Buffer.from(frame);
    copy.writeInt32BE(-1, copy.length - 4);
    return copy;
  }),
];

/** One connection's way through a lie: `told` is asked before anything is changed and told once something was. */
export class Liar {
  private readonly asked: string[] = [];
  private readonly lie: Lie;
  private readonly told: { done: boolean };
  private held: Buffer | undefined;
  private welcome = true;
  private hello = true;
  constructor(lie: Lie, told: { done: boolean }) {
    this.lie = lie;
    this.told = told;
  }
  request(frame: Buffer): Buffer {
    if (this.hello) {
      this.hello = false;
      return frame;
    }
    const op = nameOf(frame.readInt32BE(4));
    this.asked.push(op);
    const instead = this.lie.request?.(op, frame);
    if (instead !== undefined) this.told.done = true;
    return instead ?? frame;
  }
  answer(frame: Buffer): readonly Buffer[] {
    if (this.welcome) {
      this.welcome = false;
      return [frame];
    }
    const xid = frame.readInt32BE(0);
    const op =
      xid === -1 ? 'notification' : xid === -2 ? 'ping' : (this.asked.filter((each) => each !== 'ping')[0] ?? '');
    if (xid !== -1) this.asked.splice(this.asked.indexOf(op), 1);
    const passing = { op, frame, err: frame.readInt32BE(12) };
    // what is told at once may be withheld by a rule: there a lost event is none
    const catchesUp = this.asked.some((each) => each.startsWith('setWatches'));
    let out: readonly Buffer[] = [frame];
    if (!this.told.done && !(op === 'notification' && catchesUp) && CODES[op] !== undefined) {
      if (this.lie.late?.(passing)) {
        this.told.done = true;
        this.held = frame;
        return [];
      }
      const instead = this.lie.answer?.(passing);
      if (instead !== undefined) {
        this.told.done = true;
        out = instead;
      }
    }
    if (this.held === undefined) return out;
    const { held } = this;
    this.held = undefined;
    return [...out, held];
  }
}

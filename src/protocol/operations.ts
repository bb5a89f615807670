import type { KeeperCode } from '../base/errors.ts';
import type { Reader, Writer } from './bytes.ts';
import { Acl, AclVector, ClientInfo, Stat, zxid } from './data.ts';
import { ProtocolError } from './errors.ts';
import { bool, buffer, int, type Kind, list, long, type Of, record, text } from './record.ts';

export const RequestHeader = record({ xid: int, type: int });
export const ReplyHeader = record({ xid: int, zxid, err: int });
export const REPLY_HEADER_BYTES = 16;

const Nothing: Kind<Record<string, never>> = { write() {}, read: () => ({}) };
const Path = record({ path: text });
const PathWatch = record({ path: text, watch: bool });
const PathVersion = record({ path: text, version: int });
const PathStat = record({ path: text, stat: Stat });
const DataStat = record({ data: buffer, stat: Stat });
const JustStat = record({ stat: Stat });
const Children = record({ children: list(text) });
const Create = record({ path: text, data: buffer, acl: AclVector, flags: int });
const CreateTtl = record({ path: text, data: buffer, acl: AclVector, flags: int, ttl: long });
const SetData = record({ path: text, data: buffer, version: int });
const WatchesOfType = record({ path: text, type: int });
const Token = record({ token: buffer });
const SetWatches = record({
  relativeZxid: zxid,
  dataWatches: list(text),
  existWatches: list(text),
  childWatches: list(text),
});
const SetWatches2 = record({
  relativeZxid: zxid,
  dataWatches: list(text),
  existWatches: list(text),
  childWatches: list(text),
  persistentWatches: list(text),
  persistentRecursiveWatches: list(text),
});

export const MultiHeader = record({ type: int, done: bool, err: int });
export interface MultiPart {
  readonly type: number;
  readonly request: unknown;
}
/** One entry of a multi's answer; `err` is not 0 for entries of type -1. */
export interface MultiAnswer {
  readonly type: number;
  readonly err: number;
  readonly result: unknown;
}

/** Requests and results that may stand inside a multi (14) or a multiRead (22). */
const PARTS: Readonly<Record<number, { request: Kind<unknown>; result: Kind<unknown> }>> = {
  1: { request: Create, result: Path },
  2: { request: PathVersion, result: Nothing },
  4: { request: PathWatch, result: DataStat },
  5: { request: SetData, result: JustStat },
  8: { request: PathWatch, result: Children },
  13: { request: PathVersion, result: Nothing },
  15: { request: Create, result: PathStat },
  19: { request: Create, result: PathStat },
  21: { request: CreateTtl, result: PathStat },
};
const MAX_PARTS = 100_000;
const END = { type: -1, done: true, err: -1 };

/** A multi's request: parts until the end header. Kinds are checked by who runs them; unknown ones are refused here. */
export const Multi: Kind<readonly MultiPart[]> = {
  write(to, parts) {
    for (const part of parts) {
      MultiHeader.write(to, { type: part.type, done: false, err: -1 });
      (partOf(part.type).request as Kind<unknown>).write(to, part.request);
    }
    MultiHeader.write(to, END);
  },
  read(from) {
    const parts: MultiPart[] = [];
    for (;;) {
      const head = MultiHeader.read(from);
      if (head.done) return parts;
      if (parts.length === MAX_PARTS) from.fail(`more than ${MAX_PARTS} parts`);
      parts.push({ type: head.type, request: (partOf(head.type).request as Kind<unknown>).read(from) });
    }
  },
};
export const MultiAnswers: Kind<readonly MultiAnswer[]> = {
  write(to, answers) {
    for (const { type, err, result } of answers) {
      MultiHeader.write(to, { type, done: false, err });
      if (type === -1) to.int32(err);
      else (partOf(type).result as Kind<unknown>).write(to, result);
    }
    MultiHeader.write(to, END);
  },
  read(from) {
    const answers: MultiAnswer[] = [];
    for (;;) {
      const { type, done, err } = MultiHeader.read(from);
      if (done) return answers;
      if (type === -1) answers.push({ type, err: from.int32(), result: undefined });
      else answers.push({ type, err, result: (partOf(type).result as Kind<unknown>).read(from) });
    }
  },
};
function partOf(type: number): { request: Kind<unknown>; result: Kind<unknown> } {
  const part = PARTS[type];
  if (part === undefined) throw new ProtocolError(`operation ${type} cannot stand inside a multi`);
  return part;
}

/** One operation of the protocol. `write`: it changes the tree and is ordered by the leader. */
export interface Operation<Q, A> {
  readonly code: number;
  readonly request: Kind<Q>;
  readonly answer: Kind<A>;
  readonly write: boolean;
}
const op = <Q, A>(code: number, request: Kind<Q>, answer: Kind<A>, write = false): Operation<Q, A> => ({
  code,
  request,
  answer,
  write,
});

/** A row for each operation a client may send. */
export const OPERATIONS = {
  create: op(1, Create, Path, true),
  delete: op(2, PathVersion, Nothing, true),
  exists: op(3, PathWatch, JustStat),
  getData: op(4, PathWatch, DataStat),
  setData: op(5, SetData, JustStat, true),
  getAcl: op(6, Path, record({ acl: AclVector, stat: Stat })),
  setAcl: op(7, record({ path: text, acl: list(Acl), version: int }), JustStat, true),
  getChildren: op(8, PathWatch, Children),
  sync: op(9, Path, Path),
  ping: op(11, Nothing, Nothing),
  getChildren2: op(12, PathWatch, record({ children: list(text), stat: Stat })),
  multi: op(14, Multi, MultiAnswers, true),
  create2: op(15, Create, PathStat, true),
  reconfig: op(
    16,
    record({ joiningServers: text, leavingServers: text, newMembers: text, curConfigId: long }),
    DataStat,
    true,
  ),
  checkWatches: op(17, WatchesOfType, Nothing),
  removeWatches: op(18, WatchesOfType, Nothing),
  createContainer: op(19, Create, PathStat, true),
  createTtl: op(21, CreateTtl, PathStat, true),
  multiRead: op(22, Multi, MultiAnswers),
  auth: op(100, record({ type: int, scheme: text, auth: buffer }), Nothing),
  setWatches: op(101, SetWatches, Nothing),
  sasl: op(102, Token, Token),
  getEphemerals: op(103, record({ prefixPath: text }), record({ ephemerals: list(text) })),
  getAllChildrenNumber: op(104, Path, record({ totalNumber: int })),
  setWatches2: op(105, SetWatches2, Nothing),
  addWatch: op(106, record({ path: text, mode: int }), record({ err: int })),
  whoAmI: op(107, Nothing, record({ clientInfo: list(ClientInfo) })),
  closeSession: op(-11, Nothing, Nothing, true),
} as const satisfies Record<string, Operation<unknown, unknown>>;
export type OperationName = keyof typeof OPERATIONS;
export type RequestOf<N extends OperationName> = Of<(typeof OPERATIONS)[N]['request']>;
export type AnswerOf<N extends OperationName> = Of<(typeof OPERATIONS)[N]['answer']>;

/** Opcodes that exist but that no client may use, and xids with a meaning. */
export const OPCODE = { notification: 0, check: 13, deleteContainer: 20, createSession: -10, error: -1 } as const;
export const XID = { event: -1, ping: -2, auth: -4, setWatches: -8 } as const;
/** Flags of the create family. */
export const CREATE_FLAG = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  ttl: 5,
  ttlSequential: 6,
} as const;

const NAMES = new Map<number, OperationName>(
  (Object.entries(OPERATIONS) as [OperationName, { code: number }][]).map(([name, { code }]) => [code, name]),
);
export const operationNamed = (code: number): OperationName | undefined => NAMES.get(code);

/** Writes one whole frame: length, then what `body` writes. */
export function writeFrame(to: Writer, body: (to: Writer) => void): void {
  const start = to.at;
  to.int32(0);
  body(to);
  const end = to.at;
  to.at = start;
  to.put(end - start - 4);
  to.at = end;
}

/** Reads what follows a reply header with err 0. */
export const readAnswer = <N extends OperationName>(name: N, from: Reader): AnswerOf<N> =>
  OPERATIONS[name].answer.read(from) as AnswerOf<N>;

/** A code and the path it is about, as a part of a multi fails. */
export interface Refusal {
  readonly code: KeeperCode;
  readonly path: string | undefined;
}

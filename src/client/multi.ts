import { codeOfNumber, type KeeperCode, KeeperError, reasonOf } from '../base/errors.ts';
import type { Reader } from '../protocol/bytes.ts';
import { PERM } from '../protocol/data.ts';
import {
  CREATE_FLAG,
  type MultiAnswer,
  MultiAnswers,
  type MultiPart,
  OPCODE,
  OPERATIONS,
} from '../protocol/operations.ts';
import {
  type Acl,
  type Client,
  type CreateMode,
  type CreateOptions,
  MultiError,
  type MultiOp,
  type MultiResult,
  type OpOptions,
  RequestError,
  type Stat,
  type Transaction,
} from './api.ts';
import { bytesOf, checkInt32, checkObject, refuseWord, wireAcl } from './arguments.ts';

const OPEN_ACL = [{ perms: PERM.all, id: { scheme: 'world', id: 'anyone' } }];
const OPS: readonly MultiOp['op'][] = ['create', 'delete', 'set', 'check'];

/** What a transaction was given, as bytes; that of a wrong kind stays for `commit` to refuse. */
const maybeBytes = (data: Uint8Array | string | null): Uint8Array | null =>
  typeof data === 'string' ? Buffer.from(data) : data;

/** Bytes of their own, since what a reply holds is a view on a buffer that is used again. */
export const owned = (view: Uint8Array | null): Buffer | null => (view === null ? null : Buffer.from(view));

/** The opcode and body that create a node in the mode asked for. */
export function createPart(path: string, data: Uint8Array | null, options: CreateOptions): MultiPart {
  const mode = options.mode ?? 'persistent';
  const flags = CREATE_FLAG[mode];
  if (typeof flags !== 'number') refuseWord('mode', Object.keys(CREATE_FLAG), mode, path);
  const acl = (options.acl ?? undefined) === undefined ? OPEN_ACL : wireAcl(options.acl as readonly Acl[], path);
  const request = { path, data, acl, flags };
  if (mode === 'ttl' || mode === 'ttlSequential') {
    const ttl = options.ttlMs ?? 0;
    if (!Number.isInteger(ttl) || ttl < 1 || ttl >= 2 ** 40)
      throw new RequestError('invalid', `ttlMs ${ttl} is not an integer from 1 to 2^40 - 1`, path);
    return { type: OPERATIONS.createTtl.code, request: { ...request, ttl: BigInt(ttl) } };
  }
  if ((options.ttlMs ?? undefined) !== undefined)
    throw new RequestError('invalid', 'ttlMs: only the modes ttl and ttlSequential have one', path);
  return { type: mode === 'container' ? OPERATIONS.createContainer.code : OPERATIONS.create2.code, request };
}

/** True for modes whose path the server completes, so that it may end with a slash. */
export const isSequential = (options: CreateOptions): boolean => SEQUENTIAL.has(options.mode);
const SEQUENTIAL: ReadonlySet<unknown> = new Set<CreateMode>([
  'persistentSequential',
  'ephemeralSequential',
  'ttlSequential',
]);

/** One operation as a part of a multi; `full` makes the caller's path the server's and refuses a bad one. */
export function partOf(op: MultiOp, full: (path: string, sequential?: boolean) => string): MultiPart {
  if (op.op === 'create') {
    checkObject('options', op.options, op.path);
    return createPart(full(op.path, isSequential(op.options)), bytesOf(op.data, op.path), op.options);
  }
  if (!OPS.includes(op.op)) refuseWord('op', OPS, op.op);
  const { version } = op;
  const path = full(op.path);
  checkInt32('version', version, op.path);
  if (op.op === 'set')
    return { type: OPERATIONS.setData.code, request: { path, data: bytesOf(op.data, op.path), version } };
  return { type: op.op === 'delete' ? OPERATIONS.delete.code : OPCODE.check, request: { path, version } };
}

const READ_CODES: ReadonlyMap<unknown, number> = new Map([
  ['get', OPERATIONS.getData.code],
  ['getChildren', OPERATIONS.getChildren.code],
]);

/** One read as a part of a multiRead. */
export function readPartOf({ op, path }: { op: string; path: string }, full: (path: string) => string): MultiPart {
  const type = READ_CODES.get(op) ?? refuseWord('op', [...(READ_CODES.keys() as Iterable<string>)], op);
  return { type, request: { path: full(path), watch: false } };
}

/** At least this many bytes are the data of a multi. */
export function bytesOfParts(parts: readonly MultiPart[]): number {
  let bytes = 0;
  for (const { request } of parts) bytes += (request as { data?: Uint8Array | null }).data?.length ?? 0;
  return bytes;
}

/** Reads a multi's answer: the results, or what failed. */
export function readMulti(
  from: Reader,
  ops: readonly MultiOp[],
  strip: (path: string) => string,
): MultiResult[] | MultiError {
  const answers = MultiAnswers.read(from);
  const failed = answers.findIndex(({ type, err }) => type === OPCODE.error && err !== 0);
  if (failed >= 0) {
    const codes = answers.map(({ err }): KeeperCode | undefined => (err === 0 ? undefined : codeOfNumber(err)));
    const code = codes[failed] as KeeperCode;
    return new MultiError(code, failed, ops[failed]?.path, codes, reasonOf(code));
  }
  return answers.map((answer, at) => resultOf(answer, ops[at]?.op ?? 'check', strip));
}

function resultOf({ result }: MultiAnswer, op: MultiOp['op'], strip: (path: string) => string): MultiResult {
  const { path, stat } = result as { path?: string; stat?: Stat };
  if (op === 'create') return { op, path: strip(path ?? ''), stat };
  // by the request's kind, since older servers answer a create by another type than the one asked for
  return op === 'set' ? { op, stat: stat as Stat } : { op };
}

/** One read of a multiRead. */
export type ReadResult = { data: Buffer | null; stat: Stat } | { children: string[] } | Error;

export function readReads(from: Reader, paths: readonly string[]): ReadResult[] {
  return MultiAnswers.read(from).map(({ type, err, result }, at): ReadResult => {
    if (type === OPCODE.error) return new KeeperError(codeOfNumber(err), paths[at]);
    const { data, stat, children } = result as { data?: Uint8Array | null; stat?: Stat; children?: string[] | null };
    if (type === OPERATIONS.getChildren.code) return { children: [...(children ?? [])].sort() };
    return { data: owned(data ?? null), stat: stat as Stat };
  });
}

/** Collects operations and commits them through a client. */
export class ClientTransaction implements Transaction {
  readonly ops: MultiOp[] = [];
  readonly #client: Pick<Client, 'multi'>;
  constructor(client: Pick<Client, 'multi'>) {
    this.#client = client;
  }
  create(path: string, data: Uint8Array | string | null = null, options: CreateOptions = {}): this {
    this.ops.push({ op: 'create', path, data: maybeBytes(data), options });
    return this;
  }
  delete(path: string, version = -1): this {
    this.ops.push({ op: 'delete', path, version });
    return this;
  }
  set(path: string, data: Uint8Array | string | null, version = -1): this {
    this.ops.push({ op: 'set', path, data: maybeBytes(data), version });
    return this;
  }
  check(path: string, version = -1): this {
    this.ops.push({ op: 'check', path, version });
    return this;
  }
  commit(options?: OpOptions): Promise<MultiResult[]> {
    return this.#client.multi(this.ops, options);
  }
}

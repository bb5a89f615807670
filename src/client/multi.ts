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
  type CreateOptions,
  MultiError,
  type MultiOp,
  type MultiResult,
  type OpOptions,
  RequestError,
  type Stat,
  type Transaction,
} from './api.ts';
import { bytesOf } from './arguments.ts';

const OPEN_ACL: readonly Acl[] = [{ perms: PERM.all, scheme: 'world', id: 'anyone' }];

/** ACL entries as the wire has them. */
export const wireAcl = (acl: readonly Acl[]) => acl.map(({ perms, scheme, id }) => ({ perms, id: { scheme, id } }));

/** What a transaction was given, as bytes; that of a wrong kind stays for `commit` to refuse. */
const maybeBytes = (data: Uint8Array | string | null): Uint8Array | null =>
  typeof data === 'string' ? Buffer.from(data) : data;

/** Bytes of their own, since what a reply holds is a view on a buffer that is used again. */
export const owned = (view: Uint8Array | null): Buffer | null => (view === null ? null : Buffer.from(view));

/** The opcode and body that create a node in the mode asked for. */
export function createPart(path: string, data: Uint8Array | null, options: CreateOptions): MultiPart {
  const mode = options.mode ?? 'persistent';
  const request = { path, data, acl: wireAcl(options.acl ?? OPEN_ACL), flags: CREATE_FLAG[mode] };
  if (mode === 'ttl' || mode === 'ttlSequential') {
    const ttl = options.ttlMs ?? 0;
    if (!Number.isInteger(ttl) || ttl < 1 || ttl >= 2 ** 40)
      throw new RequestError('invalid', `ttlMs ${ttl} is not an integer from 1 to 2^40 - 1`, path);
    return { type: OPERATIONS.createTtl.code, request: { ...request, ttl: BigInt(ttl) } };
  }
  return { type: mode === 'container' ? OPERATIONS.createContainer.code : OPERATIONS.create2.code, request };
}

/** True for modes whose path the server completes, so that it may end with a slash. */
export const isSequential = (options: CreateOptions): boolean => options.mode?.endsWith('equential') ?? false;

/** One operation as a part of a multi; `full` makes the caller's path the server's and refuses a bad one. */
export function partOf(op: MultiOp, full: (path: string, sequential?: boolean) => string): MultiPart {
  switch (op.op) {
    case 'create':
      return createPart(full(op.path, isSequential(op.options)), bytesOf(op.data, op.path), op.options);
    case 'delete':
      return { type: OPERATIONS.delete.code, request: { path: full(op.path), version: op.version } };
    case 'set':
      return {
        type: OPERATIONS.setData.code,
        request: { path: full(op.path), data: bytesOf(op.data, op.path), version: op.version },
      };
    case 'check':
      return { type: OPCODE.check, request: { path: full(op.path), version: op.version } };
  }
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

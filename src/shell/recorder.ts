/** A client that changes nothing: what it is asked to change is kept, and reads see it as if it were done. */
import { type KeeperCode, KeeperError, reasonOf } from '../base/errors.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import { nameOf, parentOf } from '../base/path.ts';
import {
  type Acl,
  type Client,
  type CreateOptions,
  MultiError,
  type MultiOp,
  type MultiResult,
  type OpOptions,
  type ReadOptions,
  type Stat,
} from '../client/api.ts';
import { bytesOf } from '../client/arguments.ts';
import { isSequential } from '../client/multi.ts';
import { showAcl } from './acl-text.ts';
import { FORCED_LIMIT, isBeyondDefault, isTooLarge, REQUEST_LIMIT } from './data.ts';
import { ClientFacade } from './facade.ts';
import { isWithin, OPEN_ACL, sameAcl } from './node-record.ts';

/** One change that was asked for. `version`, `before`: of the node as it is now; `after`: its data then. */
export interface Change {
  readonly kind: 'create' | 'set' | 'delete' | 'check' | 'acl' | 'reconfig';
  readonly path: string;
  readonly version?: number;
  readonly before?: Uint8Array | null;
  readonly after?: Uint8Array | null;
  /** What else is said about it: the ACL, the mode, the members. */
  readonly note?: string;
  /** As the part of a transaction; undefined for what cannot be one. */
  readonly op?: MultiOp;
  /** It is to be sent in a request of up to so many bytes. */
  readonly maxRequestBytes?: number;
}

interface Node {
  readonly data: Buffer | null;
  readonly stat: Stat;
  /** Where it would be another than the server's. */
  readonly acl?: readonly Acl[];
}

const NEW_STAT: Stat = {
  czxid: 0n as Zxid,
  mzxid: 0n as Zxid,
  pzxid: 0n as Zxid,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n as SessionId,
  dataLength: 0,
  numChildren: 0,
};

/** What a server says of the parts after the one that failed. */
const AFTER: KeeperCode = 'RuntimeInconsistency';
/** Questions under way. */
const ASKED_AT_ONCE = 32;
/** Stands for the digits only the server knows. */
export const UNKNOWN_NUMBER = 'NNNNNNNNNN';

export class Recorder extends ClientFacade {
  /** In the order they were asked for. */
  readonly changes: Change[] = [];
  readonly #checks: boolean;
  /** Nodes as they would be; undefined: gone. */
  readonly #nodes = new Map<string, Node | undefined>();
  /** Of each parent the names that came (true) or went. */
  readonly #names = new Map<string, Map<string, boolean>>();
  readonly #made = new Set<string>();
  /** How to take back what a transaction has done so far, the last step last. */
  #undo: (() => void)[] | undefined;

  /** `checks`: refuse what the server would refuse as the tree is now; without it that is left to the server. */
  constructor(inner: Client, { checks }: { checks: boolean }) {
    super(inner);
    this.#checks = checks;
  }

  /** The changes since the last call, which are the caller's now. What reads see stays. */
  take(): Change[] {
    return this.changes.splice(0);
  }

  /** A version, or that there is no such node, must hold when the transaction happens. */
  async check(path: string, version: number | 'absent', options: OpOptions = {}): Promise<void> {
    const node = this.#checks ? await this.#look(path, options) : undefined;
    if (version === 'absent') {
      if (node !== undefined) throw new KeeperError('NodeExists', path);
      // there is no operation for it: made and deleted in one transaction it fails when the node is there
      this.changes.push({ kind: 'check', path, note: 'absent', op: { op: 'create', path, data: null, options: {} } });
      return;
    }
    if (this.#checks) this.#refuse(path, node, version);
    this.changes.push({ kind: 'check', path, version, op: { op: 'check', path, version } });
  }

  override async create(path: string, data: Uint8Array | string | null = null, options: CreateOptions = {}) {
    const bytes = bytesOf(data);
    const parent = parentOf(path.endsWith('/') && path !== '/' ? `${path}x` : path);
    const above = await this.#look(parent, options);
    if (this.#checks) {
      if (above === undefined) throw new KeeperError('NoNode', path);
      if (above.stat.ephemeralOwner !== 0n) throw new KeeperError('NoChildrenForEphemerals', path);
      if (!isSequential(options) && (await this.#look(path, options)) !== undefined)
        throw new KeeperError('NodeExists', path);
    }
    const { signal: _signal, maxRequestBytes, ...kept } = options;
    const mode = options.mode === undefined || options.mode === 'persistent' ? '' : options.mode;
    const acl = options.acl === undefined ? '' : showAcl(options.acl);
    const note = [mode, acl].filter((each) => each !== '').join(' ');
    this.changes.push({
      kind: 'create',
      path,
      after: bytes,
      ...(note !== '' && { note }),
      op: { op: 'create', path, data: bytes, options: kept },
      ...this.#room(path, bytes, maxRequestBytes),
    });
    const made = isSequential(options) ? path + UNKNOWN_NUMBER : path;
    const stat: Stat = {
      ...NEW_STAT,
      dataLength: bytes?.length ?? 0,
      ephemeralOwner: options.mode?.startsWith('ephemeral') === true ? this.sessionId : (0n as SessionId),
    };
    this.#setNode(made, { data: bytes === null ? null : Buffer.from(bytes), stat, acl: options.acl ?? OPEN_ACL });
    this.#setMade(made, true);
    this.#grow(parent, above, made, 1);
    return { path: made, stat };
  }

  override async delete(path: string, version = -1, options: OpOptions = {}): Promise<void> {
    const node = await this.#look(path, options);
    if (this.#checks) {
      this.#refuse(path, node, version);
      if ((await this.getChildren(path, options)).children.length > 0) throw new KeeperError('NotEmpty', path);
    }
    this.changes.push({
      kind: 'delete',
      path,
      ...(node !== undefined && { version: node.stat.version, before: node.data }),
      op: { op: 'delete', path, version },
    });
    this.#setNode(path, undefined);
    this.#setMade(path, false);
    this.#grow(parentOf(path), await this.#look(parentOf(path), options), path, -1);
  }

  override async set(
    path: string,
    data: Uint8Array | string | null,
    version = -1,
    options: OpOptions = {},
  ): Promise<Stat> {
    const node = await this.#look(path, options);
    if (this.#checks) this.#refuse(path, node, version);
    const bytes = bytesOf(data);
    this.changes.push({
      kind: 'set',
      path,
      after: bytes,
      ...(node !== undefined && { version: node.stat.version, before: node.data }),
      op: { op: 'set', path, data: bytes, version },
      ...this.#room(path, bytes, options.maxRequestBytes),
    });
    const before = node?.stat ?? NEW_STAT;
    const stat = { ...before, version: before.version + 1, dataLength: bytes?.length ?? 0 };
    this.#setNode(path, { ...node, data: bytes === null ? null : Buffer.from(bytes), stat });
    return stat;
  }

  override async setAcl(path: string, acl: readonly Acl[], version = -1, options: OpOptions = {}): Promise<Stat> {
    const node = await this.#look(path, options);
    if (node === undefined) throw new KeeperError('NoNode', path);
    if (version !== -1 && version !== node.stat.aversion) throw new KeeperError('BadVersion', path);
    // without a version it would write what is there
    const old = await this.getAcl(path, options).then(
      (found) => found.acl,
      () => undefined, // we may change it and not read it
    );
    if (old !== undefined && version === -1 && sameAcl(old, acl)) return node.stat;
    const note = old === undefined ? showAcl(acl) : `${showAcl(old)} -> ${showAcl(acl)}`;
    this.changes.push({ kind: 'acl', path, version: node.stat.aversion, note });
    const stat = { ...node.stat, aversion: node.stat.aversion + 1 };
    this.#setNode(path, { ...node, stat, acl });
    return stat;
  }

  override async reconfig(change: { joining?: string; leaving?: string; members?: string }) {
    const { joining, leaving, members } = change;
    const note = [
      ...(members === undefined ? [] : [`members ${members}`]),
      ...(joining === undefined ? [] : [`joining ${joining}`]),
      ...(leaving === undefined ? [] : [`leaving ${leaving}`]),
    ].join(' ');
    this.changes.push({ kind: 'reconfig', path: '/zookeeper/config', note });
    return this.inner.getConfig();
  }

  /** All of it or, as the server would refuse a part, nothing. @throws MultiError */
  override async multi(ops: readonly MultiOp[], options: OpOptions = {}): Promise<MultiResult[]> {
    const out: MultiResult[] = [];
    const [length, undo]: [number, (() => void)[]] = [this.changes.length, []];
    this.#undo = undo;
    try {
      for (const op of ops) out.push(await this.#part(op, options));
      return out;
    } catch (error) {
      this.changes.length = length;
      this.#undo = undefined;
      for (const back of undo.reverse()) back();
      if (!(error instanceof KeeperError)) throw error;
      const codes = ops.map((_, at) => (at < out.length ? undefined : at > out.length ? AFTER : error.code));
      throw new MultiError(error.code, out.length, ops[out.length]?.path, codes, reasonOf(error.code));
    } finally {
      this.#undo = undefined;
    }
  }

  async #part(op: MultiOp, options: OpOptions): Promise<MultiResult> {
    if (op.op === 'create')
      return { op: 'create', ...(await this.create(op.path, op.data, { ...op.options, ...options })) };
    if (op.op === 'set') return { op: 'set', stat: await this.set(op.path, op.data, op.version, options) };
    await (op.op === 'delete' ? this.delete(op.path, op.version, options) : this.check(op.path, op.version, options));
    return { op: op.op };
  }

  #setNode(path: string, node: Node | undefined): void {
    const [had, before] = [this.#nodes.has(path), this.#nodes.get(path)];
    this.#undo?.push(() => (had ? this.#nodes.set(path, before) : this.#nodes.delete(path)));
    this.#nodes.set(path, node);
  }
  #setMade(path: string, isMade: boolean): void {
    const before = this.#made.has(path);
    this.#undo?.push(() => (before ? this.#made.add(path) : this.#made.delete(path)));
    if (isMade) this.#made.add(path);
    else this.#made.delete(path);
  }

  override async exists(path: string, options?: ReadOptions): Promise<Stat | undefined> {
    return this.#nodes.has(path) ? this.#nodes.get(path)?.stat : this.inner.exists(path, options);
  }

  override async get(path: string, options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }> {
    if (!this.#nodes.has(path)) return this.#read(path, options);
    const { data, stat } = this.#nodes.get(path) ?? missing(path);
    return { data, stat };
  }

  override async getAcl(path: string, options?: OpOptions): Promise<{ acl: Acl[]; stat: Stat }> {
    if (!this.#nodes.has(path)) return this.inner.getAcl(path, options);
    const { acl, stat } = this.#nodes.get(path) ?? missing(path);
    return { acl: [...(acl ?? (await this.inner.getAcl(path, options)).acl)], stat };
  }

  override async getChildren(path: string, options?: ReadOptions): Promise<{ children: string[]; stat: Stat }> {
    const node = this.#nodes.get(path);
    if (node === undefined && this.#nodes.has(path)) missing(path);
    const isNew = node !== undefined && this.#made.has(path);
    const real = isNew ? { children: [], stat: node.stat } : await this.inner.getChildren(path, options);
    const changed = this.#names.get(path);
    if (changed === undefined) return { children: real.children, stat: node?.stat ?? real.stat };
    const names = new Set(real.children);
    for (const [name, came] of changed) came ? names.add(name) : names.delete(name);
    return { children: [...names].sort(), stat: { ...(node?.stat ?? real.stat), numChildren: names.size } };
  }

  override async multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ): ReturnType<Client['multiRead']> {
    return Promise.all(ops.map(({ op, path }) => this[op](path, options).catch((error: Error) => error))) as ReturnType<
      Client['multiRead']
    >;
  }

  /** What the server counts, but for what would be there or gone. */
  override async getAllChildrenNumber(path: string, options?: OpOptions): Promise<number> {
    const changed = [...this.#nodes.keys()].filter((each) => each !== path && isWithin(each, path));
    if (changed.length === 0 && !this.#nodes.has(path)) return this.inner.getAllChildrenNumber(path, options);
    if ((await this.exists(path, options)) === undefined) missing(path);
    let count = (await this.inner.exists(path, options)) ? await this.inner.getAllChildrenNumber(path, options) : 0;
    for (let at = 0; at < changed.length; at += ASKED_AT_ONCE)
      for (const by of await Promise.all(
        changed.slice(at, at + ASKED_AT_ONCE).map((each) => this.#more(each, options)),
      ))
        count += by;
    return count;
  }
  /** 1 for a node that would come, -1 for one that would go. */
  async #more(path: string, options?: OpOptions): Promise<number> {
    const [will, is] = [this.#nodes.get(path), await this.inner.exists(path, options)];
    return Number(will !== undefined) - Number(is !== undefined);
  }

  /** Nothing is owned, so nothing ends; the session is its owner's. */
  override async close(): Promise<void> {}

  async #read(path: string, options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }> {
    const found = await this.inner.get(path, options);
    this.#takesMore ||= isBeyondDefault(found.data);
    return found;
  }
  /** The server holds data that no request can carry by default, so it was set to take more. */
  #takesMore = false;
  #room(path: string, data: Uint8Array | null, said: number | undefined): { readonly maxRequestBytes?: number } {
    const bytes = said ?? (this.#takesMore && isTooLarge(path, data) ? FORCED_LIMIT : undefined);
    return bytes === undefined ? {} : { maxRequestBytes: bytes };
  }

  async #look(path: string, { signal }: OpOptions = {}): Promise<Node | undefined> {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    try {
      return await this.#read(path, { signal });
    } catch (error) {
      const code: KeeperCode | undefined = error instanceof KeeperError ? error.code : undefined;
      if (code === 'NoNode') return undefined;
      if (code !== 'NoAuth') throw error;
      const stat = await this.inner.exists(path, { signal });
      return stat === undefined ? undefined : { data: null, stat };
    }
  }

  #refuse(path: string, node: Node | undefined, version: number): void {
    if (node === undefined) throw new KeeperError('NoNode', path);
    if (version !== -1 && version !== node.stat.version) throw new KeeperError('BadVersion', path);
  }

  /** A parent counts one child more or less. */
  #grow(path: string, node: Node | undefined, child: string, by: 1 | -1): void {
    const names = this.#names.get(path) ?? new Map<string, boolean>();
    const name = nameOf(child);
    const before = names.get(name);
    this.#undo?.push(() => (before === undefined ? names.delete(name) : names.set(name, before)));
    names.set(name, by === 1);
    this.#names.set(path, names);
    if (node === undefined) return;
    this.#setNode(path, { ...node, stat: { ...node.stat, numChildren: node.stat.numChildren + by } });
  }
}

const missing = (path: string): never => {
  throw new KeeperError('NoNode', path);
};

/** The operations of a transaction, and which change each belongs to. */
export function operationsOf(changes: readonly Change[]): { ops: MultiOp[]; owner: number[] } {
  const ops: MultiOp[] = [];
  const owner: number[] = [];
  for (const [at, { op, kind, note, path }] of changes.entries()) {
    if (op === undefined) continue;
    ops.push(op);
    owner.push(at);
    if (kind === 'check' && note === 'absent') {
      ops.push({ op: 'delete', path, version: -1 });
      owner.push(at);
    }
  }
  return { ops, owner };
}

/** How large the request may be that these make: as large as the most daring of them. */
export const limitOf = (changes: readonly Change[]): number =>
  changes.reduce((most, { maxRequestBytes = 0 }) => Math.max(most, maxRequestBytes), REQUEST_LIMIT);

/** About as many bytes are on the wire. */
export const sizeOf = (ops: readonly MultiOp[]): number =>
  ops.reduce(
    (sum, op) => sum + 60 + Buffer.byteLength(op.path) + ('data' in op ? (op.data?.length ?? 0) : 0) + aclBytes(op),
    30,
  );
const aclBytes = (op: MultiOp): number =>
  op.op === 'create'
    ? (op.options?.acl ?? []).reduce((sum, { scheme, id }) => sum + 12 + scheme.length + Buffer.byteLength(id), 0)
    : 0;

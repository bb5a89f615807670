import { KEEPER_CODES, type KeeperCode } from '../../src/base/errors.ts';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { parentOf } from '../../src/base/path.ts';
import type { Connection, ConnectionHandler, Dialer } from '../../src/ports/network.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { EVENT, WatcherEvent } from '../../src/protocol/events.ts';
import { FrameCutter } from '../../src/protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../../src/protocol/handshake.ts';
import {
  type MultiAnswer,
  type MultiPart,
  OPERATIONS,
  type OperationName,
  operationNamed,
  ReplyHeader,
  RequestHeader,
  writeFrame,
} from '../../src/protocol/operations.ts';

interface Node {
  data: Buffer | null;
  czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  version: number;
  owner: bigint;
}
type Fields = Record<string, unknown>;

class Refusal extends Error {
  readonly code: KeeperCode;
  constructor(code: KeeperCode) {
    super(code);
    this.code = code;
  }
}

/**
 * A server in memory with one tree, enough of it for what tests of the client ask: sessions, one-shot and persistent
 * watches, multi. It is also the dialer that leads to it.
 */
export class FakeServer implements Dialer {
  readonly nodes = new Map<string, Node>([
    ['/', { data: null, czxid: 0n, mzxid: 0n, pzxid: 0n, version: 0, owner: 0n }],
  ]);
  readonly sessions = new Set<bigint>();
  zxid = 0n;
  /** Frames per write of the client, oldest first. */
  readonly writes: number[] = [];
  readonly hosts: string[] = [];
  /** Every operation that came, for tests of order. */
  readonly log: string[] = [];
  /** Refuses to be dialled. */
  down = false;
  /** Keeps replies and events back until `release`. */
  holding = false;
  /** Credentials it refuses. */
  refuseAuth = false;
  #next = 100n;
  readonly #links = new Set<Link>();

  get connections(): number {
    return this.#links.size;
  }

  dial(options: { host: string; port: number }, handler: ConnectionHandler): Promise<Connection> {
    this.hosts.push(`${options.host}:${options.port}`);
    if (this.down) return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    const link = new Link(this, handler, () => this.#links.delete(link));
    this.#links.add(link);
    return Promise.resolve(link);
  }

  /** Breaks every connection, as a crash does. */
  drop(): void {
    for (const link of [...this.#links]) link.close(new Error('crashed'));
  }
  expire(): void {
    this.sessions.clear();
    this.drop();
  }
  release(): void {
    this.holding = false;
    for (const link of this.#links) link.flush();
  }
  open(id: bigint): bigint {
    if (id !== 0n) return this.sessions.has(id) ? id : 0n;
    this.sessions.add(this.#next);
    return this.#next++;
  }

  node(path: string): Node {
    const node = this.nodes.get(path);
    if (node === undefined) throw new Refusal('NoNode');
    return node;
  }
  children(path: string): string[] {
    return [...this.nodes.keys()]
      .filter((each) => each !== '/' && parentOf(each) === path)
      .map((each) => each.slice(each.lastIndexOf('/') + 1));
  }
  stat(path: string): Fields {
    const { data, czxid, mzxid, pzxid, version, owner } = this.node(path);
    return {
      czxid,
      mzxid,
      pzxid,
      version,
      ctime: 0,
      mtime: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: owner as SessionId,
      dataLength: data?.length ?? 0,
      numChildren: this.children(path).length,
    };
  }
  /** A change by somebody else; tells watchers. */
  create(path: string, data: Uint8Array | null = null, owner = 0n): void {
    if (this.nodes.has(path)) throw new Refusal('NodeExists');
    const parent = this.node(parentOf(path));
    const at = ++this.zxid;
    parent.pzxid = at;
    this.nodes.set(path, { data: data && Buffer.from(data), czxid: at, mzxid: at, pzxid: at, version: 0, owner });
    this.#tell('NodeCreated', path);
    this.#tell('NodeChildrenChanged', parentOf(path));
  }
  set(path: string, data: Uint8Array | null, version = -1): void {
    const node = this.node(path);
    if (version !== -1 && version !== node.version) throw new Refusal('BadVersion');
    node.data = data && Buffer.from(data);
    node.version++;
    node.mzxid = ++this.zxid;
    this.#tell('NodeDataChanged', path);
  }
  delete(path: string): void {
    this.node(path);
    if (this.children(path).length > 0) throw new Refusal('NotEmpty');
    this.nodes.delete(path);
    this.node(parentOf(path)).pzxid = ++this.zxid;
    this.#tell('NodeDeleted', path);
    this.#tell('NodeChildrenChanged', parentOf(path));
  }
  end(session: bigint): void {
    for (const [path, node] of [...this.nodes]) if (node.owner === session) this.delete(path);
    this.sessions.delete(session);
  }
  #tell(type: keyof typeof EVENT, path: string): void {
    for (const link of this.#links) link.tell(type, path, this.zxid);
  }
}

/** The server's end of one connection, and what the dialer hands to the client. */
class Link implements Connection {
  readonly remoteAddress = 'fake';
  readonly remotePort = 1;
  readonly #server: FakeServer;
  readonly #handler: ConnectionHandler;
  readonly #gone: () => void;
  readonly #cutter = new FrameCutter(1 << 24);
  #session = 0n;
  #closed = false;
  readonly #held: Buffer[] = [];
  readonly #data = new Set<string>();
  readonly #child = new Set<string>();
  readonly #persistent = new Set<string>();
  readonly #recursive = new Set<string>();

  constructor(server: FakeServer, handler: ConnectionHandler, gone: () => void) {
    this.#server = server;
    this.#handler = handler;
    this.#gone = gone;
  }
  send(bytes: Uint8Array): boolean {
    const copy = Buffer.from(bytes);
    setImmediate(() => {
      if (this.#closed) return;
      let frames = 0;
      this.#cutter.push(copy, (frame, start, end) => {
        frames++;
        this.#frame(new Reader(frame, start, end));
        return !this.#closed;
      });
      this.#server.writes.push(frames);
      this.flush();
    });
    return true;
  }
  end(): void {
    this.close(undefined);
  }
  destroy(): void {
    this.#closed = true;
    this.#gone();
  }
  pause(): void {}
  resume(): void {}
  close(reason: Error | undefined): void {
    if (this.#closed) return;
    this.destroy();
    setImmediate(() => this.#handler.closed(reason));
  }
  /** Closes when the reply is out. */
  #closeSoon(): void {
    setImmediate(() => setImmediate(() => this.close(undefined)));
  }
  /** What the server says in one turn arrives in one piece. */
  flush(): void {
    if (this.#server.holding || this.#held.length === 0) return;
    const all = Buffer.concat(this.#held);
    this.#held.length = 0;
    setImmediate(() => {
      if (!this.#closed) this.#handler.data(all);
    });
  }
  #say(write: (to: Writer) => void): void {
    const to = new Writer();
    writeFrame(to, write);
    this.#held.push(to.take());
  }
  tell(type: keyof typeof EVENT, path: string, zxid: bigint): void {
    const oneShot =
      type === 'NodeChildrenChanged'
        ? [this.#child]
        : type === 'NodeDeleted'
          ? [this.#data, this.#child]
          : [this.#data];
    let hit = this.#persistent.has(path);
    for (const table of oneShot) hit = table.delete(path) || hit;
    if (type !== 'NodeChildrenChanged')
      for (let at = path; at !== ''; at = parentOf(at)) hit ||= this.#recursive.has(at);
    if (hit) this.#event(type, path, zxid);
  }
  #event(type: keyof typeof EVENT, path: string, zxid: bigint): void {
    this.#say((to) => {
      ReplyHeader.write(to, { xid: -1, zxid: zxid as Zxid, err: 0 });
      WatcherEvent.write(to, { type: EVENT[type], state: 3, path });
    });
    this.flush();
  }
  #frame(from: Reader): void {
    const server = this.#server;
    if (this.#session === 0n) {
      const { sessionId, timeoutMs } = ConnectRequest.read(from);
      this.#session = server.open(sessionId);
      const answer = {
        protocolVersion: 0,
        sessionId: this.#session as SessionId,
        password: Buffer.alloc(16, 1),
        readOnly: false,
      };
      this.#say((to) => ConnectResponse.write(to, { ...answer, timeoutMs: this.#session === 0n ? 0 : timeoutMs }));
      if (this.#session === 0n) this.#closeSoon();
      return;
    }
    const { xid, type } = RequestHeader.read(from);
    const name = operationNamed(type) as OperationName;
    const body = OPERATIONS[name].request.read(from) as Fields;
    server.log.push(typeof body.path === 'string' ? `${name} ${body.path}` : name);
    let err = 0;
    let answer: unknown = {};
    try {
      answer = this.#do(name, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      err = KEEPER_CODES[error.code];
    }
    this.#say((to) => {
      ReplyHeader.write(to, { xid, zxid: (xid === -4 ? 0n : server.zxid) as Zxid, err });
      if (err === 0) OPERATIONS[name].answer.write(to, answer as never);
    });
    if (name === 'closeSession') this.#closeSoon();
  }
  #do(name: OperationName, body: Fields): unknown {
    const server = this.#server;
    const path = body.path as string;
    switch (name) {
      case 'create2': {
        const flags = body.flags as number;
        const made = flags >= 2 ? `${path}${String(server.zxid).padStart(10, '0')}` : path;
        server.create(made, body.data as Buffer | null, flags % 2 === 1 ? this.#session : 0n);
        return { path: made, stat: server.stat(made) };
      }
      case 'delete':
        server.delete(path);
        return {};
      case 'setData':
        server.set(path, body.data as Buffer | null, body.version as number);
        return { stat: server.stat(path) };
      case 'exists':
        if (body.watch === true) this.#data.add(path);
        return { stat: server.stat(path) };
      case 'getData': {
        const answer = { data: server.node(path).data, stat: server.stat(path) };
        if (body.watch === true) this.#data.add(path);
        return answer;
      }
      case 'getChildren2': {
        const answer = { children: server.children(path), stat: server.stat(path) };
        if (body.watch === true) this.#child.add(path);
        return answer;
      }
      case 'getEphemerals': {
        const own = [...server.nodes].filter(
          ([each, node]) => node.owner === this.#session && each.startsWith(body.prefixPath as string),
        );
        return { ephemerals: own.map(([each]) => each) };
      }
      case 'addWatch':
        (body.mode === 0 ? this.#persistent : this.#recursive).add(path);
        return { err: 0 };
      case 'removeWatches':
        for (const table of [this.#data, this.#child, this.#persistent, this.#recursive]) table.delete(path);
        return {};
      case 'setWatches':
      case 'setWatches2':
        this.#rearm(body);
        return {};
      case 'multi':
        return this.#multi(body as unknown as MultiPart[]);
      case 'auth':
        if (server.refuseAuth) throw new Refusal('AuthFailed');
        return {};
      case 'closeSession':
        server.end(this.#session);
        return {};
      case 'sync':
        return { path };
      case 'ping':
        return {};
      default:
        throw new Refusal('Unimplemented');
    }
  }
  #rearm(body: Fields): void {
    const since = body.relativeZxid as bigint;
    const { nodes } = this.#server;
    for (const path of body.dataWatches as string[]) {
      const node = nodes.get(path);
      if (node === undefined) this.#event('NodeDeleted', path, -1n);
      else if (node.mzxid > since) this.#event('NodeDataChanged', path, -1n);
      else this.#data.add(path);
    }
    for (const path of body.existWatches as string[])
      if (nodes.has(path)) this.#event('NodeCreated', path, -1n);
      else this.#data.add(path);
    for (const path of body.childWatches as string[]) {
      const node = nodes.get(path);
      if (node === undefined) this.#event('NodeDeleted', path, -1n);
      else if (node.pzxid > since) this.#event('NodeChildrenChanged', path, -1n);
      else this.#child.add(path);
    }
    for (const path of (body.persistentWatches ?? []) as string[]) this.#persistent.add(path);
    for (const path of (body.persistentRecursiveWatches ?? []) as string[]) this.#recursive.add(path);
  }
  #multi(parts: MultiPart[]): MultiAnswer[] {
    const { nodes } = this.#server;
    const before = new Map([...nodes].map(([path, node]) => [path, { ...node }]));
    const answers: MultiAnswer[] = [];
    for (const { type, request } of parts) {
      try {
        const name = operationNamed(type);
        const { path, version } = request as { path: string; version: number };
        if (name !== undefined) answers.push({ type, err: 0, result: this.#do(name, request as Fields) });
        else if (version !== -1 && this.#server.node(path).version !== version) throw new Refusal('BadVersion');
        else answers.push({ type, err: 0, result: {} });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        nodes.clear();
        for (const [path, node] of before) nodes.set(path, node);
        const failed = answers.length;
        const code = KEEPER_CODES[error.code];
        return parts.map((_, at) => ({
          type: -1,
          err: at < failed ? 0 : at === failed ? code : -2,
          result: undefined,
        }));
      }
    }
    return answers;
  }
}

/** What an Apache server does to its tree, as simply as it can be said: decides random requests, logs them, takes fuzzy snapshots. */
import { TYPE } from '../../src/apache/records.ts';
import { OPEN_KEY, SnapshotWriter } from '../../src/apache/snapshot-writer.ts';
import type { Change, Txn } from '../../src/apache/txn.ts';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { parentOf } from '../../src/base/path.ts';
import type { Random } from '../../src/base/random.ts';
import { type AclList, CONTAINER_OWNER, OPEN_ACL, READ_ACL, ttlOwner } from '../../src/records/txns.ts';
import type { Logged } from './log-writer.ts';

export interface ModelNode {
  data: Buffer | null;
  acl: AclList;
  czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  ctime: number;
  mtime: number;
  version: number;
  creates: number;
  aversion: number;
  owner: bigint;
  readonly children: Set<string>;
}
const isEphemeral = (owner: bigint): boolean => owner > 0n;

export class ModelServer {
  readonly nodes = new Map<string, ModelNode>();
  readonly sessions = new Map<bigint, number>();
  readonly log: Logged[] = [];
  zxid: bigint;
  private time = 1_700_000_000_000;
  private nextSession = 0x100000000000000n;
  private readonly keys = new Map<string, bigint>();
  private readonly lists = new Map<bigint, AclList>();
  private readonly random: Random;
  /** Sessions end without a list of their nodes, as before 3.6. */
  private readonly listsPaths: boolean;

  constructor(random: Random, zxid: bigint, listsPaths: boolean) {
    this.random = random;
    this.zxid = zxid;
    this.listsPaths = listsPaths;
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      this.put(path, Buffer.alloc(0), path.endsWith('config') ? READ_ACL : OPEN_ACL, 0n, 0n, 0);
      if (path.endsWith('config')) this.at(path).aversion = -1;
    }
  }
  private at(path: string): ModelNode {
    return this.nodes.get(path) as ModelNode;
  }
  private put(path: string, data: Buffer | null, acl: AclList, owner: bigint, zxid: bigint, time: number): void {
    const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
    const counts = { version: 0, creates: 0, aversion: 0 };
    this.nodes.set(path, { data, acl, ...zxids, ctime: time, mtime: time, ...counts, owner, children: new Set() });
    if (path !== '/') this.at(parentOf(path)).children.add(path);
    this.keyOf(acl);
  }
  private keyOf(acl: AclList): bigint {
    if (acl === OPEN_ACL) return OPEN_KEY;
    const text = JSON.stringify(acl);
    const key = this.keys.get(text) ?? BigInt(this.keys.size + 1);
    this.keys.set(text, key);
    this.lists.set(key, acl);
    return key;
  }

  /** One request of anybody's, decided and done. */
  step(): void {
    const { random } = this;
    const [session = 0n] = [...this.sessions.keys()].slice(random.below(Math.max(1, this.sessions.size)));
    const dice = random.below(100);
    const zxid = this.zxid + 1n;
    if (this.sessions.size === 0 || dice < 4) {
      const id = this.nextSession++;
      return this.done(id, { op: 'createSession', type: TYPE.createSession, timeoutMs: 4000 + random.below(30_000) });
    }
    if (dice < 12) {
      const paths = [...this.nodes].flatMap(([path, { owner }]) => (owner === session ? [path] : []));
      return this.done(session, {
        op: 'closeSession',
        type: TYPE.closeSession,
        paths: this.listsPaths ? paths : undefined,
      });
    }
    if (dice < 20) {
      // parts are decided one behind the other, so that they are done on a copy first
      const parts: Change[] = [];
      const before = structuredClone([...this.nodes]);
      for (let i = 0; i < 1 + random.below(4); i++) {
        const part = this.decide(session, zxid);
        parts.push(part);
        if (part.op !== 'error') this.apply(part, zxid, this.time + 1);
      }
      this.nodes.clear();
      for (const [path, node] of before) {
        const acl = [OPEN_ACL, READ_ACL].find((list) => JSON.stringify(list) === JSON.stringify(node.acl)) ?? node.acl;
        const data = node.data === null ? null : Buffer.from(node.data);
        this.nodes.set(path, { ...node, acl, data });
      }
      return this.done(session, { op: 'multi', type: TYPE.multi, parts });
    }
    this.done(session, this.decide(session, zxid));
  }
  private done(session: bigint, txn: Txn): void {
    const { random } = this;
    this.zxid++;
    this.time += 1 + random.below(50);
    const { zxid, time } = this;
    this.log.push({ zxid, time, session, txn });
    if (txn.op === 'createSession') this.sessions.set(session, txn.timeoutMs);
    else if (txn.op === 'closeSession') {
      for (const [path, { owner }] of [...this.nodes]) if (owner === session) this.remove(path, zxid);
      this.sessions.delete(session);
    } else if (txn.op !== 'multi') this.apply(txn, zxid, time);
    else if (!txn.parts.some(({ op }) => op === 'error')) for (const part of txn.parts) this.apply(part, zxid, time);
  }
  /** A few names only, so that nodes go and come again. */
  private decide(session: bigint, _zxid: bigint): Change {
    const { random, nodes } = this;
    const name = (): string => 'abcd'[random.below(4)] as string;
    let path = `/${name()}`;
    while (path.length < 8 && random.below(2) === 0) path += `/${name()}`;
    const node = nodes.get(path);
    const acl = this.anAcl();
    const data = random.below(8) === 0 ? null : Buffer.from(random.bytes(random.below(12)));
    const none: Change = { op: 'error', type: TYPE.error, code: -101 };
    switch (random.below(7)) {
      case 0:
      case 1: {
        if (node === undefined || node.children.size > 0) return none;
        return { op: 'delete', type: random.below(9) === 0 ? TYPE.deleteContainer : TYPE.delete, path };
      }
      case 2:
        return node === undefined ? none : { op: 'setData', type: TYPE.setData, path, data, version: node.version + 1 };
      case 3:
        return node === undefined ? none : { op: 'setAcl', type: TYPE.setAcl, path, acl, aversion: node.aversion + 1 };
      default: {
        const parent = nodes.get(parentOf(path));
        if (node !== undefined || parent === undefined || isEphemeral(parent.owner)) return none;
        const kind = random.below(10);
        const owner =
          kind < 4 ? session : kind === 4 ? CONTAINER_OWNER : kind === 5 ? ttlOwner(1 + random.below(9999)) : 0n;
        const type =
          kind === 4 ? TYPE.createContainer : kind === 5 ? TYPE.createTtl : kind & 1 ? TYPE.create2 : TYPE.create;
        return { op: 'create', type, path, data, acl, owner, creates: parent.creates + 1 };
      }
    }
  }
  private anAcl(): AclList {
    const dice = this.random.below(6);
    if (dice < 3) return OPEN_ACL;
    if (dice === 3) return READ_ACL;
    return [{ perms: 1 + this.random.below(31), scheme: 'digest', id: `u${this.random.below(40)}:x` }];
  }
  private apply(change: Change, zxid: bigint, time: number): void {
    switch (change.op) {
      case 'create': {
        const parent = this.at(parentOf(change.path));
        parent.creates = change.creates;
        parent.pzxid = zxid;
        const data = change.data === null ? null : Buffer.from(change.data);
        return this.put(change.path, data, change.acl, change.owner, zxid, time);
      }
      case 'delete':
        return this.remove(change.path, zxid);
      case 'setData': {
        const data = change.data === null ? null : Buffer.from(change.data);
        Object.assign(this.at(change.path), { data, version: change.version, mzxid: zxid, mtime: time });
        return;
      }
      case 'setAcl':
        this.keyOf(change.acl);
        Object.assign(this.at(change.path), { acl: change.acl, aversion: change.aversion });
        return;
      default:
        return;
    }
  }
  private remove(path: string, zxid: bigint): void {
    this.nodes.delete(path);
    const parent = this.at(parentOf(path));
    parent.children.delete(path);
    parent.pzxid = zxid;
  }

  /** A snapshot as Apache takes one: sessions and ACLs first, then node by node, while `between` lets time pass. */
  fuzzy(between: () => void, lastZxid?: boolean): Buffer {
    const began = this.zxid;
    const to = new SnapshotWriter(new Map(this.sessions), new Map(this.lists));
    const parts: Buffer[] = [];
    const walk = (path: string): void => {
      between();
      const node = this.nodes.get(path);
      if (node === undefined) return;
      const { data, acl, czxid, mzxid, pzxid, ctime, mtime, version, creates, aversion, owner } = node;
      to.node(Buffer.from(path === '/' ? '' : path), data, this.keyOf(acl), {
        ...{ czxid: czxid as Zxid, mzxid: mzxid as Zxid, pzxid: pzxid as Zxid, ctime, mtime, version, aversion },
        ...{ cversion: creates, ephemeralOwner: owner as SessionId },
      });
      parts.push(to.take());
      for (const child of [...node.children]) walk(child);
    };
    walk('/');
    parts.push(to.end(lastZxid === true ? { lastZxid: began } : {}));
    return Buffer.concat(parts);
  }
}

import { type Deciding, decide, type ModelEffect, type ModelWrite, WRONG } from './decide.ts';
import { isEphemeral, keeps, type ModelNode, ModelTree, parent } from './tree.ts';

/** A change of one node, in the order in which watches hear of them (semantics.md 7.2). */
export interface Change {
  readonly type: 'created' | 'changed' | 'deleted';
  readonly path: string;
}
/** A session as the history knows it. */
export interface ModelSession {
  readonly timeoutMs: number;
  readonly born: number;
  died: number;
  readonly ephemerals: Set<string>;
}
/** What one transaction came to. */
export interface Outcome {
  readonly zxid: bigint;
  readonly changes: readonly Change[];
  /** For a request: an error, or what happened part by part. */
  readonly error: number | undefined;
  readonly effects: readonly ModelEffect[];
  /** For a multi that failed: a code per part. */
  readonly codes: readonly number[] | undefined;
  /** Nodes as each part left them; undefined where it left none. */
  readonly after: readonly (ModelNode | undefined)[];
}
const NOTHING = { changes: [], error: undefined, effects: [], codes: undefined, after: [] } as const;

/** The replicated state and its whole past: a transaction moves it one moment on. */
export class ModelState {
  readonly tree = new ModelTree();
  readonly sessions = new Map<bigint, ModelSession>();
  /** Outcomes by moment; the first is the fresh state. */
  readonly outcomes: Outcome[] = [{ zxid: 0n, ...NOTHING }];
  private readonly moments = new Map<bigint, number>([[0n, 0]]);

  get now(): number {
    return this.tree.now;
  }
  /** The moment a zxid stands for, undefined when no such transaction is committed. */
  momentOf(zxid: bigint): number | undefined {
    return this.moments.get(zxid);
  }
  zxidOf(moment: number): bigint {
    return (this.outcomes[moment] as Outcome).zxid;
  }
  isLive(session: bigint, moment = this.now): boolean {
    const found = this.sessions.get(session);
    return found !== undefined && found.born <= moment && found.died > moment;
  }
  /** It lived at some moment from `since` to `until`. */
  wasLive(session: bigint, since = 0, until = this.now): boolean {
    const found = this.sessions.get(session);
    return found !== undefined && found.born <= until && found.died > since;
  }
  private begin(zxid: bigint): void {
    this.tree.now++;
    this.moments.set(zxid, this.tree.now);
  }
  private finish(outcome: Outcome): Outcome {
    this.outcomes.push(outcome);
    return outcome;
  }
  /** Something that changes nothing that clients see. */
  pass(zxid: bigint): Outcome {
    this.begin(zxid);
    return this.finish({ zxid, ...NOTHING });
  }
  openSession(zxid: bigint, id: bigint, timeoutMs: number): Outcome {
    this.begin(zxid);
    this.sessions.set(id, { timeoutMs, born: this.now, died: Number.POSITIVE_INFINITY, ephemerals: new Set() });
    return this.finish({ zxid, ...NOTHING });
  }
  /** Its ephemerals go in no order, all with one zxid. */
  closeSession(zxid: bigint, id: bigint): Outcome {
    this.begin(zxid);
    const session = this.sessions.get(id);
    const changes: Change[] = [];
    if (session !== undefined && this.isLive(id)) {
      for (const path of [...session.ephemerals]) {
        this.perform({ effect: 'delete', path }, zxid, 0);
        changes.push({ type: 'deleted', path });
      }
      session.died = this.now;
    }
    return this.finish({ zxid, ...NOTHING, changes });
  }
  /** The reaper's: an empty container, or a node with a time to live, goes. Returns what speaks against it. */
  reap(zxid: bigint, time: number, path: string): { outcome: Outcome; fault: string | undefined } {
    const node = this.tree.get(path);
    this.begin(zxid);
    const fault = node === undefined ? 'no such node' : keeps(node, time);
    if (node !== undefined && node.children === 0) this.perform({ effect: 'delete', path }, zxid, 0);
    return { outcome: this.finish({ zxid, ...NOTHING, changes: [{ type: 'deleted', path }] }), fault };
  }
  /** A client's write, alone or several that happen together. `isLocal`: of a session that is none of this state's. */
  request(
    zxid: bigint,
    time: number,
    session: bigint,
    writes: readonly ModelWrite[],
    isMulti: boolean,
    isLocal = false,
  ): Outcome {
    const live = isLocal || this.isLive(session);
    this.begin(zxid);
    if (!live) return this.finish({ zxid, ...NOTHING, error: WRONG.sessionExpired });
    const ahead = new Ahead(this.tree);
    const effects: ModelEffect[] = [];
    for (const [i, write] of writes.entries()) {
      const made = decide(ahead, session, write, isLocal);
      if (typeof made !== 'number') {
        effects.push(made);
        ahead.take(made);
        continue;
      }
      if (!isMulti) return this.finish({ zxid, ...NOTHING, error: made });
      const codes = writes.map((_, at) => (at < i ? 0 : at === i ? made : WRONG.runtimeInconsistency));
      return this.finish({ zxid, ...NOTHING, codes });
    }
    const after = effects.map((effect) => {
      this.perform(effect, zxid, time);
      return effect.effect === 'delete' ? undefined : this.tree.get(effect.path);
    });
    const changes = effects.flatMap(changeOf);
    return this.finish({ zxid, changes, error: undefined, effects, codes: undefined, after });
  }

  private perform(effect: ModelEffect, zxid: bigint, time: number): void {
    const { tree } = this;
    const node = tree.get(effect.path);
    switch (effect.effect) {
      case 'create': {
        const above = parent(effect.path);
        const holder = tree.get(above) as ModelNode;
        tree.put(above, { ...holder, creates: effect.creates, children: holder.children + 1, pzxid: zxid });
        const { data, acl, owner } = effect;
        const fresh = { data, acl, owner, czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time };
        tree.put(effect.path, { ...fresh, version: 0, creates: 0, aversion: 0, children: 0 });
        tree.born(effect.path);
        if (isEphemeral(owner)) this.sessions.get(owner)?.ephemerals.add(effect.path);
        return;
      }
      case 'delete': {
        const above = parent(effect.path);
        const holder = tree.get(above) as ModelNode;
        tree.put(above, { ...holder, children: holder.children - 1, pzxid: zxid });
        tree.put(effect.path, undefined);
        tree.died(effect.path);
        if (node !== undefined && isEphemeral(node.owner))
          this.sessions.get(node.owner)?.ephemerals.delete(effect.path);
        return;
      }
      case 'set': {
        const { data, version } = effect;
        tree.put(effect.path, { ...(node as ModelNode), data, version, mzxid: zxid, mtime: time });
        return;
      }
      case 'setAcl':
        tree.put(effect.path, { ...(node as ModelNode), acl: effect.acl, aversion: effect.aversion });
        return;
      case 'check':
        return;
    }
  }
}

const changeOf = (effect: ModelEffect): Change[] => {
  switch (effect.effect) {
    case 'create':
      return [{ type: 'created', path: effect.path }];
    case 'delete':
      return [{ type: 'deleted', path: effect.path }];
    case 'set':
      return [{ type: 'changed', path: effect.path }];
    default:
      return [];
  }
};

/** The state with what a multi decided so far: only what the decision of later parts can depend on. */
class Ahead implements Deciding {
  private readonly tree: ModelTree;
  private readonly changed = new Map<string, ModelNode | undefined>();
  constructor(tree: ModelTree) {
    this.tree = tree;
  }
  get(path: string): ModelNode | undefined {
    return this.changed.has(path) ? this.changed.get(path) : this.tree.get(path);
  }
  take(effect: ModelEffect): void {
    const { path } = effect;
    const node = this.get(path);
    const above = parent(path);
    const holder = this.get(above);
    switch (effect.effect) {
      case 'create': {
        const { data, acl, owner, creates } = effect;
        if (holder !== undefined) this.changed.set(above, { ...holder, creates, children: holder.children + 1 });
        const zero = { czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, creates: 0, aversion: 0 };
        this.changed.set(path, { data, acl, owner, ...zero, children: 0 });
        return;
      }
      case 'delete':
        if (holder !== undefined) this.changed.set(above, { ...holder, children: holder.children - 1 });
        this.changed.set(path, undefined);
        return;
      case 'set':
        if (node !== undefined) this.changed.set(path, { ...node, data: effect.data, version: effect.version });
        return;
      case 'setAcl':
      case 'check':
        return;
    }
  }
}

/** Programs at random, from a seed. */
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { BAD, FAR, LISTS, LOGINS, NODES, PREFIXES } from './pools.ts';
import { type Ask, type Program, SESSIONS, type Step } from './program.ts';

const STEPS = 24;
const PIPELINE = 6;

/** What a connection watches on a path: on 3.8 the newest kind takes the place of the others, so that a path has one only. */
type Watching = 'once' | 'persistent' | 'recursive';

class Author {
  private readonly random: Random;
  private readonly watching = Array.from({ length: SESSIONS }, () => new Map<string, Watching>());
  constructor(random: Random) {
    this.random = random;
  }
  private below = (bound: number): number => this.random.below(bound);
  private chance = (one: number): boolean => this.below(one) === 0;
  private pick = <T>(from: readonly T[]): T => from[this.below(from.length)] as T;
  private weighed<T extends readonly [number, ...unknown[]]>(from: readonly T[]): T {
    let at = this.below(from.reduce((sum, [weight]) => sum + weight, 0));
    for (const each of from) {
      at -= each[0];
      if (at < 0) return each;
    }
    throw new Error('unreachable');
  }
  private path(): string | null {
    if (this.chance(40)) return null;
    if (this.chance(12)) return this.pick(BAD);
    return this.chance(14) ? this.pick(FAR) : this.pick(NODES);
  }
  private acl = (): unknown => this.weighed(LISTS)[1];
  private version = (): number => (this.chance(2) ? -1 : this.pick([0, 0, 1, 1, 2, 3, -2, 99, 0x7fff_ffff]));
  private data(): Buffer | null {
    if (this.chance(5)) return null;
    return Buffer.alloc(this.below(4) === 0 ? 0 : 1 + this.below(9), 97 + this.below(26));
  }
  /** True, and remembered, when this kind of watch may be set there. */
  private watch(who: number, path: string | null, kind: Watching): boolean {
    // 3.8 stumbles over a watch on null whenever it looks through them, and answers nobody any more
    if (path === null) return false;
    const known = this.watching[who] as Map<string, Watching>;
    if ((known.get(path) ?? kind) !== kind) return false;
    known.set(path, kind);
    return true;
  }
  private create(op: string): Ask['request'] {
    const sequential = this.chance(4);
    const usual = op === 'createTtl' ? [5, 6] : op === 'createContainer' ? [4] : sequential ? [2, 3] : [0, 0, 0, 1];
    const flags = this.chance(12) ? this.pick([-1, 0, 1, 2, 3, 4, 5, 6, 7]) : this.pick(usual);
    const isNumbered = flags === 2 || flags === 3 || flags === 6;
    const path = isNumbered ? this.pick(['$/q-', '$/a/q-', '$/', '$/b/x/', '$/none/q-', null]) : this.path();
    const request = { path, data: this.data(), acl: this.acl(), flags };
    if (op !== 'createTtl') return request;
    const isTimed = flags === 5 || flags === 6;
    // with a path that can be made, 3.8 writes down such a node without a time, and ends as a process when it applies it
    if (!isTimed) return this.chance(2) ? { ...request, acl: [], ttl: -1n } : { ...request, ttl: 1_000_000_000n };
    return {
      ...request,
      ttl: this.chance(6) ? this.pick([0n, -1n, 0xff_ffff_ffffn, 0x100_0000_0000n]) : 1_000_000_000n,
    };
  }
  private readonly paths = (who: number, kind: Watching): (string | null)[] | null =>
    this.chance(30)
      ? null
      : Array.from({ length: this.below(3) }, () => this.pick([...NODES, ...NODES, '$/é', ''])).filter((path) =>
          this.watch(who, path, kind),
        );
  private request(who: number, op: string): Ask['request'] {
    switch (op) {
      case 'create':
      case 'create2':
      case 'createContainer':
      case 'createTtl':
        return this.create(op);
      case 'delete':
      case 'check':
        return { path: this.path(), version: this.version() };
      case 'setData': {
        const path = this.path();
        // 3.8 lets a super user write there, for all programs to come
        const other = path === '/zookeeper/config' ? '/none' : path;
        return { path: other, data: this.data(), version: this.version() };
      }
      case 'getData':
      case 'exists':
      case 'getChildren':
      case 'getChildren2': {
        const path = this.path();
        return { path, watch: this.chance(2) && this.watch(who, path, 'once') };
      }
      case 'setAcl': {
        const path = this.path();
        // a root that is closed would be closed for the programs to come
        const isOurs = path === null || path.startsWith('$');
        return { path, acl: isOurs ? this.acl() : [], version: this.version() };
      }
      case 'getAcl':
      case 'sync':
      case 'getAllChildrenNumber':
        return { path: this.path() };
      case 'getEphemerals':
        return { prefixPath: this.pick(PREFIXES) };
      case 'addWatch': {
        const path = this.path();
        const mode = this.chance(10) ? this.pick([-1, 2]) : this.below(2);
        if (mode !== 0 && mode !== 1) return { path, mode };
        return this.watch(who, path, mode === 0 ? 'persistent' : 'recursive') ? { path, mode } : { path, mode: 2 };
      }
      case 'removeWatches':
      case 'checkWatches':
        return { path: this.path(), type: this.chance(12) ? this.pick([-1, 0, 4, 5, 6]) : this.pick([1, 2, 3, 3]) };
      case 'setWatches':
      case 'setWatches2': {
        const lists = {
          relativeZxid: this.chance(2) ? -1n : BigInt(this.below(50)),
          dataWatches: this.paths(who, 'once'),
          existWatches: this.paths(who, 'once'),
          childWatches: this.paths(who, 'once'),
        };
        if (op === 'setWatches') return lists;
        const persistentWatches = this.paths(who, 'persistent');
        return { ...lists, persistentWatches, persistentRecursiveWatches: this.paths(who, 'recursive') };
      }
      case 'multi':
        return this.parts(who, [
          'create',
          'create',
          'delete',
          'setData',
          'setData',
          'check',
          'create2',
          'createContainer',
          'createTtl',
        ]);
      case 'multiRead':
        return this.parts(who, ['getData', 'getData', 'getChildren']);
      case 'auth': {
        const [, scheme, auth] = this.weighed(LOGINS);
        return { type: 0, scheme, auth: auth === null ? null : Buffer.from(auth) };
      }
      case 'sasl':
        return { token: this.chance(20) ? null : Buffer.alloc(0) };
      case 'reconfig':
        return { joiningServers: null, leavingServers: '1', newMembers: null, curConfigId: -1n };
      default:
        return {};
    }
  }
  private parts(who: number, usual: readonly string[]): { type: number; request: unknown }[] {
    const wrong = this.chance(25) ? 1 : 0;
    const names = Array.from({ length: this.below(5) }, () => this.pick(usual));
    if (wrong === 1) names.push(this.pick(['getData', 'create', 'check']));
    return names.map((name, at) => {
      const request = this.request(who, name) as { flags?: number };
      const isRead = name === 'getData' || name === 'getChildren';
      // a watch in a multi is none
      if (isRead) return { type: PART[name] as number, request: { ...request, watch: this.chance(2) } };
      // 3.8 gives such a multi up without taking back what it had decided, and what is pipelined behind it may see that
      const isLost = name !== 'createTtl' && (request.flags === 5 || request.flags === 6) && at > 0;
      return { type: PART[name] as number, request: isLost ? { ...request, flags: 0 } : request };
    });
  }
  ask(who: number, op: string): Ask {
    if (op === 'deleteContainer') return { op, raw: Buffer.from(this.pick(['$/a', '$/none', ''])) };
    if (op === 'createSession') return { op, raw: Buffer.alloc(0) };
    if (op === 'notification' || op === 'unknown') return { op, raw: Buffer.alloc(this.below(3)) };
    const ask = { op, request: this.request(who, op) };
    return this.chance(40) && !WHOLE.has(op) ? { ...ask, cut: this.below(6) } : ask;
  }
  step(who: number): Step {
    if (this.chance(30)) {
      this.watching[who]?.clear();
      return { kind: 'cut', who };
    }
    // an unknown operation is answered before what is under way, and ends the connection
    if (this.chance(40)) return this.alone(who, this.pick(LAST));
    const asks: Ask[] = [];
    const count = this.chance(2) ? 1 : 2 + this.below(PIPELINE - 1);
    while (asks.length < count) {
      // these are answered beside the others, at once: only the first has a place
      if (asks.length === 0 && this.chance(14)) asks.push(this.ask(who, this.pick(['auth', 'auth', 'auth', 'sasl'])));
      else asks.push(this.ask(who, this.weighed(USUAL)[1]));
      // until a setAcl is applied 3.8 decides what is pipelined behind it by the old ACL, or not: it comes last
      if (endsIt(asks.at(-1) as Ask) || asks.at(-1)?.op === 'setAcl') break;
      if (asks.length === count && asks.at(-1)?.op !== 'setAcl' && this.chance(30))
        asks.push(this.ask(who, 'closeSession'));
    }
    if (asks.some(endsIt)) this.watching[who]?.clear();
    return { kind: 'ask', who, asks };
  }
  private alone(who: number, op: string): Step {
    this.watching[who]?.clear();
    return { kind: 'ask', who, asks: [this.ask(who, op)] };
  }
}
const PART: Readonly<Record<string, number>> = {
  create: 1,
  delete: 2,
  getData: 4,
  setData: 5,
  getChildren: 8,
  check: 13,
  create2: 15,
  createContainer: 19,
  createTtl: 21,
};
/** Not cut short: they have no body, end at a header of their own, or are taken at once; 3.8 numbers no `reconfig` that it cannot read. */
const WHOLE: ReadonlySet<string> = new Set([
  'reconfig',
  'ping',
  'whoAmI',
  'closeSession',
  'multi',
  'multiRead',
  'auth',
  'sasl',
]);
const USUAL: readonly (readonly [number, string])[] = [
  [12, 'create'],
  [6, 'create2'],
  [3, 'createContainer'],
  [4, 'createTtl'],
  [8, 'delete'],
  [8, 'setData'],
  [5, 'setAcl'],
  [6, 'getData'],
  [5, 'exists'],
  [4, 'getChildren'],
  [4, 'getChildren2'],
  [4, 'getAcl'],
  [12, 'multi'],
  [4, 'multiRead'],
  [2, 'sync'],
  [1, 'ping'],
  [4, 'addWatch'],
  [3, 'removeWatches'],
  [2, 'checkWatches'],
  [2, 'setWatches'],
  [2, 'setWatches2'],
  [2, 'getEphemerals'],
  [3, 'getAllChildrenNumber'],
  [1, 'whoAmI'],
  [1, 'reconfig'],
  [1, 'deleteContainer'],
];
/** The server hangs up behind these. */
const LAST = ['closeSession', 'notification', 'unknown', 'createSession', 'check'];

/** A login that fails ends the connection at a moment that depends on the clock: nothing may be under way behind it. */
export const endsIt = ({ op, request }: Ask): boolean => {
  if (LAST.includes(op)) return true;
  const { scheme } = (op === 'auth' ? request : {}) as { scheme?: string | null };
  return op === 'auth' && scheme !== 'digest' && scheme !== 'ip';
};

export function generate(seed: number): Program {
  const random = seededRandom(seed);
  const author = new Author(random);
  const steps: Step[] = [];
  for (let i = 0; i < STEPS; i++) steps.push(author.step(random.below(SESSIONS)));
  return { seed, steps };
}

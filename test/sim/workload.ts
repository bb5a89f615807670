import type { Random } from '../../src/base/random.ts';
import { type Client, type CreateOptions, KeeperError, type MultiOp } from '../../src/index.ts';

const ROOT = '/w';
const LANES_PER_CLIENT = 8;
const NODES_PER_LANE = 6;

/** A node as a reply or a read showed it; undefined: not there. */
type Node = { readonly data: string; readonly version: number } | undefined;
type Change = readonly [path: string, after: Node];
/** A request that was sent and never answered. `order` counts the requests of its client, `losses` its lost connections. */
interface Doubt {
  readonly order: number;
  readonly losses: number;
  readonly changes: readonly Change[];
}
/** One request at a time on nodes that no other lane touches. */
interface Lane {
  readonly client: Client;
  readonly paths: readonly string[];
  readonly ephemeral: boolean;
  doubt: Doubt | undefined;
}

const same = (a: Node, b: Node): boolean => a?.data === b?.data && a?.version === b?.version;
const show = (node: Node): string =>
  node === undefined ? 'absent' : `version ${node.version} of ${node.data.length} bytes ${node.data.slice(0, 8)}`;

/**
 * Clients that create, set, delete and commit multis, ephemerals too, several requests in flight each, and remember what was
 * answered and what was not. After a crash {@link faults} says how what is there differs from what must or may be.
 */
export class Workload {
  acknowledged = 0;
  /** Requests without an answer when the server went, over all crashes. */
  inFlight = 0;
  /** Of those, how many turned out to be done. */
  survived = 0;
  /** Faults seen while it ran: a refusal that cannot be, a session that ended. */
  readonly surprises: string[] = [];
  private readonly random: Random;
  private readonly clients: readonly Client[];
  private readonly sessions: readonly bigint[];
  private readonly lanes: readonly Lane[];
  private readonly nodes = new Map<string, Node>();
  private readonly orders = new Map<Client, number>();
  private readonly losses = new Map<Client, number>();
  private running = false;
  private under: Promise<unknown> = Promise.resolve();
  /** The highest zxid that any reply named, and what it was when the server last came back. */
  private highest = 0n;
  private floor = 0n;

  private constructor(random: Random, clients: readonly Client[]) {
    this.random = random;
    this.clients = clients;
    this.sessions = clients.map((client) => client.sessionId);
    for (const client of clients)
      client.on('state', ({ state }) => {
        if (state === 'suspended') this.losses.set(client, (this.losses.get(client) ?? 0) + 1);
      });
    this.lanes = clients.flatMap((client, c) =>
      Array.from({ length: LANES_PER_CLIENT }, (_, lane) => ({
        client,
        ephemeral: lane === 0,
        paths: Array.from({ length: NODES_PER_LANE }, (_, node) => `${ROOT}/${c}-${lane}-${node}`),
        doubt: undefined,
      })),
    );
  }
  /** With connected clients, before the first crash. */
  static async begin(random: Random, clients: readonly Client[]): Promise<Workload> {
    try {
      await clients[0]?.create(ROOT);
    } catch (error) {
      // from an attempt that was cut off
      if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error;
    }
    return new Workload(random, clients);
  }
  start(): void {
    this.running = true;
    this.floor = this.highest;
    this.under = Promise.all(this.lanes.map((lane) => this.live(lane)));
  }
  /** The server went: no lane begins anything new. */
  stop(): void {
    this.running = false;
  }
  /** Resolves when every client is connected again and nothing is in flight; false when `pause` said to give up before. */
  async settled(pause: () => Promise<boolean>): Promise<boolean> {
    let quiet = false;
    this.under.then(() => {
      quiet = true;
    });
    while (!quiet || this.clients.some((client) => client.state !== 'connected')) {
      if (this.clients.some(({ state }) => state === 'expired' || state === 'closed')) {
        this.surprises.push('a session ended');
        return false;
      }
      if (!(await pause())) return false;
    }
    return true;
  }
  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.clients.map((client) => client.close()));
    await this.under;
  }

  private async live(lane: Lane): Promise<void> {
    // what is in doubt stays so until it was looked at
    while (this.running && lane.doubt === undefined && this.surprises.length === 0) {
      const order = (this.orders.get(lane.client) ?? 0) + 1;
      this.orders.set(lane.client, order);
      const ops = this.draw(lane);
      const changes = ops.map((op): Change => [op.path, this.after(op)]);
      try {
        const zxids = await this.request(lane.client, ops);
        for (const [path, node] of changes) this.nodes.set(path, node);
        this.acknowledged++;
        for (const zxid of zxids) {
          if (zxid <= this.floor) this.surprises.push(`zxid ${zxid} was given after ${this.floor} was answered`);
          if (zxid > this.highest) this.highest = zxid;
        }
      } catch (error) {
        if (!(error instanceof KeeperError) || (error.code !== 'ConnectionLoss' && error.code !== 'Closing'))
          this.surprises.push(`${ops.map(({ op, path }) => `${op} ${path}`)}: ${String(error)}`);
        lane.doubt = { order, losses: this.losses.get(lane.client) ?? 0, changes };
      }
    }
  }
  private draw(lane: Lane): MultiOp[] {
    const { random } = this;
    const op = (path: string): MultiOp => {
      const now = this.nodes.get(path);
      const data = Buffer.alloc(random.below(10) === 0 ? 3000 : random.below(200), 97 + random.below(26));
      const options: CreateOptions = lane.ephemeral ? { mode: 'ephemeral' } : {};
      if (now === undefined) return { op: 'create', path, data, options };
      if (random.below(4) === 0) return { op: 'delete', path, version: now.version };
      return { op: 'set', path, data, version: now.version };
    };
    const first = random.below(lane.paths.length);
    const path = (at: number): string => lane.paths[at % lane.paths.length] as string;
    return random.below(4) === 0 ? [op(path(first)), op(path(first + 1)), op(path(first + 2))] : [op(path(first))];
  }
  private after(op: MultiOp): Node {
    if (op.op === 'delete' || op.op === 'check') return undefined;
    const data = Buffer.from(op.data ?? '').toString();
    return { data, version: op.op === 'create' ? 0 : op.version + 1 };
  }
  /** Zxids that the replies named. */
  private async request(client: Client, ops: readonly MultiOp[]): Promise<bigint[]> {
    const [only] = ops as [MultiOp];
    if (ops.length > 1) {
      const results = await client.multi(ops);
      return results.flatMap((result) => ('stat' in result && result.stat !== undefined ? [result.stat.mzxid] : []));
    }
    if (only.op === 'create') return [(await client.create(only.path, only.data, only.options)).stat?.mzxid ?? 0n];
    if (only.op === 'set') return [(await client.set(only.path, only.data, only.version)).mzxid];
    await client.delete(only.path, only.version);
    return [];
  }

  /**
   * What is wrong now that the server is back, read through `reader`; nothing when all is well. Requests that were in flight
   * are counted and settled by what is there. Call it when {@link settled}.
   */
  async faults(reader: Client): Promise<string[]> {
    const faults = this.surprises.splice(0);
    const there = new Set((await reader.getChildren(ROOT)).children.map((name) => `${ROOT}/${name}`));
    if (reader.lastZxid < this.highest)
      faults.push(`the last zxid is ${reader.lastZxid}, ${this.highest} was answered`);
    this.clients.forEach((client, i) => {
      if (client.sessionId !== this.sessions[i]) faults.push(`session ${i} is another now`);
    });
    const paths = this.lanes.flatMap((lane) => lane.paths);
    const found = new Map<string, Node>();
    await Promise.all(
      paths.map(async (path) => {
        if (!there.delete(path)) return;
        const { data, stat } = await reader.get(path);
        found.set(path, { data: data?.toString() ?? '', version: stat.version });
        const owner = this.lanes.find((lane) => lane.ephemeral && lane.paths.includes(path))?.client.sessionId ?? 0n;
        if (stat.ephemeralOwner !== owner) faults.push(`${path} is owned by ${stat.ephemeralOwner}, not ${owner}`);
      }),
    );
    for (const path of there) faults.push(`${path} is there and nobody made it`);
    const gone = new Map<string, number>();
    const doubts = this.lanes.filter((lane) => lane.doubt !== undefined);
    doubts.sort((a, b) => (a.doubt as Doubt).order - (b.doubt as Doubt).order);
    for (const lane of doubts) {
      const { order, losses, changes } = lane.doubt as Doubt;
      // those sent on one connection are done in the order sent; what is lost with it says nothing of the next
      const sentOn = `${this.clients.indexOf(lane.client)} ${losses}`;
      const done = changes.filter(([path, after]) => same(found.get(path), after)).length;
      this.inFlight++;
      if (done === changes.length) {
        this.survived++;
        const before = gone.get(sentOn);
        if (before !== undefined) faults.push(`request ${order} of a client is there, ${before} before it is not`);
        for (const [path, after] of changes) this.nodes.set(path, after);
      } else if (done > 0)
        faults.push(`${done} of ${changes.length} parts of a multi: ${changes.map(([path]) => path)}`);
      else gone.set(sentOn, order);
      lane.doubt = undefined;
    }
    for (const path of paths) {
      const known = this.nodes.get(path);
      if (!same(found.get(path), known))
        faults.push(`${path}: ${show(known)} was acknowledged, ${show(found.get(path))} is there`);
    }
    return faults;
  }
}

import { seededRandom } from '../../src/base/random.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ConnectionHandler } from '../../src/ports/network.ts';
import type { AcceptPeer, PeerLink, PeerNetwork } from '../../src/ports/peer-network.ts';
import type { MessageOf, PeerMessage } from '../../src/records/peer-messages.ts';
import type { PeerIdentity } from '../../src/runtime/peer-hello.ts';
import { type PeerAddresses, type PeerOptions, PeerPort, type PeerPorts } from '../../src/runtime/peers.ts';

export const TICK_MS = 100;

/** Two ends of a stream; frozen, nothing passes and nobody is told. */
export class FakeWire {
  frozen = false;
  closed = false;
  /** How long bytes and news are under way. */
  delayMs = 0;
  /** Ends it for both, as a firewall does. */
  reset = (): void => {};
  /** Ends it for one end alone: the other one never hears of it. */
  loseFor = (_end: 'dialler' | 'acceptor'): void => {};
  /** The other end takes nothing: what is sent waits. */
  stuck = false;
  readonly dialledFrom: string;
  readonly to: string;
  /** Writes from the dialling end. */
  writes = 0;
  constructor(dialledFrom: string, to: string) {
    this.dialledFrom = dialledFrom;
    this.to = to;
  }
}

/** Time and network of a test: nothing happens but in {@link run}. */
export class FakeWorld {
  now = 1000;
  readonly wires: FakeWire[] = [];
  /** Names to addresses; what is not here stands for itself. */
  readonly names = new Map<string, readonly string[]>();
  /** Addresses where dials end in nothing at all. */
  readonly blackholes = new Set<string>();
  /** The delay of a new wire, ms. */
  latency = (): number => 0;
  /** Every dial, as `from>address:port`. */
  readonly dials: string[] = [];
  private timers: { at: number; run: () => void }[] = [];
  private tasks: (() => void)[] = [];
  private readonly listeners = new Map<string, AcceptPeer>();

  readonly clock: Clock = {
    monotonic: () => this.now,
    wall: () => 1_700_000_000_000 + this.now,
    after: (ms, run) => {
      const timer = { at: this.now + ms, run };
      this.timers.push(timer);
      return {
        [Symbol.dispose]: () => {
          this.timers = this.timers.filter((each) => each !== timer);
        },
      };
    },
  };

  /** The clock of a process: once it is dead no timer of it fires. */
  clockOf(alive: () => boolean): Clock {
    const { clock } = this;
    return { ...clock, after: (ms, run) => clock.after(ms, () => alive() && run()) };
  }
  /** The network as a process on the machine `name` sees it. */
  net(name: string, alive: () => boolean = () => true): PeerNetwork {
    return {
      resolve: async (host) => {
        const found = this.names.get(host) ?? [host];
        if (found.length === 0) throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
        return found;
      },
      dial: async ({ address, port, timeoutMs }, handler, signal) => {
        this.dials.push(`${name}>${address}:${port}`);
        const accept = this.listeners.get(`${address}:${port}`);
        if (this.blackholes.has(address)) {
          await new Promise<void>((resolve) => this.clock.after(timeoutMs, resolve));
          throw new Error(`no answer in ${timeoutMs} ms`);
        }
        if (accept === undefined) throw new Error('nothing listens there');
        signal.throwIfAborted();
        if (!alive()) throw new Error('dead');
        return this.connect(new FakeWire(name, `${address}:${port}`), handler, accept);
      },
      listen: async ({ host, port }, accept) => {
        this.listeners.set(`${host}:${port}`, accept);
        return { host, port, close: () => void this.listeners.delete(`${host}:${port}`) };
      },
    };
  }
  private connect(wire: FakeWire, dialler: ConnectionHandler, accept: AcceptPeer): PeerLink {
    this.wires.push(wire);
    wire.delayMs = this.latency();
    const later = (task: () => void): void => {
      if (wire.delayMs === 0) this.tasks.push(task);
      else this.clock.after(wire.delayMs, task);
    };
    const handlers: [ConnectionHandler, ConnectionHandler | undefined] = [dialler, undefined];
    const close = (): void => {
      if (wire.closed || wire.frozen) return;
      wire.closed = true;
      later(() => {
        for (const handler of handlers) handler?.closed(undefined);
      });
    };
    wire.reset = close;
    wire.loseFor = (end) => {
      wire.frozen = true;
      handlers[end === 'dialler' ? 0 : 1]?.closed(undefined);
    };
    const end = (side: 0 | 1): PeerLink => {
      let waiting = 0;
      return {
        remoteAddress: side === 0 ? (wire.to.split(':')[0] as string) : wire.dialledFrom,
        remotePort: this.wires.length,
        proof: undefined,
        get waiting() {
          return waiting;
        },
        send: (bytes) => {
          const copy = Buffer.from(bytes);
          if (side === 0) wire.writes++;
          if (wire.stuck) waiting += copy.length;
          else
            later(() => {
              if (!wire.closed && !wire.frozen) handlers[1 - side]?.data(copy);
            });
          return true;
        },
        end: () => later(close),
        destroy: close,
        pause() {},
        resume() {},
      };
    };
    const far = end(1);
    // the other end learns of it later
    later(() => {
      if (!wire.closed) handlers[1] = accept(far);
    });
    return end(0);
  }

  private async settle(): Promise<void> {
    for (let quiet = 0, turns = 0; quiet < 3; turns++) {
      if (turns > 10_000) throw new Error('the network does not come to rest');
      await new Promise<void>((resolve) => setImmediate(resolve));
      const tasks = this.tasks.splice(0);
      quiet = tasks.length === 0 ? quiet + 1 : 0;
      for (const task of tasks) task();
    }
  }
  /** Lets `ms` pass. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.settle();
    for (;;) {
      const next = this.timers.reduce<{ at: number; run: () => void } | undefined>(
        (first, each) => (each.at <= end && (first === undefined || each.at < first.at) ? each : first),
        undefined,
      );
      if (next === undefined) break;
      this.timers = this.timers.filter((each) => each !== next);
      this.now = Math.max(this.now, next.at);
      next.run();
      await this.settle();
    }
    this.now = end;
  }
}

/** A server as the tests see it: its port, and what it was told. */
export class FakePeer {
  readonly port: PeerPort;
  readonly told: string[] = [];
  readonly votes: { from: number; message: MessageOf<'VOTE'> }[] = [];
  readonly received: { link: number; message: PeerMessage }[] = [];
  readonly complaints: string[] = [];
  readonly links = new Map<number, number>();
  identity: PeerIdentity;
  turns = 0;
  /** Votes as soon as a server is reached, as an election does. */
  eager = false;

  constructor(identity: PeerIdentity, ports: PeerPorts, options: Partial<PeerOptions> = {}) {
    this.identity = identity;
    this.port = new PeerPort(
      {
        self: () => this.identity,
        election: { host: `host${identity.sid}`, port: 3888 },
        quorum: { host: `host${identity.sid}`, port: 2888 },
        tickMs: TICK_MS,
        silenceTicks: 4,
        connectMs: 500,
        bindAttempts: 1,
        highWater: 1024 * 1024,
        mostWaiting: 4 * 1024 * 1024,
        ...options,
      },
      ports,
      {
        reached: (sid, up) => {
          this.told.push(`${up ? 'reached' : 'lost'} ${sid}`);
          if (up && this.eager) this.port.vote(sid, VOTE);
        },
        voted: (from, message) => void this.votes.push({ from, message }),
        toldMembers: ({ members }) => void this.told.push(`members ${members.map(({ sid }) => sid).join()}`),
        linked: (sid, link, dialled) => {
          this.links.set(sid, link);
          this.told.push(`linked ${sid} ${dialled ? 'out' : 'in'}`);
        },
        dialFailed: (sid, sentence) => void this.told.push(`dial to ${sid} failed: ${sentence}`),
        received: (link, message) => void this.received.push({ link, message }),
        closed: (_link, reason) => void this.told.push(`closed: ${reason}`),
        drained: () => void this.told.push('drained'),
        turn: () => {
          this.turns++;
          this.port.flush();
        },
        foreign: (sid, sentence) => void this.told.push(`foreign ${sid}: ${sentence}`),
        moved: (sentence) => void this.told.push(sentence),
        complaint: (sentence) => void this.complaints.push(sentence),
      },
    );
  }
}

export const identityOf = (sid: number, life = 0): PeerIdentity => ({
  ensembleName: 'test',
  ensembleId: 'ee'.repeat(16),
  sid,
  incarnation: (sid * 16 + life).toString(16).padStart(32, '0'),
  tag: (sid * 16 + life).toString(16).padStart(16, '0'),
});
export const VOTE: MessageOf<'VOTE'> = {
  type: 'VOTE',
  state: 'looking',
  round: 1,
  vote: null,
  incarnation: 'ab'.repeat(16),
  config: null,
  lines: null,
};

/** Servers on a fake network, each at `hostN`. */
export class FakeEnsemble {
  readonly world = new FakeWorld();
  readonly random = seededRandom(7);
  peer(
    sid: number,
    options: { life?: number; at?: string; identity?: PeerIdentity; voteSilenceMs?: number } = {},
  ): FakePeer {
    const { world, random } = this;
    const at = options.at ?? `host${sid}`;
    return new FakePeer(
      options.identity ?? identityOf(sid, options.life),
      { net: world.net(at), clock: world.clock, random },
      {
        ...{ election: { host: at, port: 3888 }, quorum: { host: at, port: 2888 } },
        voteSilenceMs: options.voteSilenceMs,
      },
    );
  }
  /** Starts servers that know each other. */
  async start(...peers: FakePeer[]): Promise<void> {
    for (const peer of peers) {
      peer.port.know(addressesOf(1, 2, 3));
      await peer.port.start();
    }
  }
}
export const addressesOf = (...sids: number[]): PeerAddresses[] =>
  sids.map((sid) => ({
    sid,
    election: [{ host: `host${sid}`, port: 3888 }],
    quorum: [{ host: `host${sid}`, port: 2888 }],
  }));

import type { Random } from '../../../src/base/random.ts';
import { logUniform, oneIn, pick, shuffled } from '../world/chance.ts';
import type { Channel } from '../world/links.ts';
import type { Coverage, FaultKind } from './coverage.ts';
import type { DiskHarm } from './disk-harm.ts';
import type { Ensemble } from './ensemble.ts';
import { type Member, nameOfServer } from './member.ts';

/** What a fault may reach. */
export interface FaultWorld {
  readonly ensemble: Ensemble;
  readonly coverage: Coverage;
  readonly harm: DiskHarm;
  readonly tickMs: number;
  /** More load for a while. */
  burst(on: boolean): void;
}
/** A fault that is there; `end` takes it away. `text` says where. */
export interface Injected {
  readonly text: string;
  readonly forMs: number;
  end(): void;
}
type Inject = (world: FaultWorld, random: Random) => Injected | undefined;

const nothing = (): void => {};
const once = (text: string): Injected => ({ text, forMs: 0, end: nothing });
const spell = (random: Random, { tickMs }: FaultWorld): number => logUniform(random, tickMs / 2, tickMs * 25);
const up = ({ ensemble }: FaultWorld): Member[] => ensemble.members.filter(({ isUp }) => isUp);
const anyUp = (world: FaultWorld, random: Random): Member | undefined => {
  const all = up(world);
  // the leader is the most interesting
  const { leader } = world.ensemble;
  if (leader !== undefined && oneIn(random, 3)) return leader;
  return all.length === 0 ? undefined : pick(random, all);
};

/** Blocks these directions, and tells afterwards whether anything was held. */
function cut(
  world: FaultWorld,
  kind: FaultKind,
  paths: readonly (readonly [from: string, to: string])[],
  channel: Channel | undefined,
  forMs: number,
  text: string,
): Injected {
  const { links } = world.ensemble.network;
  const before = links.held;
  for (const [from, to] of paths) links.block({ from, to, channel });
  return {
    text,
    forMs,
    end: () => {
      if (links.held > before) world.coverage.tell(kind);
      for (const [from, to] of paths) links.unblock({ from, to, channel });
    },
  };
}
const both = (a: string, b: string): [string, string][] => [
  [a, b],
  [b, a],
];
const names = ({ ensemble }: FaultWorld): string[] => ensemble.members.map(({ host }) => host.name);

const network: Partial<Record<FaultKind, Inject>> = {
  'net.partition_full': (world, random) => {
    const all = shuffled(random, names(world));
    const at = 1 + random.below(Math.max(1, all.length - 1));
    const [left, right] = [all.slice(0, at), all.slice(at)];
    const paths = left.flatMap((a) => right.flatMap((b) => both(a, b)));
    return cut(world, 'net.partition_full', paths, undefined, spell(random, world), `${left.join()} | ${right.join()}`);
  },
  'net.partition_one': (world, random) => {
    const { leader } = world.ensemble;
    const one = leader !== undefined && oneIn(random, 2) ? leader.host.name : pick(random, names(world));
    const paths = names(world).flatMap((other) => (other === one ? [] : both(one, other)));
    return cut(world, 'net.partition_one', paths, undefined, spell(random, world), one);
  },
  'net.partition_bridge': (world, random) => {
    const [a = '', b = ''] = shuffled(random, names(world));
    return cut(world, 'net.partition_bridge', both(a, b), undefined, spell(random, world), `${a} | ${b}`);
  },
  'net.partition_asym': (world, random) => {
    const [a = '', b = ''] = shuffled(random, names(world));
    return cut(world, 'net.partition_asym', [[a, b]], undefined, spell(random, world), `${a} > ${b}`);
  },
  'net.partition_channel': (world, random) => {
    const channel = pick<Channel>(random, ['election', 'quorum']);
    const one = pick(random, names(world));
    const paths = names(world).flatMap((other) => (other === one ? [] : both(one, other)));
    return cut(world, 'net.partition_channel', paths, channel, spell(random, world), `${channel} of ${one}`);
  },
  'net.slow_link': (world, random) => {
    const { links } = world.ensemble.network;
    const [a = '', b = ''] = shuffled(random, names(world));
    const ms = logUniform(random, 1, world.tickMs * 2);
    const before = links.slowed;
    links.slowDown(a, b, ms);
    if (oneIn(random, 2)) links.slowDown(b, a, ms);
    return {
      text: `${a} > ${b} by ${Math.round(ms)} ms`,
      forMs: spell(random, world),
      end: () => {
        if (links.slowed > before) world.coverage.tell('net.slow_link');
        links.slowDown(a, b, 0);
        links.slowDown(b, a, 0);
      },
    };
  },
  'net.reset': (world, random) => {
    const { network: net } = world.ensemble;
    const streams = [...net.streams];
    if (streams.length === 0) return undefined;
    const stream = pick(random, streams);
    stream.break(2);
    world.coverage.tell('net.reset');
    return once(`${stream.ends[0].host.name} - ${stream.ends[1].host.name} ${stream.channel}`);
  },
  'net.half_open': (world, random) => {
    const streams = [...world.ensemble.network.streams].filter(({ channel }) => channel !== 'client');
    if (streams.length === 0) return undefined;
    const stream = pick(random, streams);
    const end = pick(random, stream.ends);
    end.lose();
    world.coverage.tell('net.half_open');
    return once(`${stream.channel}, ${end.host.name} of ${end.other.host.name}`);
  },
  'net.fragment': (world, random) => {
    const { network: net } = world.ensemble;
    const before = net.fragments;
    net.cutOneIn = 1 + random.below(3);
    return {
      text: `one in ${net.cutOneIn}`,
      forMs: spell(random, world),
      end: () => {
        net.cutOneIn = 0;
        world.coverage.tell('net.fragment', Math.min(1, net.fragments - before));
      },
    };
  },
  'net.client_cut': (world, random) => {
    const { links } = world.ensemble.network;
    const clients = [...new Set([...world.ensemble.network.streams].map(({ ends }) => ends[0].host.name))].filter(
      (name) => name.startsWith('10.0.1.'),
    );
    if (clients.length === 0) return undefined;
    const client = pick(random, clients);
    const server = pick(random, names(world));
    const before = links.held;
    for (const [from, to] of both(client, server)) links.block({ from, to, channel: undefined });
    return {
      text: `${client} | ${server}`,
      forMs: spell(random, world),
      end: () => {
        if (links.held > before) world.coverage.tell('net.client_cut');
        for (const [from, to] of both(client, server)) links.unblock({ from, to, channel: undefined });
      },
    };
  },
};

const process: Partial<Record<FaultKind, Inject>> = {
  'proc.crash': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined) return undefined;
    member.crash(false);
    world.coverage.tell('proc.crash');
    return once(member.host.name);
  },
  'disk.lost_unsynced': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined) return undefined;
    const { sectors, names: gone, torn } = member.disk.lost;
    member.crash(true);
    const { lost } = member.disk;
    if (lost.sectors > sectors || lost.names > gone) world.coverage.tell('disk.lost_unsynced');
    world.coverage.reach('torn file', lost.torn - torn);
    return once(member.host.name);
  },
  'proc.crash_call': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined) return undefined;
    const power = oneIn(random, 2);
    member.crashAtCall(random.below(30), power);
    world.coverage.tell('proc.crash_call');
    return once(`${member.host.name}${power ? ' with power' : ''}`);
  },
  'proc.crash_all': (world, random) => {
    const power = oneIn(random, 2);
    const all = up(world);
    for (const member of all) member.crash(power);
    if (all.length > 0) world.coverage.tell('proc.crash_all');
    return once(power ? 'with power' : '');
  },
  'proc.crash_loop': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined) return undefined;
    const times = 2 + random.below(4);
    member.crashLoop = times;
    member.crashAtCall(random.below(20), oneIn(random, 2));
    world.coverage.tell('proc.crash_loop');
    return once(`${member.host.name}, ${times} times`);
  },
  'proc.pause': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined || member.host.paused) return undefined;
    const { host } = member;
    const { life, heldUp } = host;
    host.pause();
    return {
      text: host.name,
      forMs: spell(random, world),
      end: () => {
        if (host.life !== life) return;
        host.resume();
        if (host.heldUp > heldUp) world.coverage.tell('proc.pause');
      },
    };
  },
  'proc.graceful': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined || member.host.paused) return undefined;
    member.stop();
    world.coverage.tell('proc.graceful');
    return once(member.host.name);
  },
  'clock.wall_jump': (world, random) => {
    const member = pick(random, world.ensemble.members);
    const ms = logUniform(random, 1000, 10 * 365 * 24 * 3_600_000) * (oneIn(random, 2) ? 1 : -1);
    member.host.wallOffset = Math.max(-1_600_000_000_000, member.host.wallOffset + Math.floor(ms));
    world.coverage.tell('clock.wall_jump');
    return once(`${member.host.name} by ${Math.round(ms / 1000)} s`);
  },
  'clock.mono_drift': (world, random) => {
    const member = pick(random, world.ensemble.members);
    const rate = 0.9 + random.below(201) / 1000;
    member.host.drift(rate);
    world.coverage.tell('clock.mono_drift');
    return once(`${member.host.name} at ${rate}`);
  },
  'load.burst': (world, random) => {
    world.burst(true);
    world.coverage.tell('load.burst');
    return { text: '', forMs: spell(random, world), end: () => world.burst(false) };
  },
};

const disks: Partial<Record<FaultKind, Inject>> = {
  'disk.slow': (world, random) => {
    const member = pick(random, world.ensemble.members);
    const before = member.diskMs;
    member.diskMs = logUniform(random, 5, world.tickMs * 3);
    world.coverage.tell('disk.slow');
    return {
      text: `${member.host.name}, ${Math.round(member.diskMs)} ms`,
      forMs: spell(random, world),
      end: () => {
        member.diskMs = before;
      },
    };
  },
};

/** A call to the disk fails, once or for a while. */
const failing =
  (kind: FaultKind, call: 'write' | 'read' | 'sync', code: string, lasting: boolean): Inject =>
  (world, random) => {
    const member = pick(random, world.ensemble.members);
    const { disk } = member;
    let left = lasting ? Number.POSITIVE_INFINITY : 1;
    const after = random.below(4);
    let seen = 0;
    const fault = (doing: string): string | undefined => {
      if (doing !== call || seen++ < after || left <= 0) return undefined;
      left--;
      world.coverage.tell(kind);
      return code;
    };
    disk.fault = fault;
    if (code === 'ENOSPC') disk.room = 0;
    return {
      text: member.host.name,
      forMs: spell(random, world),
      end: () => {
        disk.room = 1e12;
        if (disk.fault === fault) disk.fault = () => undefined;
      },
    };
  };

export const FAULTS: Readonly<Partial<Record<FaultKind, Inject>>> = {
  ...network,
  ...process,
  ...disks,
  'disk.write_eio': failing('disk.write_eio', 'write', 'EIO', false),
  'disk.read_eio': failing('disk.read_eio', 'read', 'EIO', false),
  'disk.fsync_eio': failing('disk.fsync_eio', 'sync', 'EIO', false),
  'disk.enospc': failing('disk.enospc', 'write', 'ENOSPC', true),
  'disk.bitrot': (world, random) => world.harm.bitrot(random),
  'disk.misdirected_write': (world, random) => world.harm.misdirectWrite(random),
  'disk.misdirected_read': (world, random) => world.harm.misdirectRead(random),
  'disk.wiped': (world, random) => world.harm.wipe(random),
  'disk.rolled_back': (world, random) => world.harm.rollBack(random),
  'disk.missing_log': (world, random) => world.harm.hideLog(random),
};
export { nameOfServer };

import { logUniform, oneIn, pick } from '../world/chance.ts';
import type { FaultKind } from './coverage.ts';
import { anyUp, type Inject, once, spell, up } from './fault.ts';

export const processFaults: Partial<Record<FaultKind, Inject>> = {
  'proc.crash': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined) return undefined;
    member.crash(false);
    world.coverage.tell('proc.crash');
    return once(member.host.name);
  },
  /** It stays away, and what it has grows old. */
  'proc.down': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined || world.held.size > 0) return undefined;
    const { sid } = member;
    world.held.add(sid);
    member.crash(oneIn(random, 2));
    world.coverage.tell('proc.down');
    return { text: member.host.name, forMs: 2 * spell(random, world), end: () => void world.held.delete(sid) };
  },
  /** Power goes at one of the next calls to the disk, so that there is something to lose. */
  'disk.lost_unsynced': (world, random) => {
    const member = anyUp(world, random);
    if (member === undefined) return undefined;
    const { lost } = member.disk;
    const { sectors, names: gone, torn } = lost;
    member.crashAtCall(random.below(12), true);
    return {
      text: member.host.name,
      forMs: world.tickMs * 2,
      end: () => {
        if (lost.sectors > sectors || lost.names > gone) world.coverage.tell('disk.lost_unsynced');
        world.coverage.reach('torn file', lost.torn - torn);
      },
    };
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

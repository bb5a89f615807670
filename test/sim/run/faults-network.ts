import type { Random } from '../../../src/base/random.ts';
import { Writer } from '../../../src/protocol/bytes.ts';
import { OPERATIONS, writeFrame } from '../../../src/protocol/operations.ts';
import { logUniform, oneIn, pick, shuffled } from '../world/chance.ts';
import type { Channel } from '../world/links.ts';
import type { FaultKind } from './coverage.ts';
import { around, both, type FaultWorld, type Inject, type Injected, once, spell, up } from './fault.ts';
import type { Member } from './member.ts';
import type { RawSession } from './raw.ts';

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
/**
 * Somebody comes to the leader, loses the connection as soon as there is a session, and asks another server: the leader's
 * words come late to that one, and it may not know the session yet.
 */
function newcomer(world: FaultWorld, random: Random): Injected | undefined {
  const { ensemble } = world;
  const { links, streams } = ensemble.network;
  const { leader } = ensemble;
  const others = up(world).filter(({ sid }) => sid !== leader?.sid);
  if (leader === undefined || others.length === 0) return undefined;
  const other = pick(random, others);
  const [from, to] = [leader.host.name, other.host.name];
  const ms = logUniform(random, world.tickMs / 4, world.tickMs * 2);
  links.slowDown(from, to, ms);
  const visitor = world.visitor([leader.sid, other.sid]);
  let on = true;
  const left = new Promise<void>((resolve) => {
    visitor.onSession = () => {
      visitor.onSession = () => {};
      if (!on) return;
      for (const stream of [...streams])
        if (stream.channel === 'client' && stream.ends[0].host === visitor.host) {
          stream.break(2);
          world.coverage.tell('net.reset');
        }
      ensemble.scheduler.after(world.tickMs, 4, 0, resolve); // it has asked elsewhere by then
    };
  });
  void visitor.open();
  return {
    text: `of ${visitor.host.name}, ${to} hears of it ${Math.round(ms)} ms late`,
    forMs: world.tickMs * 25,
    until: left,
    end: () => {
      on = false;
      links.slowDown(from, to, 0);
      visitor.close().catch(() => {});
    },
  };
}
/** Something is written where another leads; then a session that is still at the old leader asks for all that was. */
async function syncBehind(world: FaultWorld, old: number, asker: RawSession): Promise<void> {
  const { ensemble, tickMs } = world;
  const others = up(world).flatMap(({ sid }) => (sid === old ? [] : [sid]));
  if (others.length === 0) return;
  const visitor = world.visitor(others);
  const client = await visitor.open();
  const written = client.create('/t/behind-', null, { mode: 'persistentSequential' }).catch(() => {});
  await Promise.race([written, ensemble.scheduler.sleep(tickMs * 3)]);
  asker.send(syncOf('/t'));
  visitor.close().catch(() => {});
}
function syncOf(path: string): Buffer {
  const to = new Writer();
  writeFrame(to, () => {
    to.int32(1);
    to.int32(OPERATIONS.sync.code);
    OPERATIONS.sync.request.write(to, { path });
  });
  return to.take();
}
/**
 * The leader is cut off until the others have found another and it has not noticed, or frozen meanwhile: it wakes up with
 * what its clients asked before it hears that its term is over. Its clients ask much, so that it has proposals nobody else has,
 * and one asks for a sync when the others have gone on.
 */
function deposing(world: FaultWorld, random: Random, { host, sid }: Member): Injected {
  const { ensemble, tickMs } = world;
  const { life } = host;
  const sleeps = oneIn(random, 2);
  const hurries = oneIn(random, 2);
  const rest = logUniform(random, tickMs / 4, tickMs * 4);
  const asker = world.raw();
  let injected: Injected | undefined;
  let isOver = false;
  const wake = (): void => {
    if (sleeps && host.life === life) host.resume();
  };
  const run = async (): Promise<void> => {
    await Promise.race([asker.open(sid), ensemble.scheduler.sleep(tickMs * 2)]);
    if (isOver || host.life !== life) return;
    injected = cut(world, 'net.partition_one', around(world, host.name), undefined, 0, '');
    if (hurries) world.burst(true);
    if (sleeps) host.pause();
    await ensemble.observer.nextLeader();
    await syncBehind(world, sid, asker);
    wake();
    await ensemble.scheduler.sleep(rest);
  };
  return {
    text: `${host.name}, ${sleeps ? 'asleep ' : ''}until another leads`,
    forMs: tickMs * 25,
    until: run(),
    end: () => {
      isOver = true;
      wake();
      if (hurries && injected !== undefined) world.burst(false);
      injected?.end();
      asker.destroy();
    },
  };
}
const names = ({ ensemble }: FaultWorld): string[] => ensemble.members.map(({ host }) => host.name);

export const networkFaults: Partial<Record<FaultKind, Inject>> = {
  'net.partition_full': (world, random) => {
    const all = shuffled(random, names(world));
    const at = 1 + random.below(Math.max(1, all.length - 1));
    const [left, right] = [all.slice(0, at), all.slice(at)];
    const paths = left.flatMap((a) => right.flatMap((b) => both(a, b)));
    return cut(world, 'net.partition_full', paths, undefined, spell(random, world), `${left.join()} | ${right.join()}`);
  },
  'net.partition_one': (world, random) => {
    const { leader } = world.ensemble;
    if (leader !== undefined && oneIn(random, 3)) return deposing(world, random, leader);
    const one = leader !== undefined && oneIn(random, 2) ? leader.host.name : pick(random, names(world));
    return cut(world, 'net.partition_one', around(world, one), undefined, spell(random, world), one);
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
    return cut(
      world,
      'net.partition_channel',
      around(world, one),
      channel,
      spell(random, world),
      `${channel} of ${one}`,
    );
  },
  'net.slow_link': (world, random) => {
    const { links } = world.ensemble.network;
    const [a = '', b = ''] = shuffled(random, names(world));
    const before = links.slowed;
    const isNarrow = oneIn(random, 2);
    const ms = logUniform(random, 1, world.tickMs * 2);
    // from what heartbeats need to what hardly anything feels
    const rate = logUniform(random, 2, 2000);
    const set = (from: string, to: string, on: boolean): void => {
      if (isNarrow) links.cap(from, to, on ? rate : 0);
      else links.slowDown(from, to, on ? ms : 0);
    };
    set(a, b, true);
    if (oneIn(random, 2)) set(b, a, true);
    return {
      text: `${a} > ${b} ${isNarrow ? `at ${Math.round(rate)} kB/s` : `by ${Math.round(ms)} ms`}`,
      forMs: spell(random, world),
      end: () => {
        if (links.slowed > before) world.coverage.tell('net.slow_link');
        set(a, b, false);
        set(b, a, false);
      },
    };
  },
  'net.reset': (world, random) => {
    const { network: net } = world.ensemble;
    const streams = [...net.streams];
    if (streams.length === 0) return undefined;
    const visit = oneIn(random, 2) ? newcomer(world, random) : undefined;
    if (visit !== undefined) return visit;
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

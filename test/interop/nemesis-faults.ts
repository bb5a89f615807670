import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/base/random.ts';
import { connect } from '../../src/index.ts';
import type { MemberOfTest, Members } from '../e2e/members.ts';
import { until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import type { StaleReads } from './nemesis-stale.ts';

/** What a fault has to do with. */
export interface World {
  readonly members: Members;
  readonly random: Random;
  readonly stale: StaleReads;
  readonly note: (text: string) => void;
}
/** Hurts the ensemble and ends the hurt: what it leaves is given time to heal. */
type Fault = (world: World) => Promise<void>;

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;
const followers = async ({ members }: World): Promise<MemberOfTest[]> => {
  const leader = await members.leader();
  return members.all.filter((each) => each !== leader);
};
const someone = ({ members, random }: World): MemberOfTest => pick(random, members.all);

async function bounce(
  world: World,
  victims: readonly MemberOfTest[],
  meanwhile?: (of: MemberOfTest) => void,
): Promise<void> {
  world.note(`kill ${victims.map(({ id }) => id)}`);
  await Promise.all(victims.map((each) => each.kill('SIGKILL')));
  await sleep(200 + world.random.below(1500));
  for (const each of victims) {
    meanwhile?.(each);
    each.start();
  }
}

/** Everything but `myid` is gone. */
export function wipe(member: MemberOfTest): void {
  for (const name of readdirSync(member.data))
    if (name !== 'myid') rmSync(join(member.data, name), { recursive: true, force: true });
}
/** Turns one bit of one of the files that a member keeps; says which. */
export function flip(member: MemberOfTest, random: Random): string {
  const files = readdirSync(member.data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'myid')
    .map((entry) => join(entry.parentPath, entry.name));
  const file = pick(random, files);
  const bytes = readFileSync(file);
  if (bytes.length === 0) return `${file} is empty`;
  // zeros kept ahead of a log's end are most of it
  const used = Math.max(1, bytes.findLastIndex((byte) => byte !== 0) + 1);
  const at = random.below(used);
  const bit = random.below(8);
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
  writeFileSync(file, bytes);
  return `bit ${bit} of byte ${at} of ${file}`;
}

/** A write is committed although one of the other two cannot help: so `member` votes. */
export async function votes(members: Members, member: MemberOfTest, withinMs = PATIENCE_MS): Promise<void> {
  const leader = await members.leader();
  const silent = members.all.find((each) => each !== member && each !== leader) as MemberOfTest;
  const other = leader === member ? members.all.find((each) => each !== member && each !== silent) : leader;
  const client = await connect((other ?? leader).hosts, { timeoutMs: 30_000 });
  silent.signal('SIGSTOP');
  try {
    await client.set('/votes', `${member.id}`, -1, { signal: AbortSignal.timeout(withinMs) });
  } finally {
    silent.signal('SIGCONT');
    await client.close();
  }
}

async function frozen(world: World, victim: MemberOfTest, ms: number): Promise<void> {
  world.note(`stop ${victim.id}`);
  victim.signal('SIGSTOP');
  await sleep(ms);
  victim.signal('SIGCONT');
}
async function cut({ members, note }: World, victim: MemberOfTest, from: readonly number[], ms: number): Promise<void> {
  note(`partition ${victim.id} from ${from}`);
  await victim.ask({ op: 'partition', from, clients: false });
  await sleep(ms);
  for (const member of members.all) await member.ask({ op: 'heal' });
}
const othersOf = ({ members }: World, victim: MemberOfTest): number[] =>
  members.all.flatMap(({ id }) => (id === victim.id ? [] : [id]));

/** Every kind of fault, each effective whenever it is called. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill leader': async (world) => bounce(world, [await world.members.leader()]),
  'kill follower': async (world) => bounce(world, [pick(world.random, await followers(world))]),
  'kill all': (world) => bounce(world, world.members.all),
  'kill two': async (world) =>
    bounce(world, [await world.members.leader(), pick(world.random, await followers(world))]),
  'terminate leader': async ({ members, note }) => {
    const leader = await members.leader();
    note(`terminate ${leader.id}`);
    const code = await leader.kill('SIGTERM');
    if (code !== 0) throw new Error(`SIGTERM: member ${leader.id} ended with ${code}: ${leader.log.slice(-1000)}`);
    leader.start();
  },
  'stop leader': async (world) => world.stale.ofStopped(world.members, await world.members.leader()),
  'stop follower': async (world) =>
    frozen(world, pick(world.random, await followers(world)), 500 + world.random.below(4000)),
  'stop and go': async (world) => {
    for (let i = 0; i < 8; i++) await frozen(world, someone(world), 50 + world.random.below(500));
  },
  'partition leader': async (world) => {
    const leader = await world.members.leader();
    await world.stale.ofPartitioned(world.members, leader);
  },
  'partition follower': async (world) => {
    const victim = pick(world.random, await followers(world));
    await cut(world, victim, othersOf(world, victim), 500 + world.random.below(6000));
  },
  'partition bridge': async (world) => {
    const [one, two] = await followers(world);
    const pair = [await world.members.leader(), pick(world.random, [one, two])] as MemberOfTest[];
    await cut(world, pair[0] as MemberOfTest, [(pair[1] as MemberOfTest).id], 500 + world.random.below(6000));
  },
  // whatever comes to mind, on top of each other
  storm: async (world) => {
    const { members, random, note } = world;
    for (let i = 0; i < 12; i++) {
      const victim = someone(world);
      const what = pick(random, ['kill', 'stop', 'cut', 'cut', 'lag', 'heal']);
      note(`storm: ${what} ${victim.id}`);
      if (what === 'kill') await victim.kill('SIGKILL');
      else if (!victim.isUp) victim.start();
      else if (what === 'stop') await frozen(world, victim, 200 + random.below(1500));
      else {
        const from = othersOf(world, victim).slice(random.below(2));
        // it may have been started just now, and have no socket yet
        if (what === 'cut') await victim.ask({ op: 'partition', from, clients: random.below(2) === 0 }).catch(() => {});
        else if (what === 'lag') await victim.ask({ op: 'lag', ms: random.below(300) }).catch(() => {});
        else await victim.ask({ op: 'heal' }).catch(() => {});
      }
      await sleep(random.below(600));
    }
    members.startAll();
    for (const member of members.all) {
      await until(
        async () => (await member.status()) !== undefined,
        PATIENCE_MS,
        () => `no socket: ${members.tail()}`,
      );
      await member.ask({ op: 'heal' });
    }
  },
  lag: async (world) => {
    const victim = someone(world);
    world.note(`lag ${victim.id}`);
    await victim.ask({ op: 'lag', ms: 20 + world.random.below(200) });
    await sleep(1500);
    await victim.ask({ op: 'heal' });
  },
  'wipe follower': async (world) => {
    const victim = pick(world.random, await followers(world));
    await bounce(world, [victim], wipe);
    await world.members.serving();
    await votes(world.members, victim);
  },
  'wipe leader': async (world) => {
    const victim = await world.members.leader();
    await bounce(world, [victim], wipe);
    await world.members.serving();
    await votes(world.members, victim);
  },
  // it dies again and again while it is given what it lacks
  'crash loop': async (world) => {
    const { random } = world;
    const victim = pick(random, await followers(world));
    const isWiped = random.below(2) === 0;
    await bounce(world, [victim], isWiped ? wipe : undefined);
    for (let i = 0; i < 6; i++) {
      await sleep(300 + random.below(700));
      await victim.kill('SIGKILL');
      victim.start();
    }
    await world.members.serving();
    if (isWiped) await votes(world.members, victim);
  },
  'flip follower': async (world) => {
    const victim = pick(world.random, await followers(world));
    await bounce(world, [victim], (member) => world.note(flip(member, world.random)));
  },
  'flip leader': async (world) => {
    const victim = await world.members.leader();
    await bounce(world, [victim], (member) => world.note(flip(member, world.random)));
  },
};

/** The ensemble has healed: everybody serves and is whole. */
export async function healed(members: Members): Promise<void> {
  await members.serving();
  await until(
    async () =>
      (await Promise.all(members.all.map((each) => each.status()))).filter((each) => each?.role === 'leader').length ===
      1,
    PATIENCE_MS,
    () => `not one leader: ${members.tail()}`,
  );
}

/**
 * The nemesis: an ensemble of three real processes is hurt in every way of nemesis-faults.ts, again and again, while our
 * client and kazoo write; then what is there is held against what was acknowledged. Usage: nemesis.js [--seconds 300]
 * [--rounds 1] [--seed N] [--only KIND,...]. Every kind is injected as often as there are rounds, however long that takes.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { type Client, connect } from '../../src/index.ts';
import { Members } from '../e2e/members.ts';
import { goOnUntil, PATIENCE_MS } from '../patience.ts';
import { Workload } from '../sim/workload.ts';
import { FAULTS, healed, type World } from './nemesis-faults.ts';
import { StaleReads } from './nemesis-stale.ts';

/** Syncs that must have been sent to deposed leaders. */
const LEAST_SYNCS = 100;
const KAZOO = fileURLToPath(new URL('../../../test/interop/nemesis_kazoo.py', import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const seconds = Number(values.seconds ?? 300);
const rounds = Number(values.rounds ?? 1);
const seed = Number(values.seed ?? randomInt(2 ** 31));
const kinds = values.only?.split(',') ?? Object.keys(FAULTS);

function shuffled<T>(random: Random, all: readonly T[]): T[] {
  const out = [...all];
  for (let i = out.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [out[i], out[other]] = [out[other] as T, out[i] as T];
  }
  return out;
}

/** kazoo's clients in a process of their own; `end` resolves with what they found. */
function startKazoo(hosts: string) {
  const child = spawn('/usr/bin/python3', [KAZOO, hosts], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit');
  return {
    ready: once(lines, 'line'),
    kill: () => child.kill('SIGKILL'),
    async end(): Promise<{ counts: Record<string, number>; wrong: string[] }> {
      const line = once(lines, 'line');
      child.stdin.end('\n');
      const [text] = (await Promise.race([
        line,
        exited.then(() => ['{"counts":{},"wrong":["kazoo ended early"]}']),
      ])) as [string];
      await exited;
      return JSON.parse(text) as { counts: Record<string, number>; wrong: string[] };
    },
  };
}

async function settle(load: Workload, members: Members, clients: readonly Client[]): Promise<void> {
  const late = Date.now() + PATIENCE_MS;
  const came = await load.settled(() => sleep(5, Date.now() < late));
  const states = clients.map(({ state, server }) => `${state} ${server}`);
  assert.ok(came, `clients did not come back: ${load.surprises} ${states}`);
  for (const member of members.all) {
    await using reader = await connect(member.hosts);
    await reader.sync('/');
    assert.deepEqual(await load.faults(reader), [], `member ${member.id}`);
  }
}

async function run(members: Members): Promise<void> {
  const random = seededRandom(seed);
  const counts = new Map<string, number>(kinds.map((kind) => [kind, 0]));
  const stale = new StaleReads();
  const started = performance.now();
  const world: World = { members, random, stale, note: (text) => members.note(text) };
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(members.hosts, { timeoutMs: 40_000 })));
  const setUp = clients[0] as Client;
  await stale.prepare(setUp);
  await setUp.create('/votes');
  const kazoo = startKazoo(members.hosts);
  try {
    await kazoo.ready;
    const load = await Workload.begin(random, clients);
    const inject = async (kind: string): Promise<void> => {
      const at = Math.round((performance.now() - started) / 1000);
      members.note(`${at} s: ${kind}`);
      const begun = performance.now();
      load.start();
      await sleep(200 + random.below(300));
      await FAULTS[kind]?.(world);
      await healed(members);
      await sleep(200);
      load.stop();
      await settle(load, members, clients);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      members.note(`${kind}: over after ${Math.round(performance.now() - begun)} ms`);
    };
    for (let round = 0; round < rounds || performance.now() - started < seconds * 1000; round++)
      for (const kind of shuffled(random, kinds)) await inject(kind);
    const noticedAt = (): number =>
      members.all.reduce((sum, { log }) => sum + (log.match(/ warn +data damaged: /g)?.length ?? 0), 0);
    // what chance, or a machine that is busy, left out
    if (kinds.includes('flip follower'))
      await goOnUntil(
        () => noticedAt() > 0,
        40,
        () => inject('flip follower'),
      );
    if (values.only === undefined)
      await goOnUntil(
        () => stale.sent >= LEAST_SYNCS,
        10,
        () => inject('stop leader'),
      );
    const found = await kazoo.end();
    const digest = await members.equal();
    await load.close();
    const noticed = noticedAt();
    const flips = (counts.get('flip leader') ?? 0) + (counts.get('flip follower') ?? 0);
    const told = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
    const kazoos = Object.entries(found.counts).map(([name, count]) => `${name} ${count}`);
    console.log(`nemesis: ${Math.round((performance.now() - started) / 1000)} s, seed ${seed}; ${told}`);
    console.log(
      `our client: acknowledged ${load.acknowledged}, in doubt ${load.inFlight} of which ${load.survived} were done; kazoo: ${kazoos.join(', ')}`,
    );
    console.log(
      `syncs sent to deposed leaders ${stale.sent} (and ${stale.sentBefore} to partitioned ones before that): answered ${stale.answered}, hung up on ${stale.hungUp}, stale ${stale.stale.length}`,
    );
    console.log(`damage noticed at ${noticed} of ${flips} starts after a flip; all members equal: ${digest}`);
    assert.deepEqual(found.wrong, []);
    assert.deepEqual(stale.stale, []);
    for (const [kind, count] of counts) assert.ok(count > 0, `${kind} was never injected`);
    assert.ok(load.acknowledged > 1000 && load.inFlight > 10, 'hardly anything was written');
    assert.ok((found.counts.acknowledged ?? 0) > 100, 'kazoo hardly wrote anything');
    assert.ok(noticed > 0 || flips === 0, 'no flipped bit was noticed');
    if (values.only === undefined) assert.ok(stale.sent >= LEAST_SYNCS, `${stale.sent} syncs to deposed leaders`);
  } finally {
    kazoo.kill();
    await Promise.all(clients.map((client) => client.close()));
  }
}

const members = await Members.start({
  voters: 3,
  lines: ['maxSessionTimeout=60000', 'maxClientCnxns=0', 'snapCount=2000', 'commitLogCount=500', 'preAllocSize=256'],
});
try {
  await run(members);
} catch (error) {
  console.error(`nemesis: seed ${seed}: ${(error as Error).stack}\n${members.tail(6000)}`);
  process.exitCode = 1;
} finally {
  await members[Symbol.asyncDispose]();
}

/** An ensemble of real processes under attack on its peer ports, with a client beside that must notice nothing. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, connect } from '../../src/index.ts';
import { PeerSecret } from '../../src/runtime/peer-secret.ts';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import { Attack, type Battlefield, type Target } from './peer-attack.ts';
import { Inputs } from './peer-inputs.ts';

const VOTERS = [1, 2, 3];
/** Listed as an observer, and never started: a name to speak under. */
const ABSENT = 4;
/** Connections at a time: at each member fewer than it lets wait, so that what is said is heard out. */
const LINES = 150;
/** Of the attack, before memory is looked at first: by then all that is kept for reuse is there. */
const WARM_UP = 0.1;

export interface SiegeOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Whether the members have a secret, which the attacker knows. */
  readonly secret: boolean;
  /** Whether what was met says enough; the attack goes on for a while when it does not. */
  readonly enough?: (attack: Attack, writes: number) => boolean;
  /** Told now and then how many inputs there were. */
  readonly progress?: (inputs: number) => void;
}
export interface SiegeReport {
  readonly inputs: number;
  readonly connections: number;
  readonly seconds: number;
  /** Of the client beside: writes that were acknowledged, and the slowest of them, ms. */
  readonly writes: number;
  readonly slowestMs: number;
  /** The longest block of a member's loop, ms, each. */
  readonly blocksMs: readonly number[];
  /** By how much the resident memory of each member grew after the warm-up, MiB. */
  readonly grownMiB: readonly number[];
  readonly attack: Attack;
}

/** Resident memory, MiB. */
export const residentMiB = ({ pid }: MemberOfTest): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
/** Where the members of `ids` listen for each other. */
export function targetsOf(members: Members, ids: readonly number[]): Target[] {
  const cfg = readFileSync(join(members.member(1).folder, 'zoo.cfg'), 'utf8');
  return ids.flatMap((sid) => {
    const [, quorum, election] = new RegExp(`^server\\.${sid}=[^:]+:(\\d+):(\\d+)`, 'm').exec(cfg) ?? [];
    return [
      { sid, purpose: 'quorum' as const, port: Number(quorum) },
      { sid, purpose: 'election' as const, port: Number(election) },
    ];
  });
}

/** What a member says of itself; one that stood still is asked again. */
async function statusOf(member: MemberOfTest): Promise<NonNullable<Awaited<ReturnType<MemberOfTest['status']>>>> {
  let found: Awaited<ReturnType<MemberOfTest['status']>>;
  await until(
    async () => {
      found = await member.status();
      return found !== undefined;
    },
    PATIENCE_MS,
    () => `member ${member.id} does not say what it is`,
  );
  return found as NonNullable<typeof found>;
}

/** Writes one after another through all members, and keeps the time. */
export class Bystander {
  writes = 0;
  slowestMs = 0;
  readonly failures: string[] = [];
  private readonly client: Client;
  private isOn = true;
  private readonly done: Promise<void>;
  constructor(client: Client, path: string) {
    this.client = client;
    this.done = this.write(path);
  }
  private async write(path: string): Promise<void> {
    await this.client.create(path);
    while (this.isOn) {
      const began = performance.now();
      await this.client.set(path, String(this.writes)).then(
        () => this.writes++,
        (error: Error) => this.failures.push(error.message),
      );
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      await sleep(2);
    }
  }
  async stop(): Promise<void> {
    this.isOn = false;
    await this.done;
    await this.client.close();
  }
}

/** The first thing a TLS client says to a member. */
export async function helloOf(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const heard = new Promise<Buffer>((resolve) =>
    server.once('connection', (socket) =>
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
      }),
    ),
  );
  const { port } = server.address() as { port: number };
  const psk = { psk: randomBytes(32), identity: 'zoosh/4/00000000' };
  connectTls({ host: '127.0.0.1', port, minVersion: 'TLSv1.3', pskCallback: () => psk }).on('error', () => {});
  const bytes = await heard;
  server.close();
  return bytes;
}

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'zoosh-siege-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export async function besiege({
  inputs,
  seed,
  secret: isSecret,
  enough = () => true,
  progress,
}: SiegeOptions): Promise<SiegeReport> {
  process.env.ZOOSH_LOOP_DELAY = '1'; // the members say at their end how long their loops were blocked
  const random = seededRandom(seed);
  const secret = Buffer.alloc(32, 5);
  using folder = temporaryFolder();
  const file = join(folder.path, 'secret');
  writeFileSync(file, `${secret.toString('base64')}\n`, { mode: 0o600 });
  // a member that a busy machine holds up for seconds is not silent because of what it was told
  const lines = ['syncLimit=60', ...(isSecret ? [`peer.secretFile=${file}`] : [])];
  await using members = await Members.make({ voters: VOTERS.length, observers: 1, lines });
  const running = VOTERS.map((id) => members.member(id));
  for (const member of running) member.start();
  await members.serving(VOTERS);
  const leader = await members.leader();
  const { epoch } = await statusOf(leader);
  const logs = running.map(({ log }) => log.length);
  const bystander = new Bystander(
    await connect(running.map(({ hosts }) => hosts).join(), { timeoutMs: 60_000, connectTimeoutMs: PATIENCE_MS }),
    '/beside',
  );

  const field: Battlefield = {
    targets: targetsOf(members, VOTERS),
    epoch,
    sids: [ABSENT, ...Array.from({ length: 250 }, (_, at) => at + 6)],
    secret: isSecret ? new PeerSecret(secret) : undefined,
    clientHello: isSecret ? await helloOf() : undefined,
  };
  const pool = new Inputs(random, seed);
  const attack = new Attack(field, random, pool, inputs, (it) => enough(it, bystander.writes));
  const began = performance.now();
  let resident: number[] | undefined;
  const watch = setInterval(() => {
    if (attack.inputs > inputs * WARM_UP) resident ??= running.map(residentMiB);
    progress?.(attack.inputs);
  }, 50);
  await attack.run(LINES);
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  await sleep(500);
  const grownMiB = running.map((member, at) => Math.round(residentMiB(member) - (resident?.[at] ?? 0)));
  await bystander.stop();
  assert.deepEqual(bystander.failures, [], members.tail());
  assert.deepEqual(attack.wrong, []);
  for (const [at, member] of running.entries()) {
    assert.ok(member.isUp, `member ${member.id} ended: ${member.log.slice(-3000)}`);
    assert.doesNotMatch(member.log.slice(logs[at]), /looking for a leader|leading epoch|reload|loads its/);
  }
  const after = await statusOf(leader);
  assert.deepEqual([after.role, after.epoch], ['leader', epoch]);
  await members.equal();
  for (const member of running) {
    member.signal('SIGTERM');
    await until(
      () => !member.isUp,
      PATIENCE_MS,
      () => `member ${member.id} does not end`,
    );
  }
  const blocksMs = running.map(({ log }) => Number(/longest block ([\d.]+) ms/.exec(log)?.[1]));
  const { writes, slowestMs } = bystander;
  return {
    inputs: attack.inputs,
    connections: attack.connections,
    seconds,
    writes,
    slowestMs,
    blocksMs,
    grownMiB,
    attack,
  };
}

const list = (counts: ReadonlyMap<string, number>, most: number): string =>
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([name, count]) => `${name} ${count}`)
    .join('; ');

/** The report as text; `most`: entries of each table. */
export function show({ attack, ...found }: SiegeReport, most = 200): string {
  return [
    `${found.inputs} inputs by ${found.connections} connections in ${found.seconds.toFixed(1)} s`,
    `beside: ${found.writes} writes, none failed, the slowest took ${found.slowestMs.toFixed(0)} ms`,
    `longest blocks of the members' loops: ${found.blocksMs.join(', ')} ms; memory grew by ${found.grownMiB.join(', ')} MiB`,
    `kinds: ${list(attack.kinds, most)}`,
    `types: ${list(attack.types, most)}`,
    `outcomes: ${list(attack.outcomes, most)}`,
  ].join('\n');
}

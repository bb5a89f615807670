/** Crowds at the peer ports that begin to speak and go no further: members find each other through them, and memory holds. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { amount } from '../amount.ts';
import { bodyOf, frameOf, promising } from '../fuzz/peer-inputs.ts';
import { Bystander, helloOf, residentMiB, targetsOf } from '../fuzz/peer-siege.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { type MemberOfTest, Members, until } from './members.ts';

const VOTERS = [1, 2, 3];
/** Connections that each port is kept busy with: far more than it lets wait. */
const CROWD = 400;
const FLOOD_MS = 5000;
const GROWTH_MIB = 96;
const HELLO = frameOf(bodyOf({ type: 'ALIVE', number: 1 }));

/** Keeps so many connections to a port that say the beginning of something and no more. */
class Crowd {
  made = 0;
  private isOn = true;
  private readonly sockets = new Set<Socket>();
  private readonly port: number;
  private readonly beginnings: readonly Buffer[];
  private readonly drip: NodeJS.Timeout;
  constructor(port: number, beginnings: readonly Buffer[]) {
    this.port = port;
    this.beginnings = beginnings;
    for (let i = 0; i < CROWD; i++) setTimeout(() => this.come(), i);
    // a byte now and then keeps nobody's place
    this.drip = setInterval(() => {
      for (const socket of this.sockets) if (socket.writable) socket.write(Buffer.alloc(1));
    }, 1000);
  }
  private come(): void {
    if (!this.isOn) return;
    const beginning = this.beginnings[this.made++ % this.beginnings.length] as Buffer;
    const socket = connectTcp({ port: this.port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (this.made % 200)}` });
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('connect', () => socket.write(beginning));
    socket.resume();
    socket.on('close', () => {
      this.sockets.delete(socket);
      setTimeout(() => this.come(), 100);
    });
  }
  leave(): void {
    this.isOn = false;
    clearInterval(this.drip);
    for (const socket of this.sockets)
      if (socket.readableEnded) socket.destroy();
      else socket.resetAndDestroy();
  }
}
const openFiles = ({ pid }: MemberOfTest): number => readdirSync(`/proc/${pid}/fd`).length;

/** How it went on; what was larger than it may be. */
async function flood(how: 'a secret' | 'nothing but frames'): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-flood-'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, `${Buffer.alloc(32, 3).toString('base64')}\n`, { mode: 0o600 });
  const isSecret = how === 'a secret';
  await using members = await Members.start({
    voters: 3,
    lines: ['syncLimit=60', ...(isSecret ? [`peer.secretFile=${secret}`] : [])],
  });
  const leader = await members.leader();
  const follower = await members.follower();
  const before = VOTERS.map((id) => openFiles(members.member(id)));
  const resident = VOTERS.map((id) => residentMiB(members.member(id)));
  const others = members.all.filter((each) => each !== follower);
  const bystander = new Bystander(
    await connect(others.map(({ hosts }) => hosts).join(), { timeoutMs: 60_000, connectTimeoutMs: PATIENCE_MS }),
    '/beside',
  );
  const hello = await helloOf();
  const beginnings = [
    ...(isSecret ? [hello, hello.subarray(0, 40), hello.subarray(0, 1), promising(hello, 2 ** 31)] : []),
    HELLO.subarray(0, 10),
    promising(HELLO, 4000),
    promising(HELLO, 64 * 1024 * 1024),
    promising(HELLO, 2 ** 32 - 1),
    Buffer.alloc(0),
  ];
  const crowds = targetsOf(members, VOTERS).map(({ port }) => new Crowd(port, beginnings));
  const madeNow = (): number => crowds.reduce((sum, crowd) => sum + crowd.made, 0);
  try {
    await sleep(FLOOD_MS / 2);
    // who comes back has to get through the crowd
    await follower.kill();
    follower.start();
    await members.serving();
    await sleep(FLOOD_MS / 2);
    // where everything takes longer the flood does, too
    await until(
      () => madeNow() > 6 * CROWD && bystander.writes > 5,
      PATIENCE_MS,
      () => `${madeNow()} connections, ${bystander.writes} writes`,
    );
  } finally {
    for (const crowd of crowds) crowd.leave();
  }
  const made = madeNow();
  await bystander.stop();
  assert.deepEqual(bystander.failures, []);
  assert.equal((await members.leader()).id, leader.id);
  assert.doesNotMatch(leader.log.slice(leader.log.lastIndexOf('leading epoch')), /looking for a leader/);
  const grown = VOTERS.map((id, at) => residentMiB(members.member(id)) - (resident[at] as number));
  console.log(
    `crowds at ports with ${how}: ${made} connections; ${bystander.writes} writes beside, the slowest took ${bystander.slowestMs.toFixed(0)} ms; memory grew by ${grown.map((each) => Math.round(each)).join(', ')} MiB`,
  );
  assert.ok(made > 6 * CROWD && bystander.writes > 5, `${made} connections, ${bystander.writes} writes`);
  await until(
    () => VOTERS.every((id, at) => openFiles(members.member(id)) < (before[at] as number) + 20),
    PATIENCE_MS,
    () => `open files: ${VOTERS.map((id) => openFiles(members.member(id)))}, before ${before}`,
  );
  await members.equal();
  rmSync(folder, { recursive: true });
  return lateIf(Math.max(...grown) >= GROWTH_MIB, `memory grew by ${grown} MiB`);
}

for (const how of (['a secret', 'nothing but frames'] as const).slice(amount(0, 1)))
  test(`thousands of slow handshakes, huge lengths and silent links at ports with ${how}: the members go on`, () =>
    timely(() => flood(how)));

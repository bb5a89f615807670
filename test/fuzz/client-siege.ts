/** A real server under attack at its client port, with a client beside that must notice nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { connect as connectClient } from '../../src/index.ts';
import { ServerProcess } from '../e2e/process.ts';
import { frame, hello } from '../e2e/raw.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Saying, Sayings } from './client-inputs.ts';
import { Bystander } from './peer-siege.ts';

const HOST = '127.0.0.1';
const LINES = 60;
/** Inputs that are sent together at most, with a ping behind them; what comes behind one that ends the connection is not read. */
const BATCH = 4;
const BATCHES = 40;
const SILENCE_MS = 40;
const PING = frame(Buffer.from('fffffffe0000000b', 'hex'));
const PONG = Buffer.from('fffffffe', 'hex');

export interface ClientSiege {
  readonly inputs: number;
  readonly connections: number;
  readonly seconds: number;
  readonly writes: number;
  readonly slowestMs: number;
  /** The longest block of the server's loop, ms. */
  readonly blockMs: number;
  readonly grownMiB: number;
  readonly kinds: ReadonlyMap<string, number>;
  readonly operations: ReadonlyMap<string, number>;
  readonly outcomes: ReadonlyMap<string, number>;
}

/** One connection of the attacker. */
class Line {
  private readonly socket: Socket;
  private heard: Buffer = Buffer.alloc(0);
  ended = false;
  private wake: () => void = () => {};
  constructor(port: number, localAddress: string) {
    this.socket = connect({ host: HOST, port, localAddress, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes: Buffer) => {
      // replies are looked at only for where a ping was answered
      this.heard = Buffer.concat([this.heard, bytes]).subarray(-(1 << 20));
      this.wake();
    });
    for (const event of ['end', 'close'])
      this.socket.on(event, () => {
        this.ended = true;
        this.wake();
      });
  }
  say(bytes: Buffer): void {
    this.heard = Buffer.alloc(0);
    this.socket.write(bytes);
  }
  get bytes(): number {
    return this.heard.length;
  }
  get isPinged(): boolean {
    return this.heard.includes(PONG);
  }
  /** True when it is so, in time and before it was hung up. */
  async until(is: () => boolean, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!is() && !this.ended) {
      const left = end - performance.now();
      if (left <= 0) return false;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
    return is();
  }
  close(): void {
    if (this.ended) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}

/** What must have become of some. */
export const WANTED = ['before', 'in'].flatMap((when) =>
  ['answered', 'hung up'].map((what) => `${when} a session: ${what}`),
);

class ClientAttack {
  readonly kinds = new Map<string, number>();
  readonly outcomes = new Map<string, number>();
  inputs = 0;
  connections = 0;
  readonly sayings: Sayings;
  private readonly random: Random;
  private readonly port: number;
  constructor(port: number, random: Random) {
    this.port = port;
    this.random = random;
    this.sayings = new Sayings(random);
  }
  /** So many inputs, and more, up to twenty times as many, until it is `enough`. */
  async run(wanted: number, enough: () => boolean): Promise<void> {
    const work = async (): Promise<void> => {
      while (this.inputs < wanted || (!enough() && this.inputs < 20 * wanted))
        if (this.random.below(3) === 0) await this.stranger();
        else await this.client();
    };
    await Promise.all(Array.from({ length: LINES }, work));
  }
  private count({ kind }: Saying, when: string, outcome: string): void {
    this.inputs++;
    for (const [table, key] of [
      [this.kinds, `${when}: ${kind}`],
      [this.outcomes, `${when}: ${outcome}`],
    ] as const)
      table.set(key, (table.get(key) ?? 0) + 1);
  }
  private open(): Line {
    this.connections++;
    return new Line(this.port, `127.0.0.${2 + this.random.below(200)}`);
  }
  private async stranger(): Promise<void> {
    const saying = this.sayings.before();
    const line = this.open();
    line.say(saying.bytes);
    await line.until(() => line.bytes > 0, SILENCE_MS);
    this.count(saying, 'before a session', line.bytes > 0 ? 'answered' : line.ended ? 'hung up' : 'waits for more');
    line.close();
  }
  private async client(): Promise<void> {
    const line = this.open();
    line.say(hello());
    if (!(await line.until(() => line.bytes > 0, PATIENCE_MS))) return line.close();
    for (let batch = 0; batch < BATCHES && !line.ended; batch++) {
      const said: Saying[] = [];
      const most = 1 + this.random.below(BATCH);
      while (said.length < most && said.at(-1)?.last !== true) said.push(this.sayings.within());
      const open = said.at(-1)?.last === true;
      line.say(Buffer.concat([...said.map(({ bytes }) => bytes), ...(open ? [] : [PING])]));
      const answered = await line.until(() => line.isPinged, open ? SILENCE_MS : PATIENCE_MS);
      const outcome = answered ? 'answered' : line.ended ? 'hung up' : open ? 'waits for more' : 'no answer';
      for (const each of said) this.count(each, 'in a session', outcome);
      if (open || !answered) break;
    }
    line.close();
  }
}

const residentMiB = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Attacks a server of its own until so many inputs were taken or refused. */
export async function besiegeClients(
  inputs: number,
  seed: number,
  progress: (inputs: number) => void = () => {},
): Promise<ClientSiege> {
  process.env.ZOOSH_LOOP_DELAY = '1'; // the server says at its end how long its loop was blocked
  const lines = ['4lw.commands.whitelist=*', 'maxClientCnxns=0', 'extendedTypesEnabled=true', 'enforceQuota=true'];
  await using server = await new ServerProcess(lines, 'info').start();
  const watching = await connectClient(server.hosts);
  const bystander = new Bystander(await connectClient(server.hosts), '/beside');
  const events: string[] = [];
  const attack = new ClientAttack(server.port, seededRandom(seed));
  const began = performance.now();
  while (bystander.writes === 0) await sleep(5);
  await watching.addWatch('/beside', ({ type, path }) => void events.push(`${type} ${path}`), { recursive: true });
  const before = residentMiB(server.pid as number);
  const timer = setInterval(() => progress(attack.inputs), 500);
  const isSeen = (what: string): boolean => (attack.outcomes.get(what) ?? 0) > 0;
  await attack.run(inputs, () => bystander.writes > 10 && WANTED.every(isSeen));
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  const grownMiB = residentMiB(server.pid as number) - before;
  await bystander.stop();
  const { writes, slowestMs, failures } = bystander;
  assert.deepEqual(failures, [], server.stderr);
  assert.equal(String((await watching.get('/beside')).data), String(writes - 1));
  assert.deepEqual([...new Set(events)].sort(), ['NodeDataChanged /beside']);
  await watching.close();
  assert.equal(await server.kill('SIGTERM'), 0, server.stderr);
  assert.equal(attack.outcomes.get('in a session: no answer'), undefined, 'a ping was not answered');
  const blockMs = Number(/longest block ([\d.]+) ms/.exec(server.stderr)?.[1]);
  const { kinds, outcomes, connections, sayings } = attack;
  return {
    ...{ inputs: attack.inputs, connections, seconds, writes, slowestMs, blockMs },
    ...{ grownMiB: Math.round(grownMiB), kinds, outcomes, operations: sayings.operations },
  };
}

const list = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join('; ');

export const showSiege = (found: ClientSiege): string =>
  [
    `${found.inputs} inputs by ${found.connections} connections in ${found.seconds.toFixed(1)} s`,
    `beside: ${found.writes} writes, none failed, the slowest took ${found.slowestMs.toFixed(0)} ms`,
    `longest block of the server's loop: ${found.blockMs} ms; its memory grew by ${found.grownMiB} MiB`,
    `kinds: ${list(found.kinds)}`,
    `operations: ${list(found.operations)}`,
    `outcomes: ${list(found.outcomes)}`,
  ].join('\n');

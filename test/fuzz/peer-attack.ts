/** Connections to the peer ports of a running ensemble that say what no server of ours would. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Random } from '../../src/base/random.ts';
import { proofName } from '../../src/platform/peer-psk.ts';
import { PackReader } from '../../src/records/pack.ts';
import { PeerFrameCutter } from '../../src/records/peer-frame.ts';
import { type PeerMessage, readMessages } from '../../src/records/peer-messages.ts';
import type { PeerSecret } from '../../src/runtime/peer-secret.ts';
import { bodyOf, frameOf, type Input, type Inputs, judge, type Purpose } from './peer-inputs.ts';

const HOST = '127.0.0.1';
const NAME = 'zoosh';
/** Inputs that are sent together, each with a question behind it whose answer says that it was read. */
const BATCH = 16;
/** Batches of one connection at most. */
const BATCHES = 40;
/** For an answer to what may leave the other end waiting, and to anything else, ms. */
const PATIENCE_MS = 40;
const ANSWER_MS = 5000;
const GREETING_BYTES = 4096;
/** So many times what is wanted, and not more, for what is still lacking. */
const MOST_TIMES = 8;
const ALIVE_BYTES = (number: number): Buffer => frameOf(bodyOf({ type: 'ALIVE', number }));

export interface Target {
  readonly sid: number;
  readonly purpose: Purpose;
  readonly port: number;
}
export interface Battlefield {
  readonly targets: readonly Target[];
  /** The epoch of the term that runs. */
  readonly epoch: number;
  /** Ids of servers that do not exist, or do not run. */
  readonly sids: readonly number[];
  /** Known to the attacker; undefined where no secret is asked for. */
  readonly secret: PeerSecret | undefined;
  /** A ClientHello, to be changed; where there is a secret. */
  readonly clientHello: Buffer | undefined;
}

/** One connection: what it heard, and whether it stands. */
class Line {
  readonly socket: Socket;
  ended = false;
  readonly heard: PeerMessage[] = [];
  private readonly cutter = new PeerFrameCutter(1 << 26);
  private wake: () => void = () => {};
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      this.cutter.push(bytes, (from, start, end) => {
        this.heard.push(...readMessages(new PackReader(Buffer.from(from.subarray(start, end)))));
        return true;
      });
      this.wake();
    });
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.ended = true;
        this.wake();
      });
  }
  /** Resolves when `is`, when it was hung up, or in time: true in the first case. */
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
    if (this.socket.destroyed) return;
    // a reset keeps no port of ours waiting; after the other end hung up Node may keep the socket for ever instead
    if ('encrypted' in this.socket || this.ended) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}

/** Attacks until `wanted` inputs were taken in or refused and it was `enough`, and counts what became of each. */
export class Attack {
  readonly kinds = new Map<string, number>();
  readonly types = new Map<string, number>();
  readonly outcomes = new Map<string, number>();
  /** What must never be: a frame that our decoder refuses was read by a server. */
  readonly wrong: string[] = [];
  inputs = 0;
  connections = 0;
  private readonly field: Battlefield;
  private readonly random: Random;
  private readonly from: Inputs;
  private readonly wanted: number;
  private readonly enough: (attack: Attack) => boolean;
  private attempts = 0;
  private readonly identities = new Map<number, { incarnation: string; tag: string }>();

  constructor(
    field: Battlefield,
    random: Random,
    from: Inputs,
    wanted: number,
    enough: (attack: Attack) => boolean = () => true,
  ) {
    this.field = field;
    this.random = random;
    this.from = from;
    this.wanted = wanted;
    this.enough = enough;
  }
  /** What chance leaves out is waited for, but not for ever. */
  private get goesOn(): boolean {
    return this.inputs < this.wanted || (this.inputs < MOST_TIMES * this.wanted && !this.enough(this));
  }
  async run(lines: number): Promise<void> {
    const work = async (which: number): Promise<void> => {
      while (this.goesOn) {
        const target = this.pick(this.field.targets);
        if (this.random.below(3) > 0) await this.behindGreeting(target, which, lines);
        else await this.inPlaceOfGreeting(target);
      }
    };
    await Promise.all(Array.from({ length: lines }, (_, which) => work(which)));
  }
  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }
  private count({ kind, type }: Pick<Input, 'kind' | 'type'>, when: string, outcome: string): void {
    this.inputs++;
    for (const [table, key] of [
      [this.kinds, `${when}: ${kind}`],
      [this.types, type],
      [this.outcomes, outcome],
    ] as const)
      table.set(key, (table.get(key) ?? 0) + 1);
  }
  /** Undefined when it could not be had. */
  private async open({ port }: Target, sid: number, secretly = true): Promise<Line | undefined> {
    const { secret } = this.field;
    // many hosts: neither ports nor what is remembered of an address may run out
    const localAddress = `127.0.0.${1 + this.random.below(200)}`;
    const raw = connect({ host: HOST, port, localAddress, noDelay: true });
    this.connections++;
    if (!secretly || secret === undefined) {
      const line = new Line(raw);
      let open = false;
      raw.once('connect', () => {
        open = true;
      });
      await new Promise((resolve) => {
        raw.once('connect', resolve);
        raw.once('close', resolve);
      });
      return open ? line : undefined;
    }
    raw.on('error', () => {});
    const identity = `${proofName(NAME, sid)}/${secret.id}`;
    const tls = connectTls({
      socket: raw,
      ciphers: 'TLS_AES_128_GCM_SHA256',
      minVersion: 'TLSv1.3',
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: secret.key(), identity }),
    });
    const line = new Line(tls);
    let open = false;
    await new Promise<void>((resolve) => {
      tls.once('secureConnect', () => {
        open = true;
        resolve();
      });
      tls.once('close', () => resolve());
    });
    return open ? line : undefined;
  }

  private async inPlaceOfGreeting(target: Target): Promise<void> {
    const { clientHello } = this.field;
    const inTheClear = clientHello !== undefined && this.random.below(2) === 0;
    const input = inTheClear && this.random.below(3) > 0 ? this.hello(clientHello) : this.from.before(target.purpose);
    const line = await this.open(target, this.pick(this.field.sids), !inTheClear);
    if (line === undefined) return;
    line.socket.write(input.bytes);
    const verdict = inTheClear ? 'no TLS' : judge(input.bytes, GREETING_BYTES);
    await line.until(() => line.heard.length > 0, verdict === 'waits for more' ? PATIENCE_MS : 250);
    const [answer] = line.heard;
    const isIn = answer?.type === 'WELCOME';
    if (isIn && verdict !== 'reads it') this.wrong.push(`${verdict}, and let in: ${input.bytes.toString('hex')}`);
    const outcome = isIn
      ? 'let in'
      : answer?.type === 'REFUSED'
        ? `refused: ${answer.reason}`
        : this.end(line, verdict);
    this.count(input, inTheClear ? 'before TLS' : 'before the greeting', outcome);
    line.close();
  }
  private hello(clientHello: Buffer): Input {
    const bytes = Buffer.from(clientHello);
    for (let times = this.random.below(6); times >= 0; times--)
      bytes[this.random.below(bytes.length)] = this.random.below(256);
    const cut = this.random.below(3) === 0 ? this.random.below(bytes.length) : bytes.length;
    return { kind: 'a changed ClientHello', type: 'TLS', bytes: bytes.subarray(0, cut), last: true };
  }
  private end(line: Line, verdict: string): string {
    if (!line.ended) return 'waits for more';
    return verdict === 'reads it' || verdict === 'waits for more' ? 'hung up for what it says' : verdict;
  }

  private async behindGreeting(target: Target, which: number, lines: number): Promise<void> {
    // each worker has names of its own, or they would take each other's places
    const own = this.field.sids.filter((_, at) => at % lines === which);
    const sid = own[this.random.below(own.length)] ?? (this.field.sids[which % this.field.sids.length] as number);
    const line = await this.open(target, sid);
    if (line === undefined) return;
    let identity = this.identities.get(sid);
    identity ??= { incarnation: this.hex(16), tag: this.hex(8) };
    this.identities.set(sid, identity);
    const { purpose } = target;
    const who = { ensembleName: NAME, ensembleId: null, sid, ...identity, to: target.sid, attempt: ++this.attempts };
    line.socket.write(frameOf(bodyOf({ type: 'HELLO', leastLevel: 1, level: 1, purpose, ...who })));
    await line.until(() => line.heard.length > 0, ANSWER_MS);
    if (line.heard[0]?.type !== 'WELCOME') {
      const refused = line.heard[0]?.type === 'REFUSED' ? `refused: ${line.heard[0].reason}` : 'hung up at the hello';
      this.count({ kind: 'a hello', type: 'HELLO' }, 'before the greeting', refused);
      return line.close();
    }
    for (let batch = 0; batch < BATCHES && !line.ended && this.goesOn; batch++)
      if (!(await this.batch(line, purpose))) break;
    line.close();
  }
  private hex(bytes: number): string {
    return Buffer.from(this.random.bytes(bytes)).toString('hex');
  }
  /** Says several things; false when nothing can be said any more. */
  private async batch(line: Line, purpose: Purpose): Promise<boolean> {
    const inputs: Input[] = [];
    while (inputs.length < BATCH && inputs.at(-1)?.last !== true)
      inputs.push(this.from.after(purpose, this.field.epoch));
    const open = inputs.at(-1)?.last === true;
    const asked = open ? inputs.length - 1 : inputs.length;
    line.heard.length = 0;
    line.socket.write(
      Buffer.concat(inputs.flatMap(({ bytes }, at) => (at < asked ? [bytes, ALIVE_BYTES(1000 + at)] : [bytes]))),
    );
    let answered = 0;
    const look = (): number => {
      for (const message of line.heard.splice(0))
        if (message.type === 'ALIVE_ACK' && message.number === 1000 + answered) answered++;
      return answered;
    };
    const all = await line.until(() => look() === asked, ANSWER_MS);
    if (all && open) await line.until(() => false, PATIENCE_MS);
    look();
    inputs.forEach((input, at) => {
      if (at > answered || (at === answered && !line.ended && !open)) return; // it was never read
      const verdict = judge(input.bytes);
      if (at < answered && verdict !== 'reads it')
        this.wrong.push(`${verdict}, and read: ${input.bytes.toString('hex')}`);
      const outcome = at < answered ? 'read, and nothing came of it' : this.end(line, verdict);
      this.count(input, `on the ${purpose} channel`, outcome);
    });
    return all && !open && !line.ended;
  }
}

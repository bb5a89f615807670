/** What a hostile or broken client says at the client port: before it has a session, and with one. */
import type { Random } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { frame, hello } from '../e2e/raw.ts';
import { noise } from './mutate.ts';
import { oddRequest } from './requests.ts';

export interface Saying {
  readonly kind: string;
  readonly bytes: Buffer;
  /** Whether the connection is of no use behind it. */
  readonly last: boolean;
}
const WORDS =
  'conf cons crst dirs dump envi hash isro mntr ruok srst srvr stat wchc wchp wchs gtmk stmk kill ruo RUOK'.split(' ');
const OTHERS: readonly (readonly [string, Buffer])[] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n')],
  ['a ClientHello', Buffer.from('160301020001000001fc0303'.padEnd(1030, 'ab'), 'hex')],
  ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
  ['Redis', Buffer.from('*1\r\n$4\r\nPING\r\n')],
  ['zeros', Buffer.alloc(64)],
  ['nothing', Buffer.alloc(0)],
];
const LENGTHS = [-1, -0x8000_0000, 0x7fff_ffff, 0x10_0000, 0xf_ffff, 0, 1, 3, 7];
const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

/** Chance to bytes. */
export class Sayings {
  /** Requests by operation. */
  readonly operations = new Map<string, number>();
  private readonly random: Random;
  constructor(random: Random) {
    this.random = random;
  }
  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }
  private junk(most: number): Buffer {
    return Buffer.from(this.random.bytes(this.random.below(most)));
  }
  /** The first thing on a connection. */
  before(): Saying {
    const { random } = this;
    const last = true;
    switch (random.below(8)) {
      case 0:
        return { kind: 'a four-letter word', bytes: Buffer.from(this.pick(WORDS)), last };
      case 1:
        return { kind: 'a word and more', bytes: Buffer.concat([Buffer.from(this.pick(WORDS)), this.junk(200)]), last };
      case 2: {
        const [kind, bytes] = this.pick(OTHERS);
        return { kind, bytes, last };
      }
      case 3:
        return { kind: 'a length that lies', bytes: Buffer.concat([int(this.pick(LENGTHS)), this.junk(300)]), last };
      case 4:
        return { kind: 'a hello that is changed', bytes: noise(random, hello()), last };
      case 5:
        return { kind: 'a hello with odd fields', bytes: this.oddHello(), last };
      case 6: {
        const request = frame(oddRequest(random, this.operations));
        return { kind: 'a request in place of the hello', bytes: request, last };
      }
      default:
        return { kind: 'noise', bytes: this.junk(2000), last };
    }
  }
  private oddHello(): Buffer {
    const { random } = this;
    const to = new Writer();
    to.int32(this.pick([0, -1, 7]));
    to.int64(this.pick([0n, -1n, 1n << 40n, 0x7fff_ffff_ffff_ffffn]));
    to.int32(this.pick([0, -1, 1, 10_000, 0x7fff_ffff, -0x8000_0000]));
    to.int64(this.pick([0n, 1n, -1n, 0x100_0000_0000_0001n]));
    to.buffer(this.pick([null, Buffer.alloc(0), Buffer.alloc(16), this.junk(64)]));
    if (random.below(3) > 0) to.byte(random.below(256));
    return frame(Buffer.concat([to.take(), random.below(4) === 0 ? this.junk(16) : Buffer.alloc(0)]));
  }
  /** Something said in a session. */
  within(): Saying {
    const { random } = this;
    const what = random.below(40);
    if (what === 0)
      return {
        kind: 'a length that lies',
        bytes: Buffer.concat([int(this.pick(LENGTHS)), this.junk(300)]),
        last: true,
      };
    if (what === 1) {
      const whole = frame(oddRequest(random, this.operations));
      return { kind: 'a frame that is cut', bytes: whole.subarray(0, random.below(whole.length)), last: true };
    }
    if (what === 2) return { kind: 'noise', bytes: this.junk(1000), last: true };
    if (what === 3) return { kind: 'a hello again', bytes: hello(), last: false };
    return { kind: 'a request', bytes: frame(oddRequest(random, this.operations)), last: false };
  }
}

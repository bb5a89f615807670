/** What a hostile or broken server says on a peer port: malformed frames, odd messages, other protocols. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { Random } from '../../src/base/random.ts';
import { PackReader, PackWriter, RecordError } from '../../src/records/pack.ts';
import {
  beginFrame,
  GREETING_LEVEL,
  MAX_PEER_FRAME,
  PEER_HEADER,
  PEER_LEVEL,
  PeerFrameCutter,
  sealFrame,
} from '../../src/records/peer-frame.ts';
import { MESSAGE_TYPES, type PeerMessage, readMessages, writeMessage } from '../../src/records/peer-messages.ts';
import { messageOf } from '../records/peer-samples.ts';
import { mutated, noise } from './mutate.ts';

export type Purpose = 'election' | 'quorum';
/** Bytes, what was done to make them, and the type of message that it was done to. */
export interface Input {
  readonly kind: string;
  readonly type: string;
  readonly bytes: Buffer;
  /** It may leave the other end waiting for more: nothing is said behind it. */
  readonly last: boolean;
}
const SAMPLES = 60;

/** A frame around a body, right checksums and all. */
export function frameOf(body: Buffer, level = GREETING_LEVEL): Buffer {
  const to = new PackWriter(body.length + PEER_HEADER);
  beginFrame(to);
  to.room(body.length);
  body.copy(to.bytes, to.at);
  to.at += body.length;
  sealFrame(to, 0, level);
  return Buffer.from(to.bytes.subarray(0, to.at));
}
export function bodyOf(...messages: readonly PeerMessage[]): Buffer {
  const to = new PackWriter(256);
  for (const message of messages) writeMessage(to, message);
  return Buffer.from(to.bytes.subarray(0, to.at));
}
/** A frame whose head is in order and promises another length than its body has. */
export function promising(frame: Buffer, length: number): Buffer {
  const lie = Buffer.from(frame);
  lie.writeUInt32BE(length, 8);
  lie.writeUInt32BE(crc32(lie.subarray(0, 12)), 12);
  return lie;
}
/**
 * What our decoder makes of bytes that come first, or behind a greeting: a sentence without its figures, or that it reads
 * them; and every message it read before it came to what it refuses or waits for, since a server acts on those.
 */
export function decode(
  bytes: Buffer,
  maxBytes = MAX_PEER_FRAME,
): { verdict: string; messages: readonly PeerMessage[] } {
  const cutter = new PeerFrameCutter(maxBytes);
  const messages: PeerMessage[] = [];
  let verdict = 'waits for more';
  try {
    cutter.push(bytes, (from, start, end, level) => {
      if (level > PEER_LEVEL) throw new RecordError(`a frame of feature level ${level}`);
      messages.push(...readMessages(new PackReader(from, start, end)));
      verdict = 'reads it';
      return true;
    });
  } catch (fault) {
    if (!(fault instanceof RecordError)) throw fault;
    return { verdict: fault.message.replace(/0x[0-9a-f]+/g, '0xN').replace(/-?\d+/g, 'N'), messages };
  }
  return { verdict: cutter.pending > 0 ? 'waits for more' : verdict, messages };
}
export const judge = (bytes: Buffer, maxBytes?: number): string => decode(bytes, maxBytes).verdict;

const hex = (text: string): Buffer => Buffer.from(text.replace(/ /g, ''), 'hex');
const FOREIGN: readonly (readonly [string, Buffer])[] = [
  ['Apache, election', hex('ffffffffffff0000 0000000000000002 0000000f 3132372e302e302e313a3135303032')],
  ['Apache, learner', hex('0000000b 0000000500000000 00000014 0000000000000002 00010000 0000000000000000')],
  ['Apache, SASL', hex('5f24350135015234 00000001')],
  ['a client', hex('0000002d 00000000 0000000000000000 00007530 0000000000000000 00000010')],
  ['HTTP', Buffer.from('GET /metrics HTTP/1.1\r\nHost: zk\r\n\r\n')],
  ['a word', Buffer.from('mntr')],
  ['TLS', hex('16030100c8010000c40303')],
  ['ssh', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
];

/**
 * A well-formed lie: that a member which counts has promised an epoch somewhat above ours. Whoever is let in is believed in
 * this, and the term ends (foundations.md 13.11); an epoch far above is not.
 */
export const isBelieved = (bytes: Buffer, epoch: number): boolean =>
  // whatever it was made of: another message may have come to be one, one goes behind another, or before a frame that is cut
  decode(bytes).messages.some(
    (each) => each.type === 'FOLLOWERINFO' && each.voter && each.acceptedEpoch > epoch && each.acceptedEpoch < 2 ** 21,
  );

export class Inputs {
  private readonly random: Random;
  private readonly samples = new Map<string, readonly PeerMessage[]>();
  constructor(random: Random, seed: number) {
    this.random = random;
    for (const type of MESSAGE_TYPES) this.samples.set(type, fc.sample(messageOf(type), { seed, numRuns: SAMPLES }));
  }
  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }
  private message(type: PeerMessage['type'], epoch: number): PeerMessage {
    const message = this.pick(this.samples.get(type) as readonly PeerMessage[]);
    // half of them belong to the term that runs: what is of another is ignored early
    return 'epoch' in message && this.random.below(2) === 0 ? { ...message, epoch } : message;
  }
  /** What comes in place of a greeting, or as one. */
  before(purpose: Purpose): Input {
    const { random } = this;
    const what = random.below(100);
    if (what < 12) {
      const [type, bytes] = this.pick(FOREIGN);
      return {
        kind: 'another protocol',
        type,
        bytes: Buffer.concat([bytes, random.bytes(random.below(40))]),
        last: true,
      };
    }
    const type = what < 75 ? 'HELLO' : this.pick(MESSAGE_TYPES);
    const sample = this.message(type, 1);
    const message = sample.type === 'HELLO' && random.below(4) > 0 ? { ...sample, purpose } : sample;
    return what < 45 ? this.broken(message, 2) : this.harmed(message, 4096);
  }
  /** What a server that was let in says. `epoch`: of the term that runs. */
  after(purpose: Purpose, epoch: number): Input {
    for (;;) {
      const input = this.any(purpose, epoch);
      if (!isBelieved(input.bytes, epoch)) return input;
    }
  }
  private any(purpose: Purpose, epoch: number): Input {
    const { random } = this;
    const ours = purpose === 'election' && random.below(2) === 0;
    const message = this.message(ours ? 'VOTE' : this.pick(MESSAGE_TYPES), epoch);
    const what = random.below(100);
    if (what < 30) return { kind: 'odd', type: message.type, bytes: frameOf(bodyOf(message)), last: false };
    return what < 75 ? this.broken(message, random.below(5) === 0 ? 0 : 2) : this.harmed(message, MAX_PEER_FRAME);
  }
  /** Fields changed, in a frame that is right. `first`: tokens that stay, the number of the message among them. */
  private broken(message: PeerMessage, first: number): Input {
    const bytes = frameOf(mutated(this.random, bodyOf(message), first));
    return { kind: 'fields', type: message.type, bytes, last: false };
  }
  /** Bytes changed, with or without checksums that are right; frames cut, put together, of other levels, with wrong lengths. */
  private harmed(message: PeerMessage, maxBytes: number): Input {
    const { random } = this;
    const { type } = message;
    const body = bodyOf(message);
    switch (random.below(8)) {
      case 0:
      case 1:
        return { kind: 'noise in a frame', type, bytes: frameOf(noise(random, body)), last: false };
      case 2:
      case 3:
        return { kind: 'noise', type, bytes: noise(random, frameOf(body)), last: true };
      case 4:
        return {
          kind: 'a cut frame',
          type,
          bytes: frameOf(body).subarray(0, random.below(body.length + 20)),
          last: true,
        };
      case 5:
        return { kind: 'another level', type, bytes: frameOf(body, random.below(256)), last: false };
      case 6: {
        const length = this.pick([
          0,
          1,
          body.length - 1,
          body.length + 1,
          maxBytes,
          maxBytes + 1,
          2 ** 31,
          2 ** 32 - 1,
        ]);
        return { kind: 'a lying length', type, bytes: promising(frameOf(body), Math.max(0, length)), last: true };
      }
      default: {
        const other = bodyOf(this.message(this.pick(MESSAGE_TYPES), 1));
        return { kind: 'two in a frame', type, bytes: frameOf(Buffer.concat([body, other])), last: false };
      }
    }
  }
}

/** Reads groups of envelopes as a member writes them, by a reader of its own; the format is told in records/log-record.ts. */
import { crc32 } from 'node:zlib';
import { extentOf, mask } from '../../../src/records/log-record.ts';

const GROUP = 0x5a475250; // ZGRP
const HEADER = 76;

/** An envelope as it lies in a log. Chains are `hi:lo`. */
export interface Written {
  readonly zxid: bigint;
  readonly chain: string;
  readonly before: string;
  readonly bytes: Buffer;
}
export const chainKey = (hi: number, lo: number): string => `${hi | 0}:${lo | 0}`;
const chainAt = (bytes: Buffer, at: number): string => chainKey(bytes.readInt32BE(at), bytes.readInt32BE(at + 4));

/** Whether a whole group that belongs there begins at this place of a log. */
export function isWholeGroup(log: Buffer, at: number): boolean {
  const head = log.subarray(at, at + HEADER);
  if (head.length < HEADER || head.readUInt32BE(0) !== GROUP || head.readBigUInt64BE(16) !== BigInt(at)) return false;
  if (crc32(head.subarray(0, HEADER - 4)) !== head.readUInt32BE(HEADER - 4)) return false;
  const end = at + extentOf(head.readUInt32BE(24));
  return end <= log.length && crc32(log.subarray(at + HEADER, end)) === head.readUInt32BE(HEADER - 8);
}

/** The envelopes of what is written at once, when it is a group of a log; none otherwise. */
export function envelopesOf(write: Uint8Array): Written[] {
  const bytes = Buffer.from(write);
  if (bytes.length < HEADER || bytes.readUInt32BE(0) !== GROUP) return [];
  const bodyBytes = bytes.readUInt32BE(24);
  const count = bytes.readUInt32BE(28);
  const seed = bytes.readUInt32BE(64);
  if (seed !== 0) mask(bytes, HEADER, bytes.length, seed);
  const found: Written[] = [];
  let before = chainAt(bytes, 56);
  let at = HEADER;
  for (let i = 0; i < count && at + 4 <= HEADER + bodyBytes; i++) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > HEADER + bodyBytes) break;
    const envelope = bytes.subarray(at + 4, end);
    const chain = chainAt(envelope, envelope.length - 8);
    found.push({ zxid: envelope.readBigInt64BE(4), chain, before, bytes: envelope });
    before = chain;
    at = end;
  }
  return found;
}

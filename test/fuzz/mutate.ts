import type { Random } from '../../src/base/random.ts';

/** Where each MessagePack token of `bytes[start, end)` begins; strings and bytes are one token with their head. */
export function tokens(bytes: Buffer, start: number, end: number): number[] {
  const found: number[] = [];
  for (let at = start; at < end; ) {
    found.push(at);
    const tag = bytes[at] as number;
    if (tag >= 0xa0 && tag < 0xc0) at += 1 + (tag & 0x1f);
    else if (tag === 0xc4 || tag === 0xd9) at += 2 + bytes.readUInt8(at + 1);
    else if (tag === 0xc5 || tag === 0xda) at += 3 + bytes.readUInt16BE(at + 1);
    else if (tag === 0xc6 || tag === 0xdb) at += 5 + bytes.readUInt32BE(at + 1);
    else at += { 204: 2, 205: 3, 206: 5, 207: 9, 208: 2, 209: 3, 210: 5, 211: 9, 220: 3, 221: 5 }[tag] ?? 1;
  }
  return found;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const text = (value: string): Buffer => Buffer.concat([hex('db'), int32(Buffer.byteLength(value)), Buffer.from(value)]);
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
/** Tokens that a field may be turned into: ends of ranges, lengths that lie, other types, odd paths, other kinds. */
const ODD: readonly Buffer[] = [
  ...['c0', '00', '01', '7f', 'ff', 'e0', 'ccff', 'cdffff', 'ceffffffff', 'ce7fffffff', 'd280000000', 'd2ffffffff'],
  ...['d3ffffffffffffffff', 'd30000000000000000', 'd38000000000000000', 'd37fffffffffffffff', 'd3ff00000000000001'],
  ...['a0', 'dbffffffff', 'd9ff', 'da7fff', 'c400', 'c6ffffffff', 'c4ff', 'c40101', '90', '9f', '93', 'ddffffffff'],
  ...['dcffff', 'dc0000', '80', '8f', 'c1', 'cb7ff8000000000000', 'c7', 'd8', '02', '03', '04', '05', '06', '09', '0a'],
  ...['0b', '14', '15', '16', 'a3ff80fe', 'a22f00'],
]
  .map(hex)
  .concat(
    ['/', '', 'a', '/a', '/a/', '//', '/a/b', '/e', '/zookeeper', '/zookeeper/quota/a/zookeeper_limits'].map(text),
    ['/zookeeper/quota', '/zookeeper/quota/a', '/nowhere/x', `/${'x'.repeat(5000)}`].map(text),
  );

/** One or two tokens from number `first` on replaced, removed, doubled, or changed in a byte. */
export function mutated(random: Random, record: Buffer, first: number): Buffer {
  let bytes = record;
  for (let times = random.below(3); times >= 0; times--) {
    let at: number[];
    try {
      at = tokens(bytes, 0, bytes.length);
    } catch {
      return bytes; // an earlier change left a length that runs past the end
    }
    if (at.length <= first) return bytes;
    const which = first + random.below(at.length - first);
    const start = at[which] as number;
    const end = at[which + 1] ?? bytes.length;
    const token = bytes.subarray(start, end);
    const put = (value: Buffer): Buffer => Buffer.concat([bytes.subarray(0, start), value, bytes.subarray(end)]);
    const what = random.below(8);
    if (what < 4) bytes = put(ODD[random.below(ODD.length)] as Buffer);
    else if (what === 4) bytes = put(Buffer.alloc(0));
    else if (what === 5) bytes = put(Buffer.concat([token, token]));
    else {
      const copy = Buffer.from(bytes);
      const byte = start + random.below(end - start);
      copy[byte] = what === 6 ? random.below(256) : (copy[byte] as number) ^ (1 << random.below(8));
      bytes = copy;
    }
  }
  return bytes;
}

/** Bytes changed, cut off, put in or made up, with no regard for what they mean. */
export function noise(random: Random, bytes: Buffer): Buffer {
  const what = random.below(5);
  if (what === 0) return Buffer.from(random.bytes(random.below(2000)));
  if (what === 1) return bytes.subarray(0, random.below(bytes.length + 1));
  const copy = Buffer.from(bytes);
  if (what === 2) return Buffer.concat([copy, Buffer.from(random.bytes(random.below(1024)))]);
  for (let times = random.below(8); times >= 0; times--) {
    const at = random.below(copy.length);
    if (what === 3) copy[at] = random.below(256);
    else copy.fill(random.below(2) === 0 ? 0 : 0xff, at, Math.min(copy.length, at + random.below(600)));
  }
  return copy;
}

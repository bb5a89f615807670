/** Messages between servers as fast-check makes them, written from the protocol and not from its description in src. */
import fc from 'fast-check';
import { lanes } from '../../src/base/hash.ts';
import type { SessionId } from '../../src/base/ids.ts';
import { PackWriter } from '../../src/records/pack.ts';
import { type Entry, entryOf } from '../../src/records/peer-entries.ts';
import type { MessageOf, PeerMessage } from '../../src/records/peer-messages.ts';
import { KIND, type Member, OPEN_ACL, type Txn, writeEnvelope } from '../../src/records/txns.ts';

/** Objects as a decoder makes them, with the usual prototype. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => Buffer.from(each).toString('hex'));
const incarnation = hex(16);
const tag = hex(8);
const sid = fc.integer({ min: 1, max: 255 });
const epoch = fc.integer({ min: 0, max: 0x7fff_ffff });
const count31 = epoch;
const counter = fc.integer({ min: 0, max: 0xffff_ffff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const size = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const position = plain({ epoch, counter });
const mark = plain({ epoch, counter, chainHi: int32, chainLo: int32 });
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const list = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(of, { maxLength: 5 });
const bytes = (least = 0): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: least, maxLength: 300 }).map((each) => Buffer.from(each));
const vote = plain({ sid, incarnation, epoch, last: position });
const member: fc.Arbitrary<Member> = fc
  .tuple(
    plain({
      sid,
      role: fc.constantFrom('participant' as const, 'observer' as const),
      incarnation: maybe(incarnation),
      addresses: list(text),
      client: maybe(text),
    }),
    maybe(count31),
    maybe(count31),
  )
  .map(([plainly, group, weight]) => ({
    ...plainly,
    ...(group === null ? {} : { group }),
    ...(weight === null ? {} : { weight }),
  }));
const config = plain({ members: list(member), maxTxnBytes: count31 });

const txn: fc.Arbitrary<Txn> = fc.oneof(
  fc.constant({ kind: KIND.noop } as const),
  plain({ kind: fc.constant(KIND.setData), path: fc.constant('/a'), data: bytes(), version: count31 }),
  plain({
    kind: fc.constant(KIND.create),
    path: fc.constant('/b'),
    data: maybe(bytes()),
    acl: fc.constant(OPEN_ACL),
    owner: fc.constant(0n),
    creates: count31,
  }),
  plain({ kind: fc.constant(KIND.seen), sid, incarnation, tag }),
  plain({ kind: fc.constant(KIND.config), config }),
  plain({ kind: fc.constant(KIND.found), ensembleId: hex(16), config }),
);
/** One history, cut out somewhere. */
const entries: fc.Arbitrary<Entry[]> = fc
  .record({
    epoch: fc.integer({ min: 0, max: 0x7fff_fff0 }),
    counter: fc.integer({ min: 1, max: 0xffff_ff00 }),
    chainHi: int32,
    chainLo: int32,
    txns: fc.array(plain({ txn, jump: fc.boolean() }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ epoch, counter, chainHi, chainLo, txns }) => {
    let hi = epoch;
    let lo = counter;
    return txns.map(({ txn, jump }, i) => {
      if (i > 0) {
        if (jump) hi++;
        lo = jump ? 1 : lo + 1;
      }
      const to = new PackWriter();
      writeEnvelope(to, hi, lo | 0, 1_700_000_000_000 + i, BigInt(i) as SessionId, i, txn, chainHi, chainLo);
      chainHi = lanes[0] as number;
      chainLo = lanes[1] as number;
      return entryOf(Buffer.from(to.bytes.subarray(0, to.at)));
    });
  });

const level = fc.integer({ min: 1, max: 255 });
/** The name of an ensemble: at most 64 bytes. */
const name = text.filter((each) => Buffer.byteLength(each) <= 64);
const identity = { ensembleName: name, ensembleId: maybe(hex(16)), sid, incarnation, tag };

type Arbitraries = { readonly [T in PeerMessage['type']]: fc.Arbitrary<Omit<MessageOf<T>, 'type'>> };
const request = plain({
  epoch,
  session: long,
  xid: int32,
  op: fc.integer({ min: -11, max: 1000 }),
  body: bytes(),
  identities: list(plain({ scheme: text, id: text })),
});
const ARBITRARIES: Arbitraries = {
  HELLO: plain({
    leastLevel: level,
    level,
    purpose: fc.constantFrom('election' as const, 'quorum' as const),
    ...identity,
    to: sid,
    attempt: count31,
  }),
  WELCOME: plain({ level, ...identity }),
  REFUSED: plain({
    reason: fc.constantFrom('protocol' as const, 'same-id' as const, 'busy' as const),
    sentence: text,
  }),
  ALIVE: plain({ number: count31 }),
  ALIVE_ACK: plain({ number: count31 }),
  VOTE: plain({
    state: fc.constantFrom('looking' as const, 'following' as const, 'leading' as const, 'observing' as const),
    round: count31,
    vote: maybe(vote),
    incarnation,
    config: maybe(mark),
    lines: maybe(text),
  }),
  MEMBERS: plain({ at: position, members: list(member) }),
  FOLLOWERINFO: plain({
    incarnation,
    tags: list(tag),
    acceptedEpoch: epoch,
    voter: fc.boolean(),
    config: maybe(mark),
  }),
  LEADERINFO: plain({ epoch, incarnation, tags: list(tag), config: maybe(mark) }),
  ACKEPOCH: plain({ epoch, currentEpoch: maybe(epoch), last: mark, ends: list(mark) }),
  ROLLEDBACK: plain({ incarnation }),
  STARTS: plain({ upTo: position }),
  DIFF: plain({ epoch, from: mark }),
  TRUNC: plain({ epoch, to: mark }),
  SNAP: plain({
    epoch,
    at: mark,
    configs: list(plain({ at: mark, config })),
    seen: list(plain({ at: position, sid, incarnation, tag })),
  }),
  ASKSNAP: plain({ epoch }),
  ASKCHUNKS: plain({ epoch, at: position, offset: size }),
  RESUME: plain({ epoch, at: position, offset: size, checksum: fc.nat(0xffff_ffff) }),
  CHUNK: plain({ epoch, at: position, offset: size, total: size, bytes: bytes(1) }),
  NEWLEADER: plain({ epoch }),
  ACKNEWLEADER: plain({ epoch, incarnation, upTo: position }),
  UPTODATE: plain({ epoch, committed: position }),
  PROPOSAL: plain({ epoch, entries }),
  ACK: plain({ epoch, incarnation, upTo: position }),
  COMMIT: plain({ epoch, upTo: position }),
  INFORM: plain({ epoch, entries }),
  PING: plain({ epoch, round: count31 }),
  PONG: plain({ epoch, incarnation, round: count31 }),
  HANDOVER: plain({ epoch, vote }),
  REQUEST: request,
  LOCALREQUEST: request,
  REVALIDATE: plain({ epoch, session: long, timeoutMs: count31 }),
  REVALIDATED: plain({ epoch, session: long, valid: fc.boolean() }),
  TOUCHED: plain({ epoch, wallMs: size, sessions: list(plain({ session: long, timeoutMs: count31 })) }),
  SYNC: plain({ epoch, id: count31 }),
  SYNCED: plain({ epoch, id: count31, upTo: position }),
  TAKEN: plain({ epoch, first: size, count: fc.integer({ min: 1, max: 1000 }) }),
  MOVED: plain({ epoch, session: long }),
};

/** Messages of one type. */
export const messageOf = (type: PeerMessage['type']): fc.Arbitrary<PeerMessage> =>
  (ARBITRARIES[type] as fc.Arbitrary<object>).map((fields) => ({ type, ...fields }) as PeerMessage);
export const anyMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  ...(Object.keys(ARBITRARIES) as PeerMessage['type'][]).map(messageOf),
);

/**
 * What servers say to each other, each message described once; names are those of Zab, the bytes are ours. Numbers and
 * the order of fields are for ever: a new message or field needs a higher feature level. Every message of a term names
 * its epoch, so that one from an earlier term can never count in a later one.
 */
import { MAX_ADDRESS, MAX_ADDRESSES, MAX_ID, MAX_IDENTITIES, MAX_MEMBERS, MAX_REQUEST, MAX_SCHEME } from './limits.ts';
import { type PackReader, type PackWriter, RecordError } from './pack.ts';
import { type Entry, entries, MAX_ENTRIES } from './peer-entries.ts';
import {
  bytes,
  epoch,
  flag,
  hex,
  integer,
  type Kind,
  list,
  long,
  mark,
  nullable,
  oneOf,
  position,
  record,
  type Straight,
  sid,
  size,
  text,
  type UnionOf,
  union,
} from './peer-kinds.ts';
import type { Member } from './txns.ts';

/** Messages in one frame. */
export const MAX_MESSAGES = 16_384;
/** Bytes of one chunk of a snapshot file. */
export const MAX_CHUNK = 1024 * 1024;
/** Boot tags that are told: as many as the identity record keeps (storage/starts.ts). */
const MAX_TAGS = 256;
/** Epochs whose ends a learner tells, config and `seen` records that come with a snapshot. */
const MAX_NOTES = 65_536;

/** Random, 16 bytes: names one life of a directory. */
const incarnation = hex(16);
/** Random, 8 bytes: names one start of a server. */
const tag = hex(8);
const tags = list(tag, MAX_TAGS);
const ensembleId = hex(16);
const level = integer(1, 255);
const count31 = integer(0, 0x7fff_ffff);

const vote = record({ sid, incarnation, epoch, last: position });
const memberFields = record({
  sid,
  role: oneOf('participant', 'observer'),
  incarnation: nullable(incarnation),
  addresses: list(text(MAX_ADDRESS), MAX_ADDRESSES),
  client: nullable(text(MAX_ADDRESS)),
  group: nullable(count31),
  weight: nullable(count31),
});
/** Group and weight are left out where quorums are plain majorities. */
const member: Kind<Member> = {
  write: (to, value) => memberFields.write(to, { ...value, group: value.group ?? null, weight: value.weight ?? null }),
  read(from) {
    const { group, weight, ...rest } = memberFields.read(from);
    return { ...rest, ...(group === null ? {} : { group }), ...(weight === null ? {} : { weight }) };
  },
};
const config = record({ members: list(member, MAX_MEMBERS), maxTxnBytes: count31 });
const configAt = record({ at: mark, config });
const seenAt = record({ at: position, sid, incarnation, tag });
const identity = record({ scheme: text(MAX_SCHEME), id: text(MAX_ID) });
const touched = record({ session: long, timeoutMs: count31 });

/** Why a connection was refused, for programs; the sentence beside it is for people. */
const refusal = oneOf('protocol', 'ensemble', 'same-id', 'not-me', 'proof', 'duplicate', 'busy');

const requestFields = {
  epoch,
  session: long,
  xid: integer(-0x8000_0000, 0x7fff_ffff),
  op: integer(-11, 1000),
  body: bytes(MAX_REQUEST),
  identities: list(identity, MAX_IDENTITIES),
} as const;
const takenCount = integer(1, 0x7fff_ffff);
/** Every message, each described once. */
export const SHAPES = {
  // two servers meet
  /** First from whoever dialled. `attempt` counts the dials of this process to that server, from 1. */
  HELLO: {
    code: 1,
    fields: {
      leastLevel: level,
      level,
      purpose: oneOf('election', 'quorum'),
      ensembleName: text(64),
      ensembleId: nullable(ensembleId),
      sid,
      incarnation,
      tag,
      to: sid,
      attempt: count31,
    },
  },
  /** The answer; `level` is the one that both keep to. */
  WELCOME: {
    code: 2,
    fields: { level, ensembleName: text(64), ensembleId: nullable(ensembleId), sid, incarnation, tag },
  },
  REFUSED: { code: 3, fields: { reason: refusal, sentence: text(3072) } },
  /** Asks whether the other end is there; answered at once, under the same number. */
  ALIVE: { code: 4, fields: { number: count31 } },
  ALIVE_ACK: { code: 5, fields: { number: count31 } },

  // election
  /**
   * `vote` is null while nobody fits; `config` is the last config record known committed; `lines` is the hash of the
   * sender's server lines while its log is empty.
   */
  VOTE: {
    code: 10,
    fields: {
      state: oneOf('looking', 'following', 'leading', 'observing'),
      round: count31,
      vote: nullable(vote),
      incarnation,
      config: nullable(mark),
      lines: nullable(text(128)),
    },
  },
  /** Who belongs to the ensemble, for one whose vote tells of an older config: it may not know where the leader is. */
  MEMBERS: { code: 11, fields: { at: position, members: list(member, MAX_MEMBERS) } },

  // discovery
  FOLLOWERINFO: {
    code: 20,
    fields: { incarnation, tags, acceptedEpoch: epoch, voter: flag, config: nullable(mark) },
  },
  /** Before either, from who keeps not all its tags: every start of its directory that was seen up to here it knows. From level 3 on. */
  STARTS: { code: 24, fields: { upTo: position } },
  LEADERINFO: { code: 21, fields: { epoch, incarnation, tags, config: nullable(mark) } },
  /**
   * `currentEpoch` null: the epoch was promised before, so this is no promise. `ends`: of each epoch, newest first. A repairing
   * member says as `last` what it may have acknowledged, with chain 0, 0, and has no `ends`.
   */
  ACKEPOCH: {
    code: 22,
    fields: { epoch, currentEpoch: nullable(epoch), last: mark, ends: list(mark, MAX_NOTES) },
  },
  /** The receiver's directory is an old copy. */
  ROLLEDBACK: { code: 23, fields: { incarnation } },

  // synchronisation
  DIFF: { code: 30, fields: { epoch, from: mark } },
  TRUNC: { code: 31, fields: { epoch, to: mark } },
  SNAP: { code: 32, fields: { epoch, at: mark, configs: list(configAt, MAX_NOTES), seen: list(seenAt, MAX_NOTES) } },
  ASKSNAP: { code: 33, fields: { epoch } },
  /** The learner asks for the snapshot file from `offset` on: at the beginning, and each time that all before it is on its disk. */
  ASKCHUNKS: { code: 34, fields: { epoch, at: position, offset: size } },
  /** A part of that file, which is `total` bytes long. */
  CHUNK: { code: 35, fields: { epoch, at: position, offset: size, total: size, bytes: bytes(MAX_CHUNK, 1) } },
  /**
   * Instead of the first ASKCHUNKS: the learner has the file up to `offset`, with this CRC-32, from a link that broke, and asks for
   * what follows. From level 4 on.
   */
  RESUME: { code: 39, fields: { epoch, at: position, offset: size, checksum: size } },
  NEWLEADER: { code: 36, fields: { epoch } },
  ACKNEWLEADER: { code: 37, fields: { epoch, incarnation, upTo: position } },
  UPTODATE: { code: 38, fields: { epoch, committed: position } },

  // broadcast
  PROPOSAL: { code: 40, fields: { epoch, entries } },
  /** Cumulative: everything up to here is on the sender's disk. */
  ACK: { code: 41, fields: { epoch, incarnation, upTo: position } },
  COMMIT: { code: 42, fields: { epoch, upTo: position } },
  /** To learners that do not count: committed entries. */
  INFORM: { code: 43, fields: { epoch, entries } },
  /** `round` numbers the probes of sync. */
  PING: { code: 44, fields: { epoch, round: count31 } },
  PONG: { code: 45, fields: { epoch, incarnation, round: count31 } },
  HANDOVER: { code: 46, fields: { epoch, vote } },

  // what a learner's clients want from the leader
  /** A request as its client sent it. `op` is ZooKeeper's number, -10 and -11 for the beginning and end of a session. */
  REQUEST: { code: 50, fields: requestFields },
  REVALIDATE: { code: 51, fields: { epoch, session: long, timeoutMs: count31 } },
  REVALIDATED: { code: 52, fields: { epoch, session: long, valid: flag } },
  /** Sessions heard of since the last one; `wallMs` is the sender's clock, ms since 1970. */
  TOUCHED: { code: 53, fields: { epoch, wallMs: size, sessions: list(touched, MAX_NOTES) } },
  /** Asks for a point that holds everything committed when this arrives; `id` tells the answers apart. */
  SYNC: { code: 54, fields: { epoch, id: count31 } },
  SYNCED: { code: 55, fields: { epoch, id: count31, upTo: position } },
  /**
   * The next `count` requests of this learner, in the order sent, were numbered from `first` on in this epoch; `first` 0:
   * they were not executed, since their session is attached elsewhere. Comes before the entries.
   */
  TAKEN: { code: 56, fields: { epoch, first: size, count: takenCount } },
  /** The session is attached to another member now: its connection here ends with the next thing it says. */
  MOVED: { code: 57, fields: { epoch, session: long } },
  /** As REQUEST, of a session that only the learner knows. From feature level 2 on. */
  LOCALREQUEST: { code: 58, fields: requestFields },
} as const;

const identities = list(identity, MAX_IDENTITIES);
/** Those that travel with every write, straight. */
export const STRAIGHT: Straight<typeof SHAPES> = {
  PROPOSAL: {
    write(to, message) {
      epoch.write(to, message.epoch);
      entries.write(to, message.entries);
    },
    read: (from) => ({ type: 'PROPOSAL', epoch: epoch.read(from), entries: entries.read(from) }),
  },
  INFORM: {
    write(to, message) {
      epoch.write(to, message.epoch);
      entries.write(to, message.entries);
    },
    read: (from) => ({ type: 'INFORM', epoch: epoch.read(from), entries: entries.read(from) }),
  },
  ACK: {
    write(to, message) {
      epoch.write(to, message.epoch);
      incarnation.write(to, message.incarnation);
      position.write(to, message.upTo);
    },
    read: (from) => ({
      type: 'ACK',
      epoch: epoch.read(from),
      incarnation: incarnation.read(from),
      upTo: position.read(from),
    }),
  },
  COMMIT: {
    write(to, message) {
      epoch.write(to, message.epoch);
      position.write(to, message.upTo);
    },
    read: (from) => ({ type: 'COMMIT', epoch: epoch.read(from), upTo: position.read(from) }),
  },
  REQUEST: {
    write(to, message) {
      epoch.write(to, message.epoch);
      long.write(to, message.session);
      requestFields.xid.write(to, message.xid);
      requestFields.op.write(to, message.op);
      requestFields.body.write(to, message.body);
      identities.write(to, message.identities);
    },
    read: (from) => ({
      type: 'REQUEST',
      epoch: epoch.read(from),
      session: long.read(from),
      xid: requestFields.xid.read(from),
      op: requestFields.op.read(from),
      body: requestFields.body.read(from),
      identities: identities.read(from),
    }),
  },
  TAKEN: {
    write(to, message) {
      epoch.write(to, message.epoch);
      size.write(to, message.first);
      takenCount.write(to, message.count);
    },
    read: (from) => ({ type: 'TAKEN', epoch: epoch.read(from), first: size.read(from), count: takenCount.read(from) }),
  },
};

const peerMessage = union(SHAPES, STRAIGHT);
export type PeerMessage = UnionOf<typeof SHAPES>;
export type MessageOf<Type extends PeerMessage['type']> = Extract<PeerMessage, { readonly type: Type }>;
/** Every name a message may have. */
export const MESSAGE_TYPES = Object.keys(SHAPES) as readonly PeerMessage['type'][];

/** Puts a message behind those already in the body of a frame. */
export const writeMessage = (to: PackWriter, message: PeerMessage): void => peerMessage.write(to, message);

/** Reads the body of a frame, all of it or nothing. Byte fields are views on it. @throws RecordError */
export function readMessages(from: PackReader): PeerMessage[] {
  const messages: PeerMessage[] = [];
  while (from.at < from.end) {
    if (messages.length === MAX_MESSAGES) throw new RecordError(`more than ${MAX_MESSAGES} messages in a frame`);
    messages.push(peerMessage.read(from));
  }
  if (messages.length === 0) throw new RecordError('a frame without a message');
  return messages;
}

/** Bytes of transactions in one message, unless a single one is larger. */
const PART_BYTES = 1024 * 1024;

/** Whether a message may be cut into parts. */
export const isLong = (message: PeerMessage): boolean =>
  (message.type === 'PROPOSAL' || message.type === 'INFORM') && message.entries.length > 1;

/**
 * A message as one or several that say the same: many transactions are told in parts, so that no frame grows with the
 * length of a history.
 */
export function partsOf(message: PeerMessage): readonly PeerMessage[] {
  const parts: PeerMessage[] = [];
  for (let at: number | undefined = 0; at !== undefined; ) {
    const { part, next } = partFrom(message, at);
    parts.push(part);
    at = next;
  }
  return parts;
}

/** The part of {@link partsOf} whose transactions begin with the one at `start`, and where the next begins, if there is one. */
export function partFrom(message: PeerMessage, start: number): { part: PeerMessage; next: number | undefined } {
  if (message.type !== 'PROPOSAL' && message.type !== 'INFORM') return { part: message, next: undefined };
  const { entries } = message;
  let bytes = 0;
  let end = start;
  for (; end < entries.length && end - start < MAX_ENTRIES; end++) {
    bytes += (entries[end] as Entry).bytes.length;
    if (end > start && bytes > PART_BYTES) break;
  }
  const isAll = start === 0 && end === entries.length;
  const part = isAll ? message : { ...message, entries: entries.slice(start, end) };
  return { part, next: end < entries.length ? end : undefined };
}

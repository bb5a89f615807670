import { assert } from '../base/assert.ts';
import { Blocks } from '../base/blocks.ts';
import { envelopeHi, envelopeLo, isEnvelope, LEAST_ENVELOPE } from './log-record.ts';
import { PackReader, RecordError } from './pack.ts';
import type { Kind, Mark } from './peer-kinds.ts';
import { type Config, KIND, readEnvelope } from './txns.ts';

/** Transactions in one message. */
export const MAX_ENTRIES = 65_536;

/** What agreement reads of a transaction: who counts from it on, or under which boot tag a member ran. */
export type Note =
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'seen'; readonly sid: number; readonly incarnation: string; readonly tag: string };

/** A transaction: its place and its bytes as every member stores them. `note` is read from the bytes and does not travel. */
export interface Entry extends Mark {
  readonly bytes: Uint8Array;
  readonly note: Note | undefined;
}

/** Where the kind lies in an envelope: a small number, one byte. */
const KIND_AT = 12;

function noteOf(bytes: Buffer): Note | undefined {
  const kind = bytes[KIND_AT];
  if (kind !== KIND.found && kind !== KIND.config && kind !== KIND.seen) return undefined;
  const { txn } = readEnvelope(new PackReader(bytes), undefined);
  if (txn.kind === KIND.seen) return { type: 'seen', sid: txn.sid, incarnation: txn.incarnation, tag: txn.tag };
  assert(txn.kind === KIND.found || txn.kind === KIND.config, 'a kind changed while it was read');
  return { type: 'config', config: txn.config };
}

/** The entry that an envelope is. Its bytes are shared. @throws RecordError */
export function entryOf(envelope: Uint8Array): Entry {
  const bytes = Buffer.isBuffer(envelope)
    ? envelope
    : Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
  const end = bytes.length;
  if (end < LEAST_ENVELOPE || !isEnvelope(bytes, 0, end)) throw new RecordError('not a transaction of this format');
  const epoch = envelopeHi(bytes, 0);
  const counter = envelopeLo(bytes, 0);
  if (epoch < 0 || counter === 0) throw new RecordError(`a transaction numbered ${counter} in epoch ${epoch}`);
  const chainHi = bytes.readInt32BE(end - 8);
  const chainLo = bytes.readInt32BE(end - 4);
  return { epoch, counter, chainHi, chainLo, bytes, note: noteOf(bytes) };
}

/** Of transactions that came one by one. */
const blocks = new Blocks();

/**
 * Transactions in zxid order without a gap, one at least; only their bytes travel. What is read
 * lies in blocks of its own.
 * That each follows the one before in its chain is verified where the one before the first is known: at the log.
 */
export const entries: Kind<readonly Entry[]> = {
  write(to, values) {
    assert(values.length > 0 && values.length <= MAX_ENTRIES, `${values.length} entries`);
    to.array(values.length);
    for (const { bytes } of values) to.bin(bytes);
  },
  read(from) {
    const count = from.array();
    if (count === 0 || count > MAX_ENTRIES) throw new RecordError(`${count} entries`);
    const begin = from.at;
    if (count === 1) {
      const length = from.binLength();
      const start = from.at;
      from.at += length;
      return [entryOf(blocks.copy(from.bytes, start, from.at))];
    }
    const places: number[] = [];
    for (let i = 0; i < count; i++) {
      const { length } = from.bin();
      places.push(from.at - length - begin, from.at - begin);
    }
    // kept long after the frame: in memory of their own, not in a pool's or a socket's
    const own = Buffer.alloc(from.at - begin);
    from.bytes.copy(own, 0, begin, from.at);
    const found: Entry[] = [];
    let last: Entry | undefined;
    for (let i = 0; i < places.length; i += 2) {
      const entry = entryOf(own.subarray(places[i], places[i + 1]));
      if (last !== undefined && !isNext(last, entry)) throw new RecordError('entries out of order');
      found.push(entry);
      last = entry;
    }
    return found;
  },
};

const isNext = (last: Entry, next: Entry): boolean =>
  next.epoch === last.epoch ? next.counter === last.counter + 1 : next.epoch > last.epoch && next.counter === 1;

import { PackReader } from '../records/pack.ts';
import { KIND, readEnvelope } from '../records/txns.ts';
import type { Note } from './types.ts';

const NOTED: ReadonlySet<number> = new Set([KIND.found, KIND.config, KIND.seen]);

/**
 * What zab reads of the envelope in `bytes`: who counts from it on, or a start of a member; undefined for all other kinds,
 * of which only the head is looked at. Throws RecordError for bytes that are no envelope.
 */
export function noteOf(bytes: Uint8Array): Note | undefined {
  const head = new PackReader(bytes);
  head.tuple(9);
  head.int(); // format
  head.int(); // feature level
  head.int64(); // zxid
  if (!NOTED.has(head.int())) return undefined;
  const { txn } = readEnvelope(new PackReader(bytes), undefined);
  if (txn.kind === KIND.found || txn.kind === KIND.config) return { type: 'config', config: txn.config };
  if (txn.kind !== KIND.seen) return undefined;
  const { sid, incarnation, tag } = txn;
  return { type: 'seen', sid, incarnation, tag };
}

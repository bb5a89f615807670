import { KEEPER_CODES } from '../base/errors.ts';
import type { Writer } from '../protocol/bytes.ts';
import { CREATE_FLAG, type MultiPart, type RequestOf } from '../protocol/operations.ts';
import { MAX_TXN_BYTES } from '../records/limits.ts';
import { KIND, type MultiErrorTxn, type MultiTxn, type PartTxn, type Txn } from '../records/txns.ts';
import { aclBytes } from './acl.ts';
import type { PendingChanges } from './pending.ts';
import type { Decider, Decision, Requester } from './prepare.ts';
import { carriesStat, isTimed, isWide, markWide } from './wide-parts.ts';

const { MarshallingError, RuntimeInconsistency } = KEEPER_CODES;
const WRITES: ReadonlySet<number> = new Set([1, 2, 5, 13, 15, 19, 21]);

/** Decides all parts in order, each seeing those before it. One failure takes everything back (semantics.md 9). */
export function decideMulti(
  decider: Decider,
  pending: PendingChanges,
  who: Requester,
  by: number,
  parts: readonly MultiPart[],
): Txn {
  if (parts.some((part) => !WRITES.has(part.type))) return { kind: KIND.error, code: MarshallingError };
  // a part without a path is not readable, wherever it stands, as in ZooKeeper
  if (parts.some(({ request }) => (request as { path: string | null }).path === null))
    return { kind: KIND.error, code: MarshallingError };
  pending.begin();
  const made: PartTxn[] = [];
  let bytes = 0;
  for (let i = 0; i < parts.length; i++) {
    let decision = decidePart(decider, who, by, parts[i] as MultiPart);
    if (typeof decision !== 'number' && (bytes += partBytes(decision)) > MOST_BYTES) decision = MarshallingError;
    if (typeof decision !== 'number') {
      made.push(decision);
      continue;
    }
    pending.rollBack();
    decider.touched = [];
    if (decision === MarshallingError) return { kind: KIND.error, code: decision };
    const codes = parts.map((_, at) => (at < i ? 0 : at === i ? decision : RuntimeInconsistency));
    return { kind: KIND.multiError, codes };
  }
  pending.keep();
  return { kind: KIND.multi, parts: made };
}

/** What stands around the parts. */
const MOST_BYTES = MAX_TXN_BYTES - 1024;
/** Of a part in the log, at most. */
function partBytes(part: PartTxn): number {
  const bytes = 48 + Buffer.byteLength(part.path);
  if (part.kind === KIND.create) return bytes + (part.data?.length ?? 0) + aclBytes(part.acl);
  return part.kind === KIND.setData ? bytes + (part.data?.length ?? 0) : bytes;
}

function decidePart(decider: Decider, who: Requester, by: number, { type, request }: MultiPart): Decision {
  switch (type) {
    case 2: {
      const { path, version } = request as RequestOf<'delete'>;
      return decider.delete(who, by, path, version);
    }
    case 5: {
      const { path, data, version } = request as RequestOf<'setData'>;
      return decider.setData(who, by, path, data, version);
    }
    case 13: {
      const { path, version } = request as RequestOf<'delete'>;
      return decider.check(who, path, version);
    }
    default: {
      const { path, data, acl, flags, ttl = -1n } = request as RequestOf<'create'> & { ttl?: bigint };
      // in a multi the kind of node follows from the flags, as in ZooKeeper, which cannot go on when they promise a ttl that is not there
      const timed = isTimed(flags);
      if (timed && type !== 21) return MarshallingError;
      const opcode = timed ? type : flags === CREATE_FLAG.container ? 19 : type === 15 ? 15 : 1;
      const made = decider.create(who, by, opcode, path, data, acl, flags, timed ? ttl : -1n);
      if (typeof made !== 'number' && isWide(type, flags)) markWide(made);
      return made;
    }
  }
}
/** `stats`: 68 bytes for each create and set, as they were when that part was applied. */
export function writeMultiAnswer(to: Writer, txn: MultiTxn | MultiErrorTxn, stats: readonly Buffer[]): void {
  const head = (type: number, err: number): void => {
    to.int32(type);
    to.bool(false);
    to.int32(err);
  };
  let at = 0;
  const stat = (): void => {
    const bytes = stats[at] as Buffer;
    to.room(68);
    to.bytes.set(bytes, to.at);
    to.at += 68;
  };
  if (txn.kind === KIND.multiError)
    for (const code of txn.codes) {
      head(-1, code);
      to.int32(code);
    }
  else
    for (const part of txn.parts) {
      if (part.kind === KIND.create) {
        const wide = carriesStat(part);
        head(wide ? 15 : 1, 0);
        to.text(part.path);
        if (wide) stat();
        at++;
      } else if (part.kind === KIND.setData) {
        head(5, 0);
        stat();
        at++;
      } else head(part.kind === KIND.delete ? 2 : 13, 0);
    }
  to.int32(-1);
  to.bool(true);
  to.int32(-1);
}

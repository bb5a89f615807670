import { der } from './certificates.ts';

const INTEGER = 0x02;
const SEQUENCE = 0x30;

/** Tag, and where the element that begins at `at` has its contents and its end. */
function element(bytes: Buffer, at: number): { from: number; to: number } {
  const short = bytes[at + 1] as number;
  const more = short < 0x80 ? 0 : short & 0x7f;
  const from = at + 2 + more;
  return { from, to: from + (more === 0 ? short : bytes.readUIntBE(at + 2, more)) };
}
/** A PKCS12 store that asks for so many turns of a hash before its check is known (macData, RFC 7292). */
export function withTurns(store: Buffer, turns: number): Buffer {
  const outer = element(store, 0);
  const version = element(store, outer.from);
  const safe = element(store, version.to);
  const mac = element(store, safe.to);
  const digest = element(store, mac.from);
  const salt = element(store, digest.to);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(turns));
  return der(
    SEQUENCE,
    store.subarray(outer.from, safe.to),
    der(SEQUENCE, store.subarray(mac.from, salt.to), der(INTEGER, bytes)),
  );
}

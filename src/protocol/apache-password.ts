/** java.util.Random, as far as it fills bytes: 48 bits that go on by one multiplication. */
const MULTIPLIER = 0x5_deec_e66dn;
const MASK = (1n << 48n) - 1n;
/** ZooKeeperServer.superSecret of Apache ZooKeeper. */
const SEED = 0xb341_5c00n;
const BYTES = 16;

/**
 * The password that an Apache ZooKeeper server gives a session, 16 bytes: they follow from the id alone, and ids can be seen by
 * all, so that it proves nothing. It counts for imported sessions until their client was given one of ours.
 */
export function apachePassword(id: bigint): Buffer {
  let state = (BigInt.asUintN(64, id ^ SEED) ^ MULTIPLIER) & MASK;
  const out = Buffer.alloc(BYTES);
  for (let at = 0; at < BYTES; at += 4) {
    state = (state * MULTIPLIER + 0xbn) & MASK;
    out.writeInt32LE(Number(BigInt.asIntN(32, state >> 16n)), at);
  }
  return out;
}

/** Requests as no client should send them: odd fields, cut off, lengths and counts that lie, or no requests at all. */
import type { Random } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';

const PATHS = [
  '/',
  '',
  '/a',
  '/a/b',
  '/a/b/c',
  '/zookeeper/quota/a/zookeeper_limits',
  '/zookeeper/quota/a',
  '//',
  '/a/',
  'a',
  '/\0',
  '/ü',
  '/a/../b',
  '/zookeeper/config',
];
const ACLS = [
  [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: -1, id: { scheme: 'digest', id: 'a:b' } }],
  [{ perms: 31, id: { scheme: 'auth', id: '' } }],
  [{ perms: 1, id: { scheme: null, id: null } }],
  [],
  null,
];
const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

/** The fields any request may ask for, some well formed and some not. */
function fields(random: Random): Record<string, unknown> {
  const path = random.below(12) === 0 ? null : pick(random, PATHS);
  const paths = (): (string | null)[] | null => (random.below(10) === 0 ? null : [pick(random, PATHS), null, '/a']);
  return {
    path,
    prefixPath: path,
    data:
      random.below(4) === 0
        ? null
        : Buffer.from(random.below(3) === 0 ? 'count=1,bytes=9=;byteHardLimit=5' : random.bytes(random.below(64))),
    acl: pick(random, ACLS),
    flags: random.below(9) - 1,
    ttl: BigInt(random.below(5) - 2),
    version: random.below(4) - 2,
    watch: random.below(2) === 0,
    type: random.below(8) - 1,
    mode: random.below(4) - 1,
    scheme: pick(random, ['digest', 'ip', 'nope', null]),
    auth: random.below(3) === 0 ? null : Buffer.from('bob:secret'),
    token: null,
    relativeZxid: BigInt(random.below(100)),
    dataWatches: paths(),
    existWatches: paths(),
    childWatches: paths(),
    persistentWatches: paths(),
    persistentRecursiveWatches: paths(),
    joiningServers: null,
    leavingServers: null,
    newMembers: null,
    curConfigId: -1n,
  };
}

/** One, without its length; `counts` tells what it was meant to be. */
export function oddRequest(random: Random, counts: Map<string, number>): Buffer {
  if (random.below(5) === 0) {
    counts.set('raw', (counts.get('raw') ?? 0) + 1);
    return Buffer.from(random.bytes(random.below(80)));
  }
  const names = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];
  const name = pick(random, names);
  const { code, request: kind } = OPERATIONS[name];
  counts.set(name, (counts.get(name) ?? 0) + 1);
  const to = new Writer();
  to.int32(random.below(20));
  to.int32(code);
  if (name === 'multi' || name === 'multiRead') {
    const parts = Array.from({ length: random.below(5) }, () => ({
      type: pick(random, [1, 2, 4, 5, 8, 13, 15, 19, 21]),
      request: fields(random),
    }));
    (kind as { write(to: Writer, value: unknown): void }).write(to, parts);
  } else (kind as { write(to: Writer, value: unknown): void }).write(to, fields(random));
  const bytes = to.take();
  const roll = random.below(4);
  if (roll === 0) return bytes.subarray(0, random.below(bytes.length + 1));
  if (roll === 1 && bytes.length > 8) {
    // lengths, counts and flags turned into nonsense
    const at = 8 + random.below(bytes.length - 8);
    if (random.below(2) === 0 || at + 4 > bytes.length) bytes[at] = random.below(256);
    else bytes.writeInt32BE(pick(random, [-1, -2, 0, 1, 0x7fff_ffff, -0x8000_0000, bytes.length]), at);
  }
  return bytes;
}

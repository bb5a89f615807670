import type { Stat } from '../client/api.ts';
import { hex } from '../shell/units.ts';

const CONTAINER = 1n << 63n;
const TTL_MASK = 0xffn << 56n;
const TTL_VALUE = (1n << 40n) - 1n;

/** Kind of a node as its owner field tells it: a session, the container mark, or a TTL in ms. */
export function kindOf({ ephemeralOwner }: Stat): {
  kind: 'persistent' | 'ephemeral' | 'container' | 'ttl';
  ttlMs?: number;
} {
  const owner = BigInt.asUintN(64, ephemeralOwner);
  if (owner === 0n) return { kind: 'persistent' };
  if (owner === CONTAINER) return { kind: 'container' };
  if ((owner & TTL_MASK) === TTL_MASK) return { kind: 'ttl', ttlMs: Number(owner & TTL_VALUE) };
  return { kind: 'ephemeral' };
}

const time = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
};

/** A Stat for programs: 64-bit ids as hexadecimal texts, times as ISO 8601. */
export const statJson = (stat: Stat) => ({
  czxid: hex(stat.czxid),
  mzxid: hex(stat.mzxid),
  pzxid: hex(stat.pzxid),
  ctime: time(stat.ctime),
  mtime: time(stat.mtime),
  version: stat.version,
  cversion: stat.cversion,
  aversion: stat.aversion,
  ephemeralOwner: hex(stat.ephemeralOwner),
  dataLength: stat.dataLength,
  numChildren: stat.numChildren,
});

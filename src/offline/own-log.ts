import type { Disk, DiskFile } from '../ports/disk.ts';
import { DiskError } from '../ports/disk.ts';
import {
  bigOf,
  compareHalves,
  decodeFileHeader,
  encodeFileHeader,
  type FileHeader,
  GROUP_HEADER,
  type Halves,
  halvesOf,
  LENGTH_BYTES,
  SECTOR,
  sealGroup,
  showHalves,
  ZERO,
} from '../records/log-record.ts';
import { PackReader, RecordError } from '../records/pack.ts';
import { type Envelope, readEnvelope } from '../records/txns.ts';
import { DamageError } from '../storage/errors.ts';
import { FileScan } from '../storage/log-scan.ts';
import { writeWholeCopy } from './whole-copy.ts';

/** A chopped file is written in groups of about so many bytes. */
const GROUP_BYTES = 1024 * 1024;

export interface OwnLogEnd {
  readonly header: FileHeader;
  readonly entries: number;
  /** The zxid that it goes on from, its last one, and up to where it is known committed. */
  readonly from: bigint;
  readonly last: bigint;
  readonly committed: bigint;
  /** What was cut: sentences. */
  readonly notes: readonly string[];
}

/** Reads one log file of a zoosh server by itself and verifies it, group by group. @throws DamageError, DiskError */
export async function readOwnLog(
  disk: Disk,
  path: string,
  take: (envelope: Envelope, bytes: Buffer, start: number, end: number, committed: Halves) => void,
  rest?: () => Promise<void> | undefined,
): Promise<OwnLogEnd> {
  const header = await headerOf(disk, path);
  const { fromZxid, fromChain } = header;
  const tip = { hi: fromZxid.hi, lo: fromZxid.lo, chainHi: fromChain.hi, chainLo: fromChain.lo };
  let entries = 0;
  let committed: Halves = ZERO;
  const from = new PackReader(Buffer.alloc(0));
  const scan = new FileScan(
    disk,
    path,
    { ...header, end: null },
    true,
    tip,
    { zxid: fromZxid, chain: fromChain },
    (bytes, start, end) => {
      entries++;
      from.reset(bytes, start, end);
      take(readEnvelope(from, undefined), bytes, start, end, committed);
    },
    (upTo) => {
      committed = upTo;
    },
    rest ?? (() => undefined),
  );
  try {
    await scan.run();
  } catch (error) {
    if (error instanceof RecordError) throw new DamageError({ file: path, offset: scan.at, reason: error.message });
    throw error;
  }
  const last = bigOf({ hi: tip.hi, lo: tip.lo });
  return { header, entries, from: bigOf(fromZxid), last, committed: bigOf(committed), notes: scan.notes };
}

async function headerOf(disk: Disk, path: string): Promise<FileHeader> {
  const file = await disk.open(path, { readonly: true });
  try {
    const sector = Buffer.alloc(SECTOR);
    const got = await file.read(sector, 0);
    return decodeFileHeader(sector.subarray(0, got));
  } catch (error) {
    if (error instanceof RecordError) throw new DamageError({ file: path, offset: 0, reason: error.message });
    throw error;
  } finally {
    await file.close().catch(() => undefined);
  }
}

/**
 * Writes a copy of a log file that ends with the transaction `zxid`, under the same salt, so that it can take the place of
 * the newest file of its server. Only what was verified is written. Returns how many transactions it has.
 * @throws DamageError when the file is not whole up to there, RangeError when it does not hold that transaction
 */
export async function chopOwnLog(disk: Disk, path: string, into: string, zxid: bigint): Promise<number> {
  const upTo = halvesOf(zxid);
  const kept: Buffer[] = [];
  let found: Halves | undefined;
  let known: Halves = ZERO;
  let header: FileHeader;
  try {
    const end = await readOwnLog(disk, path, ({ zxidHi: hi, zxidLo }, bytes, start, stop, committed) => {
      const own = { hi, lo: zxidLo >>> 0 };
      if (compareHalves(own, upTo) > 0) throw new ReachedEnd();
      known = committed;
      kept.push(Buffer.from(bytes.subarray(start, stop)));
      found = own;
    });
    header = end.header;
  } catch (error) {
    if (!(error instanceof ReachedEnd)) throw error;
    header = await headerOf(disk, path);
  }
  if (found === undefined || compareHalves(found, upTo) !== 0)
    throw new RangeError(`${path} does not hold transaction ${showHalves(upTo)}`);
  const upToKnown = compareHalves(known, upTo) < 0 ? known : upTo;
  await writeWholeCopy(disk, into, (file) => writeGroups(file, header, kept, upToKnown));
  return kept.length;
}
class ReachedEnd extends Error {}

async function writeGroups(
  file: DiskFile,
  header: FileHeader,
  kept: readonly Buffer[],
  committed: Halves,
): Promise<void> {
  await file.write(encodeFileHeader(header), 0);
  let at = SECTOR;
  let chain = header.fromChain;
  for (let next = 0; next < kept.length; ) {
    const part: Buffer[] = [];
    for (let bytes = 0; next < kept.length && (part.length === 0 || bytes < GROUP_BYTES); next++) {
      part.push(kept[next] as Buffer);
      bytes += (kept[next] as Buffer).length;
    }
    const body = part.reduce((sum, each) => sum + LENGTH_BYTES + each.length, 0);
    const group = Buffer.alloc(GROUP_HEADER + body + SECTOR);
    let put = GROUP_HEADER;
    for (const each of part) {
      group.writeUInt32BE(each.length, put);
      group.set(each, put + LENGTH_BYTES);
      put += LENGTH_BYTES + each.length;
    }
    const [first, last] = [part[0] as Buffer, part.at(-1) as Buffer];
    const out = sealGroup(group, body, header.salt, at, part.length, zxidOf(first), zxidOf(last), committed, chain);
    await file.write(out, at);
    at += out.length;
    chain = { hi: last.readInt32BE(last.length - 8), lo: last.readInt32BE(last.length - 4) };
  }
}
const zxidOf = (envelope: Buffer): Halves => ({ hi: envelope.readInt32BE(4), lo: envelope.readUInt32BE(8) });

/** True when the file cannot be made because it is there. */
export const isThere = (error: unknown): boolean => error instanceof DiskError && error.code === 'EEXIST';

/**
 * Who this server is and what it promised: one record, replaced whole, in two copies. A copy is written beside the old
 * one, synced, renamed over it, and the folder synced; first in the data directory, then in the log directory. What
 * depends on a write may happen only when `update` has resolved, so a power cut leaves the copies equal or one write
 * apart, and the higher one is right.
 */
import { crc32 } from 'node:zlib';
import { type Disk, DiskError } from '../ports/disk.ts';
import { type Halves, ZERO } from '../records/log-record.ts';
import { knownFormat, pack, RecordError, unpack } from '../records/pack.ts';
import { DamageError, refuseNewer } from './errors.ts';
import { readWhole } from './files.ts';
import type { Starts } from './starts.ts';

export const IDENTITY_FORMAT = 1;
const MAGIC = 0x5a4f4944; // ZOID
const HEAD_BYTES = 12;
const MAX_BYTES = 4 * 1024 * 1024;

/** One file of the log, in order. */
export interface LogFileEntry {
  readonly salt: Halves;
  /** The zxid and chain it continues from: its first record follows this one. */
  readonly fromZxid: Halves;
  readonly fromChain: Halves;
  /** Where it ends, bytes; null for the newest, which ends where its groups do. */
  readonly end: number | null;
}

export interface Identity extends Starts {
  /** Counts the writes of this record, from 1. */
  readonly write: number;
  /** Hexadecimal; null until founded. */
  readonly ensembleId: string | null;
  readonly sid: number;
  /** Hexadecimal, random, new with each empty directory. */
  readonly incarnation: string;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly logs: readonly LogFileEntry[];
  /** What this server must hold again before it counts: set while it is rebuilt without room for both histories. */
  readonly owed: { readonly epoch: number; readonly zxid: Halves } | null;
  /** The server lines of zoo.cfg it last started with. */
  readonly serverLines: readonly string[];
  /**
   * Zxid of a snapshot that came from a leader and became ours with this record: until it is null again no other counts, and
   * its file may still have the name of a staged one. Zero: there is none, and old ones do not count.
   */
  readonly adoptedSnapshot: Halves | null;
  /** What this directory held was lost with this incarnation: it waits for a leader and never founds an ensemble. */
  readonly amnesiac: boolean;
  /**
   * The ensemble that it was of until it went on alone without the others (foundations.md 13.15), or that its backup was of; their
   * directories may still be of it.
   */
  readonly succeeds: string | null;
}

/** Where the two copies lie. */
export interface IdentityPlaces {
  /** Folder and file of the first copy, in the data directory. */
  readonly first: { readonly folder: string; readonly file: string };
  /** The second, in the log directory; another name when both directories are one. */
  readonly second: { readonly folder: string; readonly file: string };
}
export const identityPlaces = (dataFolder: string, logFolder: string): IdentityPlaces => ({
  first: { folder: dataFolder, file: `${dataFolder}/identity` },
  second: { folder: logFolder, file: `${logFolder}/${dataFolder === logFolder ? 'identity.copy' : 'identity'}` },
});

const pair = (h: Halves): [number, number] => [h.hi | 0, h.lo | 0];

export function encodeIdentity(id: Identity): Buffer {
  const body = pack({
    write: id.write,
    ensembleId: id.ensembleId,
    sid: id.sid,
    incarnation: id.incarnation,
    bootTags: id.bootTags,
    acceptedEpoch: id.acceptedEpoch,
    currentEpoch: id.currentEpoch,
    logs: id.logs.map((l) => [pair(l.salt), pair(l.fromZxid), pair(l.fromChain), l.end]),
    owed: id.owed === null ? null : [id.owed.epoch, pair(id.owed.zxid)],
    serverLines: id.serverLines,
    adoptedSnapshot: id.adoptedSnapshot === null ? null : pair(id.adoptedSnapshot),
    ...(id.startsUpTo === null ? {} : { startsUpTo: pair(id.startsUpTo) }),
    ...(id.amnesiac ? { amnesiac: true } : {}),
    ...(id.succeeds === null ? {} : { succeeds: id.succeeds }),
  });
  const out = Buffer.alloc(HEAD_BYTES + body.length + 4);
  out.writeUInt32BE(MAGIC, 0);
  out.writeUInt16BE(IDENTITY_FORMAT, 4);
  out.writeUInt32BE(body.length, 8);
  out.set(body, HEAD_BYTES);
  out.writeUInt32BE(crc32(out.subarray(0, HEAD_BYTES + body.length)), HEAD_BYTES + body.length);
  return out;
}

const isCount = (v: unknown): v is number => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;
const isText = (v: unknown): v is string => typeof v === 'string';
const isTexts = (v: unknown): v is string[] => Array.isArray(v) && v.every(isText);
const isInt32 = (v: unknown): v is number => typeof v === 'number' && (v | 0) === v;

function fault(what: string): never {
  throw new RecordError(`identity record: ${what}`);
}
function readPair(v: unknown, unsigned: boolean): Halves {
  if (!Array.isArray(v) || v.length !== 2 || !isInt32(v[0]) || !isInt32(v[1])) fault('not 64 bits');
  return { hi: v[0], lo: unsigned ? v[1] >>> 0 : v[1] };
}

/** Reads one copy; everything that is not exactly a record of this format is a {@link RecordError}. */
export function decodeIdentity(bytes: Buffer): Identity {
  if (bytes.length < HEAD_BYTES + 4) fault(`${bytes.length} bytes`);
  const end = bytes.length - 4;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) fault('its checksum is wrong');
  if (bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(8) !== end - HEAD_BYTES) fault('it has another shape');
  const format = bytes.readUInt16BE(4);
  knownFormat('identity record: format', format, IDENTITY_FORMAT);
  const raw = unpack(bytes.subarray(HEAD_BYTES, end)) as Record<string, unknown> | null;
  if (raw === null || typeof raw !== 'object') fault('not a map');
  const { write, ensembleId, sid, incarnation, bootTags, acceptedEpoch, currentEpoch, serverLines } = raw;
  if (!isCount(write) || !isCount(sid) || !isCount(acceptedEpoch) || !isCount(currentEpoch))
    fault('a number is not one');
  if (!(ensembleId === null || isText(ensembleId)) || !isText(incarnation)) fault('a text is not one');
  if (!isTexts(bootTags) || !isTexts(serverLines) || !Array.isArray(raw.logs)) fault('a list is not one');
  const logs = raw.logs.map((entry: unknown): LogFileEntry => {
    if (!Array.isArray(entry) || entry.length !== 4 || !(entry[3] === null || isCount(entry[3]))) fault('a log entry');
    return {
      salt: readPair(entry[0], false),
      fromZxid: readPair(entry[1], true),
      fromChain: readPair(entry[2], false),
      end: entry[3],
    };
  });
  logs.forEach((entry, i) => {
    if ((entry.end === null) !== (i === logs.length - 1)) fault('only the last log file has no end');
  });
  let owed: Identity['owed'] = null;
  if (raw.owed !== null) {
    if (!Array.isArray(raw.owed) || !isCount(raw.owed[0])) fault('owed');
    owed = { epoch: raw.owed[0], zxid: readPair(raw.owed[1], true) };
  }
  const adoptedSnapshot = raw.adoptedSnapshot === null ? null : readPair(raw.adoptedSnapshot, true);
  return {
    write,
    ensembleId,
    sid,
    incarnation,
    bootTags,
    startsUpTo: Array.isArray(raw.startsUpTo) ? readPair(raw.startsUpTo, true) : null,
    acceptedEpoch,
    currentEpoch,
    logs,
    owed,
    serverLines,
    adoptedSnapshot,
    amnesiac: raw.amnesiac === true,
    succeeds: isText(raw.succeeds) ? raw.succeeds : null,
  };
}

/** What was found at the two places. */
export interface FoundIdentity {
  /** Undefined when neither copy exists: a directory that never was a member's. */
  readonly identity: Identity | undefined;
  /** Both copies are there, equal: nothing is to be rewritten. */
  readonly bothCurrent: boolean;
  /** Sentences for the log and for status. */
  readonly warnings: readonly string[];
}

type Copy =
  | { state: 'absent' }
  | { state: 'bad'; reason: string }
  | { state: 'good'; identity: Identity; bytes: Buffer };

async function readCopy(disk: Disk, file: string): Promise<Copy> {
  try {
    const bytes = await readWhole(disk, file, MAX_BYTES);
    return { state: 'good', identity: decodeIdentity(bytes), bytes };
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return { state: 'absent' };
    refuseNewer(error, file);
    if (error instanceof RecordError || (error instanceof DiskError && error.code === 'EIO'))
      return { state: 'bad', reason: error.message };
    throw error;
  }
}

/** The identity of a directory that holds nothing yet. */
export const newIdentity = (sid: number, incarnation: string): Identity => ({
  write: 0,
  ensembleId: null,
  sid,
  incarnation,
  bootTags: [],
  startsUpTo: null,
  acceptedEpoch: 0,
  currentEpoch: 0,
  logs: [],
  owed: null,
  serverLines: [],
  adoptedSnapshot: null,
  amnesiac: false,
  succeeds: null,
});

/** What lost its past keeps nothing that it promised (foundations.md 13.9). */
export const forgotten = (before: Identity, incarnation: string): Identity => ({
  ...newIdentity(before.sid, incarnation),
  write: before.write,
  ensembleId: before.ensembleId,
  serverLines: before.serverLines,
  adoptedSnapshot: ZERO,
  amnesiac: true,
});

/**
 * What begins anew where no copy counts. It is numbered beyond both, so that a power cut between its two writes leaves it
 * against an old copy that is more than one write behind, which does not count either.
 */
export async function lostIdentity(
  disk: Disk,
  places: IdentityPlaces,
  sid: number,
  incarnation: string,
): Promise<Identity> {
  const copies = [await readCopy(disk, places.first.file), await readCopy(disk, places.second.file)];
  const known = copies.flatMap((copy) => (copy.state === 'good' ? [copy.identity] : []));
  const [newest] = known.sort((a, b) => b.write - a.write);
  const before = newest ?? newIdentity(sid, incarnation);
  return forgotten({ ...before, write: before.write + 1 }, incarnation);
}

/** Reads both copies and decides which counts (foundations 13.6); changes nothing. Throws a {@link DamageError}. */
export async function findIdentity(disk: Disk, places: IdentityPlaces): Promise<FoundIdentity> {
  const [a, b] = await Promise.all([readCopy(disk, places.first.file), readCopy(disk, places.second.file)]);
  if (a.state === 'absent' && b.state === 'absent') return { identity: undefined, bothCurrent: false, warnings: [] };
  if (a.state === 'good' && b.state === 'good') {
    const apart = Math.abs(a.identity.write - b.identity.write);
    if (apart > 1 || (apart === 0 && !a.bytes.equals(b.bytes)))
      throw new DamageError({
        file: places.first.file,
        reason: `it is write ${a.identity.write} and ${places.second.file} is write ${b.identity.write}: one directory is an old copy`,
        identityLost: true,
        remedy:
          'In an ensemble, empty both directories and let the server join again; a server on its own needs both directories restored from one copy',
      });
    return {
      identity: a.identity.write >= b.identity.write ? a.identity : b.identity,
      bothCurrent: apart === 0,
      warnings: [],
    };
  }
  const [good, other, otherFile] =
    a.state === 'good' ? ([a, b, places.second.file] as const) : ([b, a, places.first.file] as const);
  if (good.state !== 'good')
    throw new DamageError({
      file: a.state === 'bad' ? places.first.file : places.second.file,
      reason: `no copy of the identity record can be read (${a.state === 'bad' ? a.reason : 'absent'}; ${places.second.file}: ${b.state === 'bad' ? b.reason : 'absent'})`,
      identityLost: true,
      remedy:
        'In an ensemble, empty the directory and let the server join again; a server on its own needs it restored from a copy',
    });
  // The very first write of a directory may have reached one place only; later an absent copy was removed by someone.
  const quiet = other.state === 'absent' && good.identity.write === 1;
  const reason = other.state === 'bad' ? other.reason : 'absent';
  return {
    identity: good.identity,
    bothCurrent: false,
    warnings: quiet ? [] : [`${otherFile}: ${reason}; the other copy of the identity record is whole and was used`],
  };
}

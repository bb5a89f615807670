import { InvariantError } from '../base/assert.ts';
import type { Disk } from '../ports/disk.ts';
import { compareHalves, type Halves, ZERO } from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { DamageError, describeDamage, refuseNewer } from './errors.ts';
import { snapshotName, snapshotZxid } from './files.ts';
import type { Identity, IdentityPlaces } from './identity.ts';
import { allMissing, firstNeeded, mayHaveAcked } from './loss.ts';
import { isOrigin, later, type Mark, ORIGIN, showMark } from './mark.ts';
import { type LogEnd, readLogs } from './recover.ts';
import { verifyClosed } from './scrub.ts';
import { listSnapshots, readSnapshotFile } from './snapshots.ts';
import { stagedName } from './staged.ts';

/** Who takes what is read. */
export interface StateTaker {
  onSnapshotChunk(chunk: Buffer): void;
  onSnapshotEnd(): void;
  onEnvelope(bytes: Buffer, start: number, end: number): void;
  onCommitted?(hi: number, lo: number): void;
  /** What was handed out is void: it begins anew. */
  onStartOver?(): void;
}

/** What a member lost, and is given again by its leader. */
export interface StorageDamage {
  /** End of what was handed out: everything up to it is verified. */
  readonly intact: Mark;
  /** What this member may have acknowledged: it votes for nobody who holds less. */
  readonly mayHaveAcked: Halves;
  /** What is damaged, clauses for the log and for status. */
  readonly sentences: readonly string[];
}

/** What the directories hold. */
export interface State {
  /** End of what was handed out. */
  readonly at: Mark;
  readonly committed: Halves;
  readonly snapshot: { readonly mark: Mark; readonly path: string } | undefined;
  /** Snapshots that were found damaged and passed over. */
  readonly badSnapshots: readonly string[];
  /** Log files at the beginning that are not needed and not whole. */
  readonly badLogs: number;
  /** Where the log ends; undefined when it is damaged. */
  readonly end: LogEnd | undefined;
  readonly damage: StorageDamage | undefined;
  readonly notes: readonly string[];
}

/** A member that cannot tell what it may have acknowledged. */
export class AmnesiaError extends Error {
  override readonly name = 'AmnesiaError';
}

/**
 * Gives a record to whoever keeps the state. One that does not fit what is there already (a counter out of range, a child
 * without its parent) is damage as well: its checksum proves only that it is what was written.
 */
export function understood(file: string, take: () => void): void {
  try {
    take();
  } catch (error) {
    refuseNewer(error, file);
    if (error instanceof RecordError) throw new DamageError({ file, reason: error.message }, { cause: error });
    if (error instanceof InvariantError)
      throw new DamageError({ file, reason: `it does not fit what came before: ${error.message}` }, { cause: error });
    throw error;
  }
}

/** Reads the state that the identity record speaks of, and changes nothing. */
export class StateReader {
  private readonly disk: Disk;
  private readonly folders: { readonly data: string; readonly log: string };
  private readonly identity: Identity;
  private readonly taker: StateTaker;
  /** End of what was handed out. */
  private at = ORIGIN;
  private committed: Halves = ZERO;
  /** A record whose checksums are right was refused by the taker: no copy of it would be better. */
  private refused = false;

  constructor(
    disk: Disk,
    folders: { readonly data: string; readonly log: string },
    identity: Identity,
    taker: StateTaker,
  ) {
    this.disk = disk;
    this.folders = folders;
    this.identity = identity;
    this.taker = taker;
  }

  /** Everything must be right. @throws DamageError */
  async strict(): Promise<State> {
    const { owed, logs } = this.identity;
    if (owed !== null)
      throw new DamageError({
        file: this.folders.log,
        reason: 'its files were given up for a repair that was not finished',
        mayHaveAcked: owed.zxid,
      });
    const [path] = await this.candidates();
    const snapshot = path === undefined ? undefined : { path, mark: await this.readSnapshot(path) };
    const end = await this.readLog(logs, snapshot?.mark ?? ORIGIN);
    return this.whole(end, { snapshot, badSnapshots: [], badLogs: 0, notes: end.notes });
  }

  /**
   * What is damaged is passed over where something else stands in for it; otherwise what comes before the damage is handed
   * out and the rest is told. @throws AmnesiaError, and DamageError where nothing should be done without a person
   */
  async healing(places: IdentityPlaces): Promise<State> {
    const badSnapshots: string[] = [];
    const sentences: string[] = [];
    let snapshot: State['snapshot'];
    for (const path of [...(await this.candidates()), undefined]) {
      this.at = ORIGIN;
      this.committed = ZERO;
      try {
        snapshot = path === undefined ? undefined : { path, mark: await this.readSnapshot(path) };
      } catch (error) {
        this.passOver(error, sentences, badSnapshots, path);
        continue;
      }
      const from = snapshot?.mark ?? ORIGIN;
      const first = Math.max(0, firstNeeded(this.identity.logs, from.zxid));
      try {
        const end = await this.readLog(this.identity.logs.slice(first), from);
        const { badLogs, notes } = await this.verifyUnneeded(first);
        const state = this.whole(end, {
          snapshot,
          badSnapshots,
          badLogs,
          notes: [...sentences, ...notes, ...end.notes],
        });
        return this.identity.owed === null
          ? state
          : { ...state, end: undefined, damage: this.damage(['its files were given up for a repair'], ZERO) };
      } catch (error) {
        if (!(error instanceof DamageError) || this.refused) throw error;
        if (error.damage.otherHistory === true && path !== undefined) {
          this.passOver(error, sentences, badSnapshots, path);
          continue;
        }
        sentences.push(describeDamage(error.damage));
        return this.broken(error, places, { snapshot, badSnapshots, badLogs: 0, notes: sentences }, sentences);
      }
    }
    throw new InvariantError('the empty state was passed over');
  }

  private passOver(error: unknown, sentences: string[], bad: string[], path: string | undefined): void {
    if (!(error instanceof DamageError) || path === undefined) throw error;
    sentences.push(describeDamage(error.damage));
    bad.push(path);
    this.taker.onStartOver?.();
  }

  /** Snapshots to begin from, the best first. */
  private async candidates(): Promise<string[]> {
    const { data } = this.folders;
    const adopted = this.identity.adoptedSnapshot;
    if (adopted === null) return (await listSnapshots(this.disk, data)).map(({ name }) => `${data}/${name}`);
    const mark = { zxid: adopted, chain: ZERO };
    if (isOrigin(mark)) return [];
    const found: string[] = [];
    for (const name of [stagedName(mark), snapshotName(adopted)])
      if (await this.disk.exists(`${data}/${name}`)) found.push(`${data}/${name}`);
    return found;
  }
  private async readSnapshot(path: string): Promise<Mark> {
    const mark = await readSnapshotFile(this.disk, path, (chunk) =>
      understood(path, () => this.taker.onSnapshotChunk(chunk)),
    );
    understood(path, () => this.taker.onSnapshotEnd());
    this.at = mark;
    return mark;
  }
  private readLog(files: Identity['logs'], from: Mark): Promise<LogEnd> {
    const { log } = this.folders;
    return readLogs(
      this.disk,
      log,
      files,
      from,
      (bytes, start, end) => {
        this.refused = true;
        understood(log, () => this.taker.onEnvelope(bytes, start, end));
        this.refused = false;
        this.at = {
          zxid: { hi: bytes.readInt32BE(start + 4), lo: bytes.readUInt32BE(start + 8) },
          chain: { hi: bytes.readInt32BE(end - 8), lo: bytes.readInt32BE(end - 4) },
        };
      },
      (upTo) => {
        this.committed = upTo;
        this.taker.onCommitted?.(upTo.hi, upTo.lo);
      },
    );
  }
  private whole(end: LogEnd, more: Pick<State, 'snapshot' | 'badSnapshots' | 'badLogs' | 'notes'>): State {
    const { hi, lo, chainHi, chainLo } = end.tip;
    const at = { zxid: { hi, lo }, chain: { hi: chainHi, lo: chainLo } };
    return { ...more, at, committed: end.committed, end, damage: undefined };
  }
  /** Files before the snapshot: only what may be begun from if a snapshot is lost. */
  private async verifyUnneeded(first: number): Promise<{ badLogs: number; notes: string[] }> {
    const { logs } = this.identity;
    const notes: string[] = [];
    let badLogs = 0;
    for (let i = 0; i < first; i++)
      try {
        await verifyClosed(this.disk, this.folders.log, logs[i] as (typeof logs)[0], logs[i + 1] as (typeof logs)[0]);
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        notes.push(`${describeDamage(error.damage)}; a snapshot holds what it held`);
        badLogs = i + 1;
      }
    return { badLogs, notes };
  }

  private async broken(
    error: DamageError,
    places: IdentityPlaces,
    more: Pick<State, 'snapshot' | 'badSnapshots' | 'badLogs' | 'notes'>,
    sentences: readonly string[],
  ): Promise<State> {
    const { disk, folders, identity } = this;
    const acked = await mayHaveAcked(disk, folders.log, identity.logs);
    if (acked === undefined) {
      if ((await allMissing(disk, folders.log, identity.logs)) && !(await disk.exists(places.second.file))) throw error;
      throw new AmnesiaError(sentences.join('; '));
    }
    let most = acked;
    for (const path of [...more.badSnapshots, more.snapshot?.path ?? ''])
      most = later(most, snapshotZxid(path.slice(path.lastIndexOf('/') + 1)) ?? ZERO);
    const committed = compareHalves(this.committed, this.at.zxid) < 0 ? this.committed : this.at.zxid;
    return { ...more, at: this.at, committed, end: undefined, damage: this.damage(sentences, most) };
  }
  private damage(sentences: readonly string[], acked: Halves): StorageDamage {
    const { at } = this;
    const mayHaveAcked = later(later(acked, at.zxid), this.identity.owed?.zxid ?? ZERO);
    // the first may say so itself
    const whole = `everything up to ${showMark(at)} is intact`;
    const isSaid = sentences.some((sentence) => sentence.includes(whole));
    return { intact: at, mayHaveAcked, sentences: isSaid ? sentences : [...sentences, whole] };
  }
}

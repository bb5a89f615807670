import { assert } from '../base/assert.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { SECTOR } from '../records/log-record.ts';
import { removeOld, removeStaged, settleAdoption } from './adoption.ts';
import { DamageError, describeDamage, StorageRefusal, unusable } from './errors.ts';
import { DAMAGED, isLogName, logName, namesIn, STAGED, TEMP, UNFINISHED, unlinkIfThere } from './files.ts';
import {
  type FoundIdentity,
  findIdentity,
  forgotten,
  type Identity,
  type IdentityPlaces,
  identityPlaces,
  lostIdentity,
  newIdentity,
} from './identity.ts';
import { IdentityStore } from './identity-store.ts';
import { type LogPlace, makeLogFile, trimClosed } from './log-file.ts';
import { type Mark, ORIGIN } from './mark.ts';
import { AmnesiaError, type State, StateReader } from './read-state.ts';
import { settleLastGroup } from './recover.ts';
import { type Folders, type Opened, Storage, type StorageOptions } from './storage.ts';
import { type LogEvents, TxnLog } from './txn-log.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const NOTHING: State = {
  at: ORIGIN,
  committed: ORIGIN.zxid,
  snapshot: undefined,
  badSnapshots: [],
  badLogs: 0,
  end: {
    tip: { hi: 0, lo: 0, chainHi: 0, chainLo: 0 },
    committed: ORIGIN.zxid,
    end: 0,
    lastGroup: undefined,
    notes: [],
  },
  damage: undefined,
  notes: [],
};

/**
 * Opens a member's directories: verifies everything in them, hands the state out, and goes on in a new log file. With `heals`
 * damage is no refusal: see {@link Storage.damage}, and `identity.amnesiac` for a member that cannot tell what it lost.
 * @throws StorageRefusal, DamageError
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  assert(options.heals !== true || options.onStartOver !== undefined, 'who heals must be able to start over');
  try {
    return await new Opening(options).run();
  } catch (error) {
    throw error instanceof DiskError ? unusable(error) : error;
  }
}

/** What an import or a restoration was making when it ended: a start would begin beside it with an empty tree, or with what was there before. */
async function refuseUnfinished(disk: Disk, options: StorageOptions): Promise<void> {
  for (const root of new Set([options.dataDir, options.logDir])) {
    const names = await namesIn(disk, root);
    if (!names.includes(UNFINISHED)) continue;
    // with its own folder in place and none of that name left over, all was done but to tidy up
    if (!names.includes('zoosh-1') || (await namesIn(disk, `${root}/${UNFINISHED}`)).includes('zoosh-1'))
      throw new StorageRefusal(
        42,
        `${root}/${UNFINISHED} is of an import or a restoration that is under way, or was cut off. Wait for it, or run that command again, which begins anew; to start without it, remove the folder`,
      );
  }
}

/** Nobody gets an empty tree in the place of one that is there (design.md, *Where files lie*). */
async function refuseApache(disk: Disk, options: StorageOptions, ours: boolean): Promise<void> {
  if (options.ignoreApacheData || ours) return;
  for (const root of new Set([options.dataDir, options.logDir])) {
    const names = await namesIn(disk, `${root}/version-2`);
    if (names.some((name) => name.startsWith('log.') || name.startsWith('snapshot.')))
      throw new StorageRefusal(
        42,
        `${root}/version-2 holds data of an Apache ZooKeeper server and there is none of ours beside it. zoosh import-apache ${root} imports it; to start with an empty tree: --ignore-apache-data`,
      );
  }
}

/** Whose directories they are. */
interface Owner {
  readonly identity: Identity;
  readonly fresh: boolean;
  /** It must be written to both places before anything else. */
  readonly stale: boolean;
  /** What it held does not count any more. */
  readonly lost: boolean;
  readonly notes: readonly string[];
}

/** One opening; its steps change nothing on the disk before {@link settle}. */
class Opening {
  private readonly options: StorageOptions;
  private readonly disk: Disk;
  private readonly folders: Folders;
  private readonly places: IdentityPlaces;
  private readonly place: LogPlace;

  constructor(options: StorageOptions) {
    const { disk, random, forceSync, zeroAheadBytes } = options;
    this.options = options;
    this.disk = disk;
    this.folders = { data: `${options.dataDir}/zoosh-1`, log: `${options.logDir}/zoosh-1` };
    this.places = identityPlaces(this.folders.data, this.folders.log);
    this.place = { disk, folder: this.folders.log, random, dsync: forceSync, zeroAheadBytes };
  }
  private get heals(): boolean {
    return this.options.heals === true;
  }
  private incarnation(): string {
    return hex(this.options.random.bytes(16));
  }

  async run(): Promise<Storage> {
    let owner = await this.owner();
    const { identity } = owner;
    if (identity.sid !== this.options.sid)
      throw new StorageRefusal(
        42,
        `${this.folders.data} belongs to server ${identity.sid}; this one is server ${this.options.sid}. Check myid and dataDir`,
      );
    let state = NOTHING;
    if (!owner.lost)
      try {
        const reader = new StateReader(this.disk, this.folders, identity, this.options);
        state = this.heals ? await reader.healing(this.places) : await reader.strict();
      } catch (error) {
        if (!(error instanceof AmnesiaError)) throw error;
        this.options.onStartOver?.();
        owner = { ...owner, ...this.lose(forgotten(identity, this.incarnation()), error) };
      }
    return this.settle(owner, state);
  }

  private async owner(): Promise<Owner> {
    const { disk, folders, options } = this;
    let found: FoundIdentity | undefined;
    let lost: Owner | undefined;
    try {
      found = await findIdentity(disk, this.places);
    } catch (error) {
      if (!this.heals || !(error instanceof DamageError)) throw error;
      lost = this.lose(await lostIdentity(disk, this.places, options.sid, this.incarnation()), error);
    }
    await refuseUnfinished(disk, options);
    await refuseApache(disk, options, found?.identity !== undefined || lost !== undefined);
    await disk.mkdir(folders.data);
    await disk.mkdir(folders.log);
    if (lost !== undefined) return lost;
    const { identity, bothCurrent = false, warnings = [] } = found ?? {};
    if (identity !== undefined) return { identity, fresh: false, stale: !bothCurrent, lost: false, notes: warnings };
    const empty = newIdentity(options.sid, this.incarnation());
    const names = [...(await namesIn(disk, folders.data)), ...(await namesIn(disk, folders.log))];
    const left = names.find((name) => isLogName(name) || name.startsWith('snapshot.'));
    if (left === undefined) return { identity: empty, fresh: true, stale: true, lost: false, notes: [] };
    const damage = new DamageError({
      file: folders.data,
      reason: `it holds ${left} and no identity record`,
      identityLost: true,
      remedy: 'Nothing was changed. Restore the directory, its identity file included, from a copy',
    });
    if (!this.heals) throw damage;
    return this.lose(forgotten(empty, empty.incarnation), damage);
  }
  /** What is to be done about the damage is done here: only what was found is told of it. */
  private lose(identity: Identity, why: Error): Owner {
    const found = why instanceof DamageError ? describeDamage(why.damage) : why.message.replace(/\.$/, '');
    const notes = [`${found}. It is not known what this member promised: it begins anew, and its files are set aside`];
    return { identity, fresh: false, stale: true, lost: true, notes };
  }

  private async settle(owner: Owner, state: State): Promise<Storage> {
    const { disk, folders, options, place } = this;
    const { identity } = owner;
    if (options.forceSync && state.end !== undefined && !owner.lost)
      await settleLastGroup(disk, folders.log, identity.logs, state.end);
    for (const name of await namesIn(disk, folders.data))
      if (name.endsWith(TEMP)) await unlinkIfThere(disk, `${folders.data}/${name}`);
    const store = new IdentityStore(disk, this.places, identity);
    // the record comes first: a log file without one would look like a lost identity, and a promise is not to be forgotten twice
    if (owner.fresh || owner.lost) await store.update((now) => now);
    else if (owner.stale) await store.align();
    // only now: the record that no longer lists them may have been in the system's memory alone (foundations.md 13.6)
    await this.removeUnlisted(identity);
    const bootTag = hex(options.random.bytes(8));
    const events: LogEvents = { writing() {}, persisted() {}, failed() {} };
    const { generation = 1 } = options;
    const opened: Opened = {
      bootTag,
      at: state.at,
      committed: state.committed,
      fresh: owner.fresh,
      notes: [...owner.notes, ...state.notes],
      damage: state.damage,
      newestSnapshot: state.snapshot?.mark,
    };
    const { end } = state;
    if (end === undefined) {
      const log = new TxnLog(place, store.list, events, generation, state.at);
      await log.retire();
      return new Storage(options, store, log, place, folders, opened);
    }
    await this.settleSnapshots(identity, state);
    const file = await makeLogFile(place, state.at);
    const before = identity.logs.at(-1);
    // nothing was ever logged in it: what begins where it began stands in its place, however often the server is started
    const isEmpty = before !== undefined && end.end <= SECTOR;
    await store.update((now) => {
      const closed = now.logs.map((log) => (log.end === null ? { ...log, end: end.end } : log)).slice(state.badLogs);
      return { ...now, adoptedSnapshot: null, logs: [...(isEmpty ? closed.slice(0, -1) : closed), file.entry] };
    });
    // what stays for an error here is on no list, and the next start removes it
    if (isEmpty) await unlinkIfThere(disk, `${folders.log}/${logName(before)}`).catch(() => {});
    for (const entry of store.current.logs) await trimClosed(place, entry);
    const log = new TxnLog(place, store.list, events, generation, state.at, file);
    return new Storage(options, store, log, place, folders, opened);
  }
  private async removeUnlisted(identity: Identity): Promise<void> {
    const { disk, folders } = this;
    const listed = new Set(identity.logs.map(logName));
    for (const name of await namesIn(disk, folders.log))
      if (isLogName(name) && !listed.has(name)) await removeOld(disk, folders.log, name, identity.amnesiac);
    // a staged snapshot that was installed is no longer one
    if (identity.adoptedSnapshot === null) await removeStaged(disk, folders.data);
  }
  private async settleSnapshots(identity: Identity, { snapshot, badSnapshots }: State): Promise<void> {
    const { disk, folders } = this;
    for (const path of badSnapshots) await disk.rename(path, path + DAMAGED);
    if (badSnapshots.length > 0) await disk.syncDir(folders.data);
    if (identity.adoptedSnapshot === null) return;
    const mark: Mark = snapshot?.mark ?? ORIGIN;
    const staged = snapshot?.path.endsWith(STAGED) === true ? snapshot.path : undefined;
    await settleAdoption(disk, folders.data, mark, staged, identity.amnesiac);
    await removeStaged(disk, folders.data);
  }
}

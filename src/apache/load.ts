import { type Disk, DiskError } from '../ports/disk.ts';
import { follows, halvesOf } from '../records/log-record.ts';
import { ApacheDamage, FormatError } from './damage.ts';
import { treeDigest } from './digest.ts';
import { logsAmong, type NumberedFile, snapshotsAmong } from './names.ts';
import { type LogFileEnd, readLogFile } from './read-log.ts';
import { readSnapshot } from './read-snapshot.ts';
import { TYPE } from './records.ts';
import { ReplayedTree } from './replayed-tree.ts';
import { faultsOf } from './settle.ts';
import { decodeTxn, type LoggedTxn } from './txn.ts';

/** The two `version-2` folders, one and the same unless dataLogDir is set. */
export interface ApacheFolders {
  readonly data: string;
  readonly log: string;
}
export interface LoadOptions {
  /** What is not whole is told in `lost`, and the rest is taken as it is. */
  readonly acceptLoss: boolean;
  /** A snapshot without any log is enough, as it is for a server; an import asks whether the logs lie elsewhere. */
  readonly mayLackLogs?: boolean;
}
/** What the folders hold: the newest snapshot that is whole and the logs behind it. */
export interface LoadedApache {
  readonly state: ReplayedTree;
  readonly snapshot: string | undefined;
  /** Transactions of the logs that came after the snapshot. */
  readonly replayed: number;
  /** Things to know that cost nothing: what was never whole, snapshots passed over. */
  readonly notes: readonly string[];
  /** What is not as it was written; empty unless loss was accepted. */
  readonly lost: readonly string[];
  /** The tree is the one that the server which wrote the files says it had: undefined when they do not say. */
  readonly digestIsRight: boolean | undefined;
  /** The newest files that were there, so that what comes behind them later is told from them. */
  readonly newest: NewestFiles;
}
export interface NewestFiles {
  readonly snapshot: string | undefined;
  /** `end`: where its last transaction ends; undefined when it was not read so far. */
  readonly log: { readonly name: string; readonly end: number | undefined } | undefined;
}

const hex = (zxid: bigint): string => `0x${BigInt.asUintN(64, zxid).toString(16)}`;

/** Reads what an Apache server would start from, and changes nothing. @throws ApacheDamage, DiskError */
export const loadApache = (disk: Disk, folders: ApacheFolders, options: LoadOptions): Promise<LoadedApache> =>
  new Loading(disk, folders, options).run();

/** Names in a folder; none when it is not there. */
async function namesIn(disk: Disk, folder: string): Promise<string[]> {
  try {
    return await disk.readdir(folder);
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** A digest that the files tell of the tree, and up to where it holds. */
interface Told {
  readonly zxid: bigint;
  readonly digest: bigint;
}

class Loading {
  private readonly disk: Disk;
  private readonly folders: ApacheFolders;
  private readonly options: LoadOptions;
  private readonly notes: string[] = [];
  private readonly lost: string[] = [];
  private told: Told | undefined;
  private ahead: Told | undefined;
  private logEnd: number | undefined;

  constructor(disk: Disk, folders: ApacheFolders, options: LoadOptions) {
    this.disk = disk;
    this.folders = folders;
    this.options = options;
  }
  /** Refuses, unless loss was accepted. */
  private fault(file: string, offset: number | undefined, reason: string): void {
    const damage = new ApacheDamage(file, offset, reason);
    if (!this.options.acceptLoss) throw damage;
    this.lost.push(damage.message);
  }

  async run(): Promise<LoadedApache> {
    const { disk, folders } = this;
    const snapshots = snapshotsAmong(await namesIn(disk, folders.data));
    const logs = logsAmong(await namesIn(disk, folders.log));
    if (snapshots.length === 0 && logs.length === 0)
      throw new ApacheDamage(
        folders.data,
        undefined,
        'there is neither a snapshot nor a log of Apache ZooKeeper in it',
      );
    const { state, snapshot } = await this.begin(snapshots, logs);
    const before = state.count;
    await this.replay(state, logs);
    const replayed = state.count - before;
    // a snapshot that was passed over went so far: so must the logs
    const newest = snapshots.at(-1);
    if (newest !== undefined && newest.zxid > state.zxid)
      this.fault(
        `${folders.data}/${newest.name}`,
        undefined,
        `it cannot be used, and the logs end before it, at ${hex(state.zxid)}`,
      );
    if (logs.length === 0 && state.zxid > 0n) this.lackLogs(snapshot);
    const file = snapshot === undefined ? folders.log : `${folders.data}/${snapshot}`;
    for (const reason of faultsOf(state)) this.fault(file, undefined, reason);
    const log = logs.at(-1);
    return {
      state,
      snapshot,
      replayed,
      notes: this.notes,
      lost: this.lost,
      digestIsRight: this.checkDigest(state, file),
      newest: { snapshot: newest?.name, log: log && { name: log.name, end: this.logEnd } },
    };
  }
  private lackLogs(snapshot: string | undefined): void {
    const { log } = this.folders;
    if (this.options.mayLackLogs === true)
      this.notes.push(
        `${log}: there is no log in it (if its zoo.cfg has a dataLogDir, say --log-dir DIR: the logs there go further): a server starts from ${snapshot} alone`,
      );
    else
      this.fault(
        log,
        undefined,
        `there is no log in it, and ${snapshot} needs the one it was written beside (is dataLogDir elsewhere? --log-dir DIR says where)`,
      );
  }
  private checkDigest(state: ReplayedTree, file: string): boolean | undefined {
    const { told } = this;
    if (told === undefined) return undefined;
    const right = treeDigest(state.tree) === told.digest;
    if (!right)
      this.fault(
        file,
        undefined,
        `the tree that comes of it and of the logs has another digest than the server that wrote them had at ${hex(told.zxid)}`,
      );
    return right;
  }

  /** The newest snapshot that is whole; without any, the empty tree when the logs reach back to the first transaction. */
  private async begin(
    snapshots: readonly NumberedFile[],
    logs: readonly NumberedFile[],
  ): Promise<{ state: ReplayedTree; snapshot: string | undefined }> {
    const { disk, folders } = this;
    for (const { name, zxid } of snapshots.toReversed()) {
      const state = new ReplayedTree(zxid);
      const path = `${folders.data}/${name}`;
      try {
        const { parser } = await readSnapshot(disk, path, state);
        try {
          state.begun();
        } catch (error) {
          throw error instanceof FormatError ? new ApacheDamage(path, undefined, error.message) : error;
        }
        const { digest } = parser;
        if (digest !== undefined && digest.zxid === zxid) this.told = digest;
        else this.ahead = digest;
        return { state, snapshot: name };
      } catch (error) {
        if (!(error instanceof ApacheDamage)) throw error;
        this.notes.push(`${error.message}; it is passed over`);
      }
    }
    const first = logs[0];
    if (first?.zxid === 1n || first?.zxid === 0x1_0000_0001n)
      return { state: ReplayedTree.fresh(), snapshot: undefined };
    throw new ApacheDamage(
      folders.data,
      undefined,
      snapshots.length === 0
        ? 'there is no snapshot in it, and the logs do not reach back to the first transaction'
        : `no snapshot in it is whole: ${this.notes.join('; ')}`,
    );
  }

  private async replay(state: ReplayedTree, logs: readonly NumberedFile[]): Promise<void> {
    let first = logs.findLastIndex(({ zxid }) => zxid <= state.zxid + 1n);
    if (first < 0) first = 0;
    for (const [at, { name }] of [...logs.entries()].slice(first)) {
      const path = `${this.folders.log}/${name}`;
      try {
        const end = await this.readFile(path, state);
        const isNewest = at === logs.length - 1;
        if (isNewest) this.logEnd = end.at;
        if (end.isTorn) this.notes.push(this.torn(path, end, isNewest));
        else if (isNewest && end.size === 0)
          this.notes.push(
            `${path} is empty, as one is that was made just before its server ended; a copy may lack what is in it`,
          );
      } catch (error) {
        if (!(error instanceof ApacheDamage) || !this.options.acceptLoss) throw error;
        this.lost.push(`${error.message}; what follows ${hex(state.zxid)} is left out`);
        return;
      }
    }
  }
  private torn(path: string, { at }: LogFileEnd, isNewest: boolean): string {
    const why = isNewest
      ? 'a server that is cut off while it writes leaves one that was acknowledged to nobody; a copy that was cut off may lack more'
      : 'the next file goes on without it';
    return `${path}, offset ${at}: a transaction that was never whole is left out; ${why}`;
  }
  private readFile(path: string, state: ReplayedTree): Promise<LogFileEnd> {
    let last: bigint | undefined;
    return readLogFile(this.disk, path, ({ offset, bytes, isWhole }) => {
      if (!isWhole) throw new ApacheDamage(path, offset, 'the checksum of a transaction is wrong');
      let logged: LoggedTxn;
      try {
        logged = decodeTxn(bytes);
      } catch (error) {
        if (error instanceof FormatError) throw new ApacheDamage(path, offset, error.message, { cause: error });
        throw error;
      }
      const { zxid } = logged.header;
      if (last !== undefined && zxid <= last)
        throw new ApacheDamage(path, offset, `transaction ${hex(zxid)} comes after ${hex(last)}`);
      last = zxid;
      if (zxid <= state.zxid) return;
      const next = halvesOf(zxid);
      if (!follows(halvesOf(state.zxid), next.hi, next.lo))
        throw new ApacheDamage(path, offset, `transactions are missing: ${hex(zxid)} comes after ${hex(state.zxid)}`);
      try {
        state.replay(logged);
      } catch (error) {
        if (error instanceof FormatError) throw new ApacheDamage(path, offset, error.message, { cause: error });
        throw error;
      }
      this.note(logged);
    });
  }
  /** Keeps what the log says of the digest, for as long as it holds. */
  private note({ header, txn, digest }: LoggedTxn): void {
    const { zxid, type } = header;
    if (digest !== undefined) this.told = { zxid, digest };
    else if (this.ahead?.zxid === zxid) this.told = this.ahead;
    else if (type !== TYPE.error && txn.op !== 'createSession') this.told = undefined;
  }
}

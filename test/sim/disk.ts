import type { Random } from '../../src/base/random.ts';
import { type Disk, DiskError, type DiskFile, type OpenOptions } from '../../src/ports/disk.ts';

const SECTOR = 512;

/** A file's bytes: what would survive a power cut for certain, and what a reader sees now. */
class Content {
  durable = Buffer.alloc(0);
  now = Buffer.alloc(0);
  /** How often a sync failed: each handle that was open then is told once, as Linux does since 4.13. */
  errors = 0;
  /** Sectors changed since they were last on the disk for certain. */
  readonly loose = new Set<number>();
  put(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.now.length) this.now = Buffer.concat([this.now, Buffer.alloc(end - this.now.length)]);
    this.now.set(bytes, at);
    for (let sector = Math.floor(at / SECTOR); sector * SECTOR < end; sector++) this.loose.add(sector);
  }
  settle(from = 0, end = this.now.length): void {
    if (this.durable.length < this.now.length)
      this.durable = Buffer.concat([this.durable, Buffer.alloc(this.now.length - this.durable.length)]);
    for (const sector of [...this.loose]) {
      if ((sector + 1) * SECTOR <= from || sector * SECTOR >= end) continue;
      this.now.copy(this.durable, sector * SECTOR, sector * SECTOR, Math.min(this.now.length, (sector + 1) * SECTOR));
      this.loose.delete(sector);
    }
  }
}

interface Handle {
  readonly path: string;
  readonly content: Content;
  /** Of the file, those that this handle has been told of. */
  errors: number;
}

interface Moved {
  readonly from: string;
  readonly to: string;
  readonly content: Content;
}
/**
 * A disk in memory that may lose power. What was not synced survives sector by sector as chance has it, in any order; names
 * made, changed and removed count only once their folder was synced. `lossy` false: sync and O_DSYNC do nothing (tests of tests).
 */
export class SimDisk {
  /** Names as a reader sees them, and as the disk has them for certain. */
  private names = new Map<string, Content>();
  private durableNames = new Map<string, Content>();
  /** Renames that are not certain yet: after a power cut the file has one of its names, or both, as file systems promise. */
  private moved: Moved[] = [];
  private readonly folders = new Set<string>();
  private readonly random: Random;
  private readonly syncs: boolean;
  /** Files whose path begins so cannot be read. */
  unreadable: string | undefined;
  /** Grows with every end of a process and every power cut. */
  life = 0;
  /** Port calls so far, and the one at which power is cut. */
  calls = 0;
  cutAt = Number.POSITIVE_INFINITY;
  /** False: at `cutAt` the process ends and the machine goes on. */
  cutsPower = true;
  onCut: () => void = () => {};
  /** What a call waits for before it happens: a disk is slower than the program. */
  pace: () => Promise<void> = () => Promise.resolve();
  /** What a write that is to be on the disk at once waits for beside that. */
  lag: (path: string) => Promise<void> | undefined = () => undefined;
  /** Asked at every open, write, read, sync and folder sync: an errno name makes it fail; of a write any whole sectors are done. */
  fault: (call: 'open' | 'write' | 'read' | 'sync' | 'syncDir', path: string) => string | undefined = () => undefined;

  /** Where a write lands instead, and from where a read comes instead; undefined: where they should. */
  redirect: ((path: string, at: number, bytes: Uint8Array) => { path: string; at: number } | undefined) | undefined;
  /** Told before a file is opened to be read, as every start does with the log's. */
  onOpen: ((path: string) => void) | undefined;
  misread: ((path: string, at: number) => number | undefined) | undefined;
  /** Something was done to it from outside: what is read may be other than what was written. */
  hurt = false;
  /** Bytes that are free. */
  room = 1e12;
  /** Told of every write as it begins, and of bytes that are on the disk for certain, with those bytes. */
  onWrite: ((path: string, bytes: Uint8Array, at: number) => void) | undefined;
  onDurable: ((path: string, durable: Buffer, from: number, end: number) => void) | undefined;

  constructor(random: Random, syncs = true) {
    this.random = random;
    this.syncs = syncs;
  }
  /** Every call is a place where power may be cut; after it the old life's calls never return. */
  private async call<T>(life: number, run: () => T): Promise<T> {
    if (life !== this.life) return new Promise(() => {});
    this.calls++;
    if (this.calls >= this.cutAt) {
      if (this.cutsPower) this.powerCut();
      else this.unplug();
      return new Promise(() => {});
    }
    await this.pace();
    return life === this.life ? run() : new Promise(() => {});
  }
  /** The process that used the disk is gone: its calls never return. What it wrote stays, synced or not. */
  unplug(): void {
    this.life++;
    this.cutAt = Number.POSITIVE_INFINITY;
    this.onCut();
  }
  /** What power cuts took: sectors that were not synced, files of which a part stayed, names. */
  readonly lost = { sectors: 0, torn: 0, names: 0 };
  powerCut(): void {
    const survivors = new Map<string, Content>();
    for (const name of new Set([...this.names.keys(), ...this.durableNames.keys()])) {
      const before = this.durableNames.get(name);
      const after = this.names.get(name);
      const content = before === after || this.random.below(2) === 0 ? before : after;
      if (content !== undefined) survivors.set(name, content);
      if (content !== after) this.lost.names++;
    }
    for (const each of this.moved)
      if (this.isKept(each) && survivors.get(each.from) !== each.content) survivors.set(each.to, each.content);
    this.moved = [];
    for (const content of new Set(survivors.values())) {
      const kept = Buffer.alloc(Math.max(content.durable.length, content.now.length));
      content.durable.copy(kept);
      const had = content.loose.size;
      let stayed = 0;
      for (const sector of content.loose)
        if (this.random.below(2) === 0 && ++stayed > 0)
          content.now.copy(kept, sector * SECTOR, sector * SECTOR, Math.min(content.now.length, (sector + 1) * SECTOR));
      this.lost.sectors += had - stayed;
      if (stayed > 0 && stayed < had) this.lost.torn++;
      content.now = kept;
      content.durable = Buffer.from(kept);
      content.loose.clear();
    }
    this.names = survivors;
    this.durableNames = new Map(survivors);
    this.unplug();
  }
  private has(path: string): Content {
    const content = this.names.get(path);
    if (content === undefined) throw new DiskError('ENOENT', path, 'open');
    return content;
  }
  /** The disk as one life of a process sees it: after a power cut its calls do nothing and never return. */
  plug(): Disk {
    const life = this.life;
    return {
      open: (path, options) => this.open(life, path, options),
      rename: (from, to) => this.rename(life, from, to),
      unlink: (path) => this.unlink(life, path),
      readdir: (path) => this.readdir(life, path),
      mkdir: (path) => this.call(life, () => void this.folders.add(path)),
      syncDir: (path) => this.syncDir(life, path),
      exists: (path) => this.call(life, () => this.names.has(path)),
      free: () => this.call(life, () => this.room),
    };
  }
  private open(life: number, path: string, options: OpenOptions): Promise<DiskFile> {
    return this.call(life, () => {
      if (options.readonly === true) this.onOpen?.(path);
      const code = this.fault('open', path);
      if (code !== undefined) throw new DiskError(code, path, 'open');
      let content = this.names.get(path);
      if (content !== undefined && options.exclusive === true) throw new DiskError('EEXIST', path, 'open');
      if (content === undefined) {
        if (options.create !== true) throw new DiskError('ENOENT', path, 'open');
        content = new Content();
        this.names.set(path, content);
      }
      return this.file(path, content, options.dsync === true, life);
    });
  }
  private file(path: string, content: Content, dsync: boolean, life: number): DiskFile {
    const handle: Handle = { path, content, errors: content.errors };
    return {
      path,
      read: (into, at) =>
        this.call(life, () => {
          if (this.unreadable !== undefined && path.startsWith(this.unreadable))
            throw new DiskError('EIO', path, 'read');
          const code = this.fault('read', path);
          if (code !== undefined) {
            this.hurt = true;
            throw new DiskError(code, path, 'read');
          }
          const { now } = content;
          const from = this.misread?.(path, at) ?? at;
          if (from !== at) this.hurt = true;
          return now.copy(into, 0, Math.min(from, now.length), Math.min(now.length, from + into.length));
        }),
      write: async (bytes, at) => {
        // between these two calls the write is under way: power cut there leaves any of its sectors
        await this.call(life, () => {
          const code = this.fault('write', path);
          this.onWrite?.(path, bytes, at);
          const elsewhere = this.redirect?.(path, at, bytes);
          if (elsewhere !== undefined) {
            this.hurt = true;
            const other = this.has(elsewhere.path);
            other.put(bytes, elsewhere.at);
            other.settle(elsewhere.at, elsewhere.at + bytes.length);
            return;
          }
          content.put(
            code === undefined
              ? bytes
              : bytes.subarray(0, SECTOR * this.random.below(1 + Math.floor(bytes.length / SECTOR))),
            at,
          );
          if (code !== undefined) throw new DiskError(code, path, 'write');
        });
        if (dsync) await this.lag(path);
        await this.call(life, () => {
          if (dsync) this.reach(handle, at, at + bytes.length);
        });
      },
      sync: () => this.call(life, () => this.reach(handle, 0, content.now.length)),
      size: () => this.call(life, () => content.now.length),
      truncate: (length) =>
        this.call(life, () => {
          content.now = Buffer.from(content.now.subarray(0, length)); // not durable: power may bring back what was there
          for (const sector of [...content.loose]) if (sector * SECTOR >= length) content.loose.delete(sector);
        }),
      close: () => this.call(life, () => {}),
    };
  }
  /**
   * Brings written bytes to the disk, or fails. After a failure any of the sectors reached it, the others are lost, and the
   * system takes all for written: a second sync would succeed.
   */
  private reach(handle: Handle, from: number, end: number): void {
    if (!this.syncs) return;
    const { content, path } = handle;
    if (handle.errors < content.errors) {
      handle.errors = content.errors;
      throw new DiskError('EIO', path, 'sync');
    }
    const code = this.fault('sync', path);
    if (code === undefined) {
      content.settle(from, end);
      this.onDurable?.(path, content.durable, from, end);
      return;
    }
    for (const sector of [...content.loose])
      if (this.random.below(2) === 0) content.settle(sector * SECTOR, (sector + 1) * SECTOR);
    content.loose.clear();
    handle.errors = ++content.errors;
    throw new DiskError(code, path, 'sync');
  }
  private rename(life: number, from: string, to: string): Promise<void> {
    return this.call(life, () => {
      const content = this.has(from);
      this.names.set(to, content);
      this.names.delete(from);
      this.moved.push({ from, to, content });
    });
  }
  private unlink(life: number, path: string): Promise<void> {
    return this.call(life, () => {
      this.has(path);
      this.names.delete(path);
    });
  }
  private readdir(life: number, path: string): Promise<string[]> {
    return this.call(life, () => {
      if (!this.folders.has(path)) throw new DiskError('ENOENT', path, 'list');
      return [...this.names.keys()]
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1));
    });
  }
  private syncDir(life: number, path: string): Promise<void> {
    return this.call(life, () => {
      if (!this.syncs) return;
      const code = this.fault('syncDir', path);
      if (code !== undefined) throw new DiskError(code, path, 'sync folder');
      const inside = (name: string): boolean => name.startsWith(`${path}/`);
      this.moved = this.moved.filter(({ to }) => !inside(to));
      for (const name of this.durableNames.keys())
        if (inside(name) && !this.names.has(name)) this.durableNames.delete(name);
      for (const [name, content] of this.names) if (inside(name)) this.durableNames.set(name, content);
    });
  }
  /** The bytes of a file, to be looked at or damaged in place. */
  raw(path: string): Buffer {
    return this.has(path).now;
  }
  /** Flips a bit of what is on the disk and of what is read. */
  flip(path: string, at: number, bit: number): void {
    this.hurt = true;
    const { now, durable } = this.has(path);
    for (const bytes of [now, durable]) if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << bit);
  }
  /** Bytes are where they belong after all. Nothing when the file is gone. */
  land(path: string, bytes: Uint8Array, at: number): void {
    const content = this.names.get(path);
    content?.put(bytes, at);
    content?.settle(at, at + bytes.length);
  }
  replace(path: string, bytes: Buffer): void {
    const content = this.has(path);
    content.now = Buffer.from(bytes);
    content.durable = Buffer.from(bytes);
  }
  /** Puts a file there, or another in its place, everything durable. */
  put(path: string, bytes: Uint8Array): void {
    if (!this.names.has(path)) {
      const content = new Content();
      this.names.set(path, content);
      this.durableNames.set(path, content);
    }
    this.replace(path, Buffer.from(bytes));
  }
  paths(): string[] {
    return [...this.names.keys()].sort();
  }
  remove(path: string): void {
    this.hurt = true;
    this.names.delete(path);
    this.durableNames.delete(path);
  }
  /**
   * What a power cut now may leave of a file: one of these, the second when its name was given to another and the folder was
   * not synced. Undefined: nothing, or not all that was written.
   */
  afterPowerCut(path: string): (Buffer | undefined)[] {
    return [...new Set([this.durableNames.get(path), this.names.get(path)])].map((content) =>
      content === undefined || content.loose.size > 0 ? undefined : content.durable,
    );
  }
  /** Renamed, which is not certain yet: whole on the disk, under one of the two names or both. */
  isUnderEither(from: string, to: string): boolean {
    return this.moved.some(
      (each) => each.from === from && each.to === to && each.content.loose.size === 0 && this.isKept(each),
    );
  }
  /** Its old name is certain, its new one is what a reader sees: a power cut leaves one of them. */
  private isKept({ from, to, content }: Moved): boolean {
    return this.durableNames.get(from) === content && this.names.get(to) === content;
  }
  /** What would be left at least, whatever chance makes of a power cut now. */
  durableFiles(): Map<string, Buffer> {
    return new Map([...this.durableNames].map(([name, content]) => [name, Buffer.from(content.durable)]));
  }
  /** These files and no others from now on, all durable. */
  become(files: ReadonlyMap<string, Uint8Array>): void {
    this.hurt = true;
    this.names = new Map();
    this.durableNames = new Map();
    for (const [name, bytes] of files) {
      const content = new Content();
      content.now = Buffer.from(bytes);
      content.durable = Buffer.from(bytes);
      this.names.set(name, content);
      this.durableNames.set(name, content);
    }
  }
  /** A disk of its own with the same files, everything durable. */
  copy(random: Random): SimDisk {
    return SimDisk.of(new Map([...this.names].map(([name, content]) => [name, content.now])), random);
  }
  /** A disk with these files, everything durable. */
  static of(files: ReadonlyMap<string, Uint8Array>, random: Random): SimDisk {
    const disk = new SimDisk(random);
    for (const [name, bytes] of files) {
      const content = new Content();
      content.now = Buffer.from(bytes);
      content.durable = Buffer.from(bytes);
      disk.names.set(name, content);
      disk.durableNames.set(name, content);
      disk.folders.add(name.slice(0, name.lastIndexOf('/')));
    }
    return disk;
  }
}

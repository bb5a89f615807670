import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { VERSION_2 } from '../offline/apache-place.ts';
import { parseProperties } from '../server/config.ts';

const MAINS = new Set([
  'org.apache.zookeeper.server.quorum.QuorumPeerMain',
  'org.apache.zookeeper.server.ZooKeeperServerMain',
]);

/**
 * Who uses the directories in which these folders lie, a clause that begins with the process; undefined where nobody is seen. A
 * server has its log open once it took a write; one that took none is known by its command line and the zoo.cfg there. Nobody sees
 * into another user's processes, nor into another machine's.
 */
export function userOf(...folders: readonly string[]): string | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return undefined;
  }
  const all = [...new Set(folders)];
  const roots = [...new Set(all.map((folder) => (basename(folder) === VERSION_2 ? dirname(folder) : folder)))];
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const seen = new SeenProcess(`/proc/${name}`);
    const open = all.find((folder) => seen.opens(folder)) ?? roots.find((root) => seen.isJava && seen.livesIn(root));
    if (open !== undefined) return `process ${name} has files of ${open} open`;
    const served = seen.serves(roots);
    if (served !== undefined) return `process ${name} is a ZooKeeper server of ${served}`;
  }
  return undefined;
}

/** One process, as far as this user may look at it; what cannot be seen is not there. */
class SeenProcess {
  private readonly proc: string;
  private words: readonly string[] | undefined;
  private open: readonly string[] | undefined;

  constructor(proc: string) {
    this.proc = proc;
  }
  private get argv(): readonly string[] {
    this.words ??= tried(() => readFileSync(`${this.proc}/cmdline`, 'utf8').split('\0').slice(0, -1)) ?? [];
    return this.words;
  }
  private get files(): readonly string[] {
    this.open ??= (tried(() => readdirSync(`${this.proc}/fd`)) ?? []).flatMap(
      (fd) => tried(() => [readlinkSync(`${this.proc}/fd/${fd}`)]) ?? [],
    );
    return this.open;
  }
  get isJava(): boolean {
    return /^java\b/.test(basename(this.argv[0] ?? ''));
  }
  /** It has a file of the folder open. */
  opens(folder: string): boolean {
    const inside = `${tried(() => realpathSync(folder)) ?? folder}/`;
    return this.files.some((path) => path.startsWith(inside));
  }
  /** The same, or it stands in there: no sign by itself, since whoever looks after a server stands in there, too. */
  livesIn(folder: string): boolean {
    const cwd = tried(() => readlinkSync(`${this.proc}/cwd`));
    return this.opens(folder) || (cwd !== undefined && cwd === tried(() => realpathSync(folder)));
  }
  /** Which of the directories it was started on, when it is one of Apache's servers. */
  serves(roots: readonly string[]): string | undefined {
    const at = this.argv.findIndex((word) => MAINS.has(word));
    if (at < 0) return undefined;
    const own = this.dirsOf(this.argv.slice(at + 1)).flatMap((dir) => tried(() => [this.stat(dir)]) ?? []);
    return roots.find((root) => {
      const ours = tried(() => statSync(root));
      return ours !== undefined && own.some(({ dev, ino }) => dev === ours.dev && ino === ours.ino);
    });
  }
  /** `zoo.cfg`, or `PORT DATADIR ...`. */
  private dirsOf([file, dir]: readonly string[]): string[] {
    if (file === undefined) return [];
    if (/^\d+$/.test(file) && dir !== undefined) return [dir];
    const text = tried(() => readFileSync(this.pathOf(file), 'utf8')) ?? tried(() => readFileSync(file, 'utf8')) ?? '';
    const settings = tried(() => parseProperties(text, file)) ?? [];
    return settings.flatMap(({ key, value }) => (key === 'dataDir' || key === 'dataLogDir' ? [value] : []));
  }
  /** As that process sees it: its folder, and in a container its root, are others than ours. */
  private pathOf(path: string): string {
    return isAbsolute(path) ? `${this.proc}/root${path}` : join(`${this.proc}/cwd`, path);
  }
  private stat(path: string): { readonly dev: number; readonly ino: number } {
    return tried(() => statSync(this.pathOf(path))) ?? statSync(path);
  }
}

/** Undefined where the system refuses: nothing there, or another user's. */
function tried<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

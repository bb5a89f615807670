import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type {
  EnsembleSummary,
  EnsembleView,
  LocalEnsembles,
  LogLine,
  PartitionView,
  ScaleHow,
  Tell,
} from '../shell/ensembles.ts';
import { Failure, usage } from '../shell/failure.ts';
import { Ensemble, hinderedText } from './ensemble.ts';
import { dynamicFileOf } from './in-force.ts';
import { ensembleNames, MEMBER_WORDS, memberFolder, NAME } from './layout.ts';
import { followLogs, lastLines } from './logs.ts';
import { removeFiles } from './make.ts';
import { type MemberCommand, MemberProcess } from './process.ts';
import { scale } from './scale.ts';
import { shownConfig } from './shown-config.ts';
import { viewOf } from './status.ts';

/** How long members may take until they serve again. */
const START_MS = 30_000;
/** How long a process may take until it is gone once it was killed. */
const GONE_MS = 10_000;
/** What a name stands for when none is given and none runs. */
const USUAL_NAME = 'local';

export interface LocalOptions {
  /** Holds a folder for each ensemble. */
  readonly root: string;
  /** Folder of an ensemble that comes before those: the one this program runs within. */
  readonly current: string | undefined;
  readonly command: MemberCommand;
}

/** The ensembles of a folder. */
export class EnsemblesOf implements LocalEnsembles {
  private readonly options: LocalOptions;
  constructor(options: LocalOptions) {
    this.options = options;
  }
  names(): readonly string[] {
    const { root, current } = this.options;
    const within = current === undefined ? undefined : orBroken(current);
    return [...(within instanceof Ensemble ? [within.name] : []), ...ensembleNames(root)];
  }
  split(words: readonly string[]): { name: string | undefined; rest: readonly string[] } {
    const [first, ...rest] = words;
    const isName = first !== undefined && NAME.test(first) && !MEMBER_WORDS.has(first);
    return isName ? { name: first, rest } : { name: undefined, rest: words };
  }
  /** @throws Failure (2) when it is not there, or several could be meant */
  open(name: string | undefined): Ensemble {
    const { root, current } = this.options;
    if (current !== undefined) {
      const within = new Ensemble(current);
      if (name === undefined || name === within.name) return within;
    }
    const names = ensembleNames(root);
    if (name !== undefined) {
      if (names.includes(name)) return new Ensemble(join(root, name));
      throw usage(`there is no ensemble ${name}`, `zoosh start ensemble ${name} makes one`);
    }
    const running = names.filter((each) => {
      const found = orBroken(join(root, each));
      return found instanceof Ensemble && found.running.length > 0;
    });
    const meant = running.length === 1 ? running[0] : names.length === 1 ? names[0] : undefined;
    if (meant !== undefined) return new Ensemble(join(root, meant));
    if (names.includes(USUAL_NAME)) return new Ensemble(join(root, USUAL_NAME));
    if (names.length === 0) throw usage('there is no ensemble', 'zoosh start ensemble makes one');
    throw usage(`which ensemble? there are ${names.join(', ')}`, 'its name comes before the members');
  }

  async list(): Promise<readonly EnsembleSummary[]> {
    const { root, current } = this.options;
    const paths = ensembleNames(root).map((name) => join(root, name));
    return (current === undefined ? paths : [current, ...paths]).map((path) => {
      const found = orBroken(path);
      if (!(found instanceof Ensemble)) return broken(path, found);
      const { file, name, running, connect } = found;
      return {
        name,
        members: file.members.length,
        up: running.length,
        connect,
        created: Date.parse(file.created),
        bytes: file.members.reduce((sum, { id }) => sum + bytesIn(memberFolder(file, id)), 0),
      };
    });
  }
  view(name: string | undefined, withDigest = false): Promise<EnsembleView> {
    return viewOf(this.open(name), withDigest);
  }

  async stop(name: string | undefined, members: readonly string[]): Promise<readonly number[]> {
    const ensemble = this.open(name);
    return ensemble.end(await this.pick(ensemble, members), 'SIGTERM');
  }
  async start(
    name: string | undefined,
    members: readonly string[],
    signal: AbortSignal,
    tell?: Tell,
  ): Promise<readonly number[]> {
    const ensemble = this.open(name);
    const picked = await this.pick(ensemble, members);
    const ids = picked.filter((id) => ensemble.process(id).find() === undefined);
    const { command } = this.options;
    if (ids.length === 0) return ids;
    const hindered = await ensemble.bringUp(ids, { command, leash: false, timeoutMs: START_MS, signal });
    if (hindered.length > 0) tell?.(hinderedText(ensemble.name, hindered));
    return ids;
  }
  async restart(
    name: string | undefined,
    members: readonly string[],
    signal: AbortSignal,
    tell?: Tell,
  ): Promise<readonly number[]> {
    const ensemble = this.open(name);
    const ids = await this.pick(ensemble, members);
    const { command } = this.options;
    const how = { command, leash: false, timeoutMs: START_MS, signal };
    const hindered: number[] = [];
    // one after the other when they were named, so that the others serve on
    for (const some of members.length > 0 ? ids.map((id) => [id]) : [ids]) {
      await ensemble.end(some, 'SIGTERM');
      hindered.push(...(await ensemble.bringUp(some, how)));
    }
    if (hindered.length > 0) tell?.(hinderedText(ensemble.name, hindered));
    return ids;
  }
  async kill(name: string | undefined, members: readonly string[]): Promise<readonly number[]> {
    const ensemble = this.open(name);
    const ids = await this.pickSome(ensemble, members, 'kill');
    const killed = await ensemble.end(ids, 'SIGKILL');
    return this.concerned(ensemble, ids, killed, 'does not run');
  }
  async pause(name: string | undefined, members: readonly string[]): Promise<readonly number[]> {
    const ensemble = this.open(name);
    const ids = await this.pickSome(ensemble, members, 'pause');
    const done = await this.pauseAll(ensemble, ids, true);
    return this.concerned(ensemble, ids, done, 'does not run');
  }
  async resume(name: string | undefined, members: readonly string[]): Promise<readonly number[]> {
    const ensemble = this.open(name);
    const paused = ensemble.ids.filter((id) => ensemble.process(id).find()?.paused === true);
    const ids = members.length === 0 ? paused : await this.pick(ensemble, members);
    const done = await this.pauseAll(ensemble, ids, false);
    await ensemble.applyFaults(done); // those that came while it slept
    return this.concerned(ensemble, ids, done, 'does not run');
  }
  private async pauseAll(ensemble: Ensemble, ids: readonly number[], paused: boolean): Promise<number[]> {
    const hit = await Promise.all(ids.map((id) => ensemble.process(id).pause(paused)));
    return ids.filter((_, at) => hit[at]);
  }
  private concerned(ensemble: Ensemble, ids: readonly number[], done: readonly number[], what: string): number[] {
    const missed = ids.filter((id) => !done.includes(id));
    if (done.length === 0 && missed.length > 0)
      throw new Failure(2, 'NotRunning', `member ${missed.join(', ')} of ${ensemble.name} ${what}`);
    return [...done];
  }

  async partition(name: string | undefined, words: readonly string[], clients: boolean): Promise<PartitionView> {
    const ensemble = this.open(name);
    const groups = words
      .join(' ')
      .split('/')
      .map((group) =>
        group
          .trim()
          .split(/[\s,]+/)
          .filter((word) => word !== ''),
      );
    if (groups.length < 2 || groups.some((group) => group.length === 0))
      throw usage('partition: say which members are on which side', 'zoosh ensemble partition 1,2 / 3');
    const sides: number[][] = [];
    for (const group of groups) sides.push([...(await this.pick(ensemble, group))]);
    const all = sides.flat();
    if (new Set(all).size < all.length) throw usage('partition: a member is on one side only');
    ensemble.folder.faults = { ...ensemble.folder.faults, groups: sides, clients };
    await ensemble.applyFaults(ensemble.awake);
    return { groups: sides, majority: ensemble.majority(sides) };
  }
  async lag(name: string | undefined, members: readonly string[], ms: number): Promise<readonly number[]> {
    const ensemble = this.open(name);
    const ids = await this.pickSome(ensemble, members, 'lag');
    const { faults } = ensemble.folder;
    const lag: Record<string, number> = { ...faults.lag };
    for (const id of ids) lag[String(id)] = ms;
    ensemble.folder.faults = { ...faults, lag };
    for (const id of ids) if (ensemble.awake.includes(id)) await ensemble.ask(id, { op: 'lag', ms });
    return ids;
  }
  async heal(name: string | undefined): Promise<void> {
    const ensemble = this.open(name);
    ensemble.folder.faults = {};
    await Promise.all(ensemble.awake.map((id) => ensemble.ask(id, { op: 'heal' })));
  }
  scale(name: string | undefined, voters: number, observers: number | undefined, how: ScaleHow): Promise<EnsembleView> {
    const { command } = this.options;
    return scale(this.open(name), voters, observers, { ...how, command, timeoutMs: START_MS });
  }

  async logs(name: string | undefined, members: readonly string[], last: number): Promise<readonly LogLine[]> {
    const ensemble = this.open(name);
    return lastLines(ensemble, await this.pick(ensemble, members), last);
  }
  async *follow(name: string | undefined, members: readonly string[], signal: AbortSignal): AsyncGenerator<LogLine> {
    const ensemble = this.open(name);
    yield* followLogs(ensemble, await this.pick(ensemble, members), signal);
  }
  async config(name: string | undefined, member: string): Promise<string> {
    const ensemble = this.open(name);
    const [id] = await this.pick(ensemble, [member]);
    const file = join(memberFolder(ensemble.file, id as number), 'zoo.cfg');
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Failure(40, 'CannotRead', `${file} cannot be read: ${code === 'ENOENT' ? 'it is not there' : code}`);
    }
    const dynamic = dynamicFileOf(ensemble.file, id as number);
    const lines = dynamic === undefined ? '' : `# ${dynamic.path}:\n${dynamic.text}`;
    return shownConfig(`${text.trimEnd()}\n${lines}`);
  }
  async destroy(name: string | undefined): Promise<void> {
    const path = name === undefined ? undefined : this.brokenPath(name);
    if (path !== undefined) return removeBroken(path);
    const ensemble = this.open(name);
    await ensemble.end(ensemble.ids, 'SIGKILL');
    removeFiles(ensemble);
  }
  private brokenPath(name: string): string | undefined {
    const path = join(this.options.root, name);
    return ensembleNames(this.options.root).includes(name) && orBroken(path) instanceof Failure ? path : undefined;
  }

  private async pickSome(ensemble: Ensemble, words: readonly string[], what: string): Promise<readonly number[]> {
    if (words.length === 0)
      throw usage(`${what}: which member?`, `${ensemble.ids.join(', ')}, leader, follower, observer or random`);
    return this.pick(ensemble, words);
  }
  /** Words to ids, each once; no word means everybody. @throws Failure: 2, or 45 when nobody is what a word says */
  private async pick(ensemble: Ensemble, words: readonly string[]): Promise<readonly number[]> {
    if (words.length === 0) return ensemble.ids;
    let view: EnsembleView | undefined;
    const out = new Set<number>();
    for (const word of words.flatMap((each) => each.split(',')).filter((each) => each !== '')) {
      if (/^\d+$/.test(word)) {
        out.add(ensemble.member(Number(word)).id);
        continue;
      }
      if (!MEMBER_WORDS.has(word))
        throw usage(`no member is called ${word}`, 'a number, leader, follower, observer or random');
      view ??= await viewOf(ensemble);
      const fit = view.members
        .filter(({ role, pid }) => (word === 'random' ? pid !== undefined : role === word))
        .map(({ id }) => id);
      if (fit.length === 0)
        throw new Failure(
          45,
          'NoSuchMember',
          `${ensemble.name} has no ${word === 'random' ? 'running member' : word} now`,
        );
      out.add(fit[Math.floor(Math.random() * fit.length)] as number);
    }
    return [...out];
  }
}

/** Of one whose ensemble.json is of no use: why. */
function orBroken(path: string): Ensemble | Failure {
  try {
    return new Ensemble(path);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
const broken = (path: string, { message }: Failure): EnsembleSummary => ({
  name: basename(path),
  members: 0,
  up: 0,
  connect: '',
  created: statSync(path).ctimeMs,
  bytes: bytesIn(path),
  problem: message,
});
/** Ends and removes what is found in its folder; members that lie elsewhere are not known any more. */
async function removeBroken(path: string): Promise<void> {
  const members = readdirSync(path)
    .filter((each) => /^member-\d+$/.test(each))
    .map((each) => new MemberProcess(join(path, each)));
  for (const member of members) member.signal('SIGKILL');
  for (const member of members) await member.gone(GONE_MS);
  rmSync(path, { recursive: true, force: true });
}

function bytesIn(folder: string): number {
  let sum = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
      if (entry.isFile()) sum += sizeOnDisk(join(entry.parentPath, entry.name));
  } catch {
    // going away while we look
  }
  return sum;
}
/** Logs are filled with zeroes ahead: what counts is what they take on the disk. */
function sizeOnDisk(file: string): number {
  try {
    const { blocks, size } = statSync(file);
    return Math.min(size, blocks * 512);
  } catch {
    return 0;
  }
}

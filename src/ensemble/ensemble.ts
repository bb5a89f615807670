import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fourLetterWord } from '../client/connect.ts';
import type { ControlRequest, ControlResults } from '../runtime/control-messages.ts';
import type { ExitCode } from '../shell/exit-codes.ts';
import { Failure, usage } from '../shell/failure.ts';
import { askMember } from './control-client.ts';
import { connectString, type EnsembleFile, EnsembleFolder, type MemberFile, memberFolder, votersOf } from './layout.ts';
import { type MemberCommand, MemberProcess } from './process.ts';

/** Between two looks at whether members serve. */
const POLL_MS = 20;
/** Between two tries to put faults into a member that has just begun. */
const FAULT_POLL_MS = 5;
const WORD_MS = 500;
/** From a member's beginning until it has its control socket. */
const BEGIN_MS = 5000;
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);
/** How long an orderly end may take before it is ended hard. */
const STOP_MS = 10_000;
/** Codes with which a server says why it did not start. */
const START_CODES: ReadonlySet<number> = new Set([40, 41, 42, 43, 44]);

export interface BringUp {
  readonly command: MemberCommand;
  /** Members end with this process, not only while they start. */
  readonly leash: boolean;
  /** Files that go with this process, when it is killed. */
  readonly temporary?: { readonly paths: readonly string[]; readonly until: 'serving' | 'end' } | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A local ensemble: its files and its processes. */
export class Ensemble {
  readonly folder: EnsembleFolder;
  readonly file: EnsembleFile;
  /** @throws Failure (2) when there is none in that folder */
  constructor(path: string) {
    this.folder = new EnsembleFolder(path);
    this.file = this.folder.read();
  }
  get name(): string {
    return this.file.name;
  }
  get connect(): string {
    return connectString(this.file);
  }
  get ids(): number[] {
    return this.file.members.map(({ id }) => id);
  }
  /** @throws Failure (2) */
  member(id: number): MemberFile {
    const found = this.file.members.find((each) => each.id === id);
    if (found !== undefined) return found;
    throw usage(`${this.name} has no member ${id}`, `its members are ${this.ids.join(', ')}`);
  }
  process(id: number): MemberProcess {
    return new MemberProcess(memberFolder(this.file, id));
  }
  get running(): number[] {
    return this.ids.filter((id) => this.process(id).find() !== undefined);
  }
  /** Those that can answer. */
  get awake(): number[] {
    return this.ids.filter((id) => this.process(id).find()?.paused === false);
  }
  ask<R extends ControlRequest>(id: number, request: R, timeoutMs?: number): Promise<ControlResults[R['op']]> {
    return askMember(this.member(id).control, request, timeoutMs);
  }

  /** Whether a member serves clients: it answers `srvr` with what it is. */
  private async serves({ client }: MemberFile, signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await fourLetterWord('srvr', { host: this.file.host, port: client, timeoutMs: WORD_MS, signal });
      return /^Mode: /m.test(answer);
    } catch {
      return false;
    }
  }

  /**
   * Starts members and waits until they serve: all of the ensemble until a majority of the voters does, some of it until
   * these do. Where there can be no majority, and of those whom a partition or a lag keeps from it, until they answer on their
   * control sockets: their ids are returned. What was started is ended again when that takes too long.
   * @throws Failure: why a member ended (40 to 44), 45, or the signal's reason
   */
  async bringUp(ids: readonly number[], how: BringUp): Promise<readonly number[]> {
    const started = ids.filter((id) => this.process(id).find() === undefined);
    for (const id of started) this.checkFiles(id);
    const logs = new Map(started.map((id) => [id, sizeOf(this.process(id).logFile)]));
    const exits = new Map<number, number>();
    const children: ChildProcess[] = [];
    try {
      for (const id of started) {
        const { control } = this.member(id);
        const config = join(memberFolder(this.file, id), 'zoo.cfg');
        const words = ['start', 'server', '--config', config, '--control', control, ...this.superWords()];
        const child = this.process(id).spawn(how.command, words, how.temporary?.paths ?? []);
        child.once('exit', (code) => exits.set(id, code ?? 128));
        children.push(child);
      }
      const look = (): void => {
        for (const [id, code] of exits) throw this.endedEarly(id, code, logs.get(id) ?? 0);
      };
      // before they can meet whom they are not to hear
      if (Object.keys(this.folder.faults).length > 0)
        await Promise.all(started.map((id) => this.faultAtOnce(id, how, look)));
      const hindered = this.hindered(started);
      const awaited = started.filter((id) => !hindered.includes(id));
      if (awaited.length > 0 || started.length === 0) await this.untilServing(awaited, how, look);
      how.signal.throwIfAborted();
      await Promise.all(children.map((child) => letGo(child, how)));
      return hindered;
    } catch (error) {
      await this.end(started, 'SIGKILL');
      throw error;
    }
  }
  /** The members' super user is ours, unless somebody said another with `--set`. */
  private superWords(): string[] {
    return this.file.settings.some((text) => text.includes('superDigest')) ? [] : ['--own-super'];
  }
  /** @throws Failure (43) */
  private checkFiles(id: number): void {
    const folder = memberFolder(this.file, id);
    const config = join(folder, 'zoo.cfg');
    if (existsSync(config)) return;
    const least = Math.max(1, votersOf(this.file).length - 1);
    throw new Failure(43, 'NoFiles', `member ${id} of ${this.name} cannot be started: ${config} is not there`, {
      hint: `zoosh ensemble scale ${this.name} ${least} takes members out, while a quorum of the others runs; scaled up again it has a new one`,
    });
  }
  private async faultAtOnce(id: number, { signal, timeoutMs }: BringUp, look: () => void): Promise<void> {
    for (const end = performance.now() + timeoutMs; ; await sleep(FAULT_POLL_MS)) {
      signal.throwIfAborted();
      look();
      try {
        return await this.applyFaults([id]);
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  }
  /** Those that the faults in force may keep from a quorum. */
  private hindered(ids: readonly number[]): readonly number[] {
    const { groups = [], lag = {} } = this.folder.faults;
    const most = this.majority(groups);
    const isCut = (id: number): boolean =>
      groups.length > 0 && (most === undefined || groups.some((group, at) => at !== most && group.includes(id)));
    return ids.filter((id) => isCut(id) || (lag[String(id)] ?? 0) > 0);
  }
  private async untilServing(ids: readonly number[], how: BringUp, look: () => void): Promise<void> {
    const { signal, timeoutMs } = how;
    const end = performance.now() + timeoutMs;
    const voters = votersOf(this.file);
    const running = new Set(this.running);
    const needed = Math.floor(voters.length / 2) + 1;
    const canServe = voters.filter(({ id }) => running.has(id)).length >= needed;
    const isWhole = ids.length === this.file.members.length;
    const awaited = isWhole ? voters : this.file.members.filter(({ id }) => ids.includes(id));
    const up = new Set<number>();
    while (up.size < (isWhole ? needed : awaited.length)) {
      signal.throwIfAborted();
      look();
      if (performance.now() > end) throw this.tooLate(ids, isWhole, timeoutMs / 1000);
      await Promise.all(
        awaited
          .filter(({ id }) => !up.has(id))
          .map(async (member) => {
            const isUp = canServe
              ? await this.serves(member, signal)
              : await this.ask(member.id, { op: 'status' }, WORD_MS).then(
                  () => true,
                  () => false,
                );
            if (isUp) up.add(member.id);
          }),
      );
      if (up.size < awaited.length) await sleep(POLL_MS);
    }
  }
  private tooLate(ids: readonly number[], isWhole: boolean, seconds: number): Failure {
    const hint = `zoosh ensemble logs ${this.name} tells more`;
    const what = isWhole
      ? `no quorum in ${seconds}s`
      : `member ${ids.join(', ')} did not serve within ${seconds}s, and was ended again`;
    return new Failure(45, 'NoQuorum', `${this.name}: ${what}`, { hint });
  }
  /** A member ended before it served: its own last words, and its code when that is one of a server. */
  private endedEarly(id: number, code: number, from: number): Failure {
    const text = readFileSync(this.process(id).logFile).subarray(from).toString();
    const lines = text.trimEnd().split('\n');
    const said = lines.filter((line) => line.startsWith('error: ')).at(-1);
    const exit = START_CODES.has(code) ? (code as ExitCode) : 40;
    const last = text.trim() === '' ? [this.silence(id, code)] : lines.slice(-5);
    return new Failure(exit, 'NotStarted', `member ${id} of ${this.name} did not start`, {
      lines: said === undefined ? last : [said.slice('error: '.length)],
    });
  }
  /** Why one that ended said nothing: most likely it could not write it. */
  private silence(id: number, code: number): string {
    const { logFile } = this.process(id);
    try {
      const { bavail } = statfsSync(memberFolder(this.file, id));
      if (bavail === 0) return `there is no room left where ${logFile} lies; --data DIR is another place`;
    } catch {
      // then it is not known
    }
    return `it ended with ${code} and said nothing in ${logFile}`;
  }

  /** Puts exactly the faults that are to be in force into members. */
  async applyFaults(ids: readonly number[]): Promise<void> {
    const { groups = [], clients = false, lag = {} } = this.folder.faults;
    for (const id of ids) {
      const own = groups.findIndex((group) => group.includes(id));
      const from = own < 0 ? [] : groups.filter((_, at) => at !== own).flat();
      const cutClients = own >= 0 && clients && own !== this.majority(groups);
      const ms = lag[String(id)] ?? 0;
      await this.askSoon(id, { op: 'partition', from, clients: cutClients });
      await this.ask(id, { op: 'lag', ms });
    }
  }
  /** Of one that has just begun, too, whose control socket is not there yet. */
  private async askSoon(id: number, request: ControlRequest): Promise<void> {
    for (const end = performance.now() + BEGIN_MS; ; await sleep(FAULT_POLL_MS))
      try {
        await this.ask(id, request);
        return;
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!ABSENT.has(code) || performance.now() > end || this.process(id).find() === undefined) throw error;
      }
  }
  /** The group that can elect a leader, together with those that hear everyone; undefined when none can. */
  majority(groups: readonly (readonly number[])[]): number | undefined {
    const voters = votersOf(this.file).map(({ id }) => id);
    const running = new Set(this.running);
    const grouped = new Set(groups.flat());
    const bridge = voters.filter((id) => !grouped.has(id) && running.has(id)).length;
    const found = groups.findIndex(
      (group) => voters.filter((id) => group.includes(id) && running.has(id)).length + bridge > voters.length / 2,
    );
    return found < 0 ? undefined : found;
  }

  /** Ends members, in order (SIGTERM) or at once, and waits until they are gone. */
  async end(ids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): Promise<number[]> {
    if (signal === 'SIGKILL') return this.endAll(ids, signal);
    // a leader that ends looks for a successor, and none of those that end with it can be that: it is the last
    const leads = await Promise.all(
      ids.map((id) =>
        this.ask(id, { op: 'status' }, WORD_MS).then(
          ({ role }) => role === 'leader',
          () => false,
        ),
      ),
    );
    const first = await this.endAll(
      ids.filter((_, at) => !leads[at]),
      signal,
    );
    const last = await this.endAll(
      ids.filter((_, at) => leads[at]),
      signal,
    );
    return [...first, ...last].sort((a, b) => a - b);
  }
  private async endAll(ids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): Promise<number[]> {
    const how = signal === 'SIGKILL' ? 'killed' : 'stopped';
    const ended = await Promise.all(
      ids.map(async (id) => {
        const member = this.process(id);
        if (!member.signal(signal)) return undefined;
        member.signal('SIGCONT'); // one that is paused would hear it only then
        if (!(await member.gone(STOP_MS))) {
          member.signal('SIGKILL');
          await member.gone(STOP_MS);
        }
        member.noteEnd(how);
        return id;
      }),
    );
    return ended.filter((id) => id !== undefined);
  }
}

/** Of members that a partition or a lag may keep from serving. */
export const hinderedText = (name: string, ids: readonly number[]): string =>
  `faults in force may keep member ${ids.join(', ')} from serving: zoosh ensemble heal ${name} ends them`;

/** Tells a member that the start is over. It may have ended already, and hears nothing then. */
async function letGo(child: ChildProcess, { leash, temporary }: BringUp): Promise<void> {
  const { stdin } = child;
  if (leash) {
    if (temporary?.until === 'serving') stdin?.write('keep\n');
    return;
  }
  await new Promise<void>((resolve) => {
    if (stdin === null || stdin.destroyed) resolve();
    else stdin.once('close', resolve).end('free\n', () => resolve());
  });
  stdin?.destroy();
  child.unref();
}

const sizeOf = (file: string): number => {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
};

import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askMember } from '../../src/ensemble/control-client.ts';
import { fourLetterWord } from '../../src/index.ts';
import type { ControlRequest, ControlResults, MemberStatus } from '../../src/runtime/control-messages.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { BIN } from './cli.ts';

const HOST = '127.0.0.1';
const QUORUM_STEP = 100;
const ELECTION_STEP = 200;

/**
 * A line for `lines` where no member is to fall silent: no term ends because one of them got no processor for seconds. Who
 * is killed hangs up, and is missed at once as ever.
 */
export const STEADY = 'syncLimit=60';

export interface MembersOptions {
  readonly voters: number;
  /** Observers come after the voters. Default 0. */
  readonly observers?: number;
  /** Of all of them, voters first; default 1, 2, 3 and so on. */
  readonly ids?: readonly number[];
  /** Default 500. */
  readonly tickMs?: number;
  /** Clients' ports in lines of their own, and not behind those of the servers. */
  readonly clientsApart?: boolean;
  /** More lines of every zoo.cfg. */
  readonly lines?: readonly string[];
  /** More lines of one member's. */
  readonly linesOf?: (id: number) => readonly string[];
  /** What stands in front of the command of a member, such as `sh -c 'ulimit ...'`. */
  readonly wrap?: (id: number, command: readonly string[], data: string) => readonly string[];
}

/** One member: its files, and its process while there is one. */
export class MemberOfTest {
  readonly id: number;
  readonly folder: string;
  readonly clientPort: number;
  private readonly command: readonly string[];
  private child: ChildProcess | undefined;
  private exit: Promise<number> = Promise.resolve(0);

  constructor(id: number, folder: string, clientPort: number, command: readonly string[]) {
    this.id = id;
    this.folder = folder;
    this.clientPort = clientPort;
    this.command = command;
  }
  get data(): string {
    return join(this.folder, 'data');
  }
  get hosts(): string {
    return `${HOST}:${this.clientPort}`;
  }
  get pid(): number | undefined {
    return this.child?.pid;
  }
  get isUp(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }
  /** Exit code of the last life, 128 when a signal ended it. */
  get ended(): Promise<number> {
    return this.exit;
  }
  get log(): string {
    const file = join(this.folder, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
  start(): void {
    if (this.isUp) throw new Error(`member ${this.id} runs already`);
    const [program = '', ...args] = this.command;
    const log = openSync(join(this.folder, 'log'), 'a');
    // its standard input ends with us, and so does it, whatever ends us
    const child = spawn(program, args, { stdio: ['pipe', log, log] });
    child.stdin?.on('error', () => {});
    closeSync(log);
    this.child = child;
    this.exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
      child.once('error', () => resolve(127));
    });
  }
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }
  /** Resolves with its exit code. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    if (!this.isUp) return this.exit;
    this.signal(signal);
    if (signal !== 'SIGKILL') this.signal('SIGCONT');
    return this.exit;
  }
  ask<R extends ControlRequest>(request: R, timeoutMs = PATIENCE_MS): Promise<ControlResults[R['op']]> {
    return askMember(join(this.folder, 'ctl'), request, timeoutMs);
  }
  /** Undefined when it does not answer. */
  async status(): Promise<MemberStatus | undefined> {
    return this.isUp ? this.ask({ op: 'status' }, 10_000).catch(() => undefined) : undefined;
  }
  word(text: string): Promise<string> {
    return fourLetterWord(text, { host: HOST, port: this.clientPort, timeoutMs: PATIENCE_MS });
  }
}

/** An ensemble of real processes on free loopback ports; all of it is gone when disposed. */
export class Members implements AsyncDisposable {
  readonly folder: string;
  readonly all: readonly MemberOfTest[];
  private constructor(folder: string, all: readonly MemberOfTest[]) {
    this.folder = folder;
    this.all = all;
  }
  /** The files only; nothing runs yet. */
  static async make(options: MembersOptions): Promise<Members> {
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
    const count = options.voters + (options.observers ?? 0);
    const base = await ownBlock(HOST, count);
    const ids = options.ids ?? Array.from({ length: count }, (_, at) => at + 1);
    const servers = ids.map((id, at) => {
      const role = at < options.voters ? 'participant' : 'observer';
      const [quorum, election] = [QUORUM_STEP, ELECTION_STEP].map((step) => base + step + at);
      const clients = options.clientsApart === true ? '' : `;${HOST}:${base + at}`;
      return `server.${id}=${HOST}:${quorum}:${election}:${role}${clients}`;
    });
    const members = ids.map((id, at) => {
      const home = join(folder, `m${id}`);
      mkdirSync(join(home, 'data'), { recursive: true });
      writeFileSync(join(home, 'data', 'myid'), `${id}\n`);
      const cfg = join(home, 'zoo.cfg');
      const lines = [
        `tickTime=${options.tickMs ?? 500}`,
        'initLimit=20',
        'syncLimit=10',
        'maxSessionTimeout=60000',
        `dataDir=${join(home, 'data')}`,
        'standaloneEnabled=false',
        '4lw.commands.whitelist=*',
        ...(at < options.voters ? [] : ['peerType=observer']),
        ...(options.clientsApart === true ? [`clientPort=${base + at}`, `clientPortAddress=${HOST}`] : []),
        ...(options.lines ?? []),
        ...(options.linesOf?.(id) ?? []),
        ...servers,
      ];
      writeFileSync(cfg, `${lines.join('\n')}\n`);
      const command = [
        process.execPath,
        BIN,
        'start',
        'server',
        '--config',
        cfg,
        '--control',
        join(home, 'ctl'),
        '--leash',
      ];
      return new MemberOfTest(id, home, base + at, options.wrap?.(id, command, join(home, 'data')) ?? command);
    });
    return new Members(folder, members);
  }
  /** Made, started, and serving. */
  static async start(options: MembersOptions): Promise<Members> {
    const members = await Members.make(options);
    try {
      members.startAll();
      await members.serving();
      return members;
    } catch (error) {
      await members[Symbol.asyncDispose]();
      throw error;
    }
  }
  get hosts(): string {
    return this.all.map(({ hosts }) => hosts).join(',');
  }
  member(id: number): MemberOfTest {
    return this.all.find((member) => member.id === id) as MemberOfTest;
  }
  startAll(): void {
    for (const member of this.all) if (!member.isUp) member.start();
  }
  /** Resolves when `id`, or all that run, serve and are whole. */
  async serving(ids = this.all.map(({ id }) => id), withinMs = PATIENCE_MS): Promise<void> {
    for (const id of ids) {
      const member = this.member(id);
      await until(
        async () => {
          if (!member.isUp)
            throw new Error(`member ${id} ended with ${await member.ended}: ${member.log.slice(-2000)}`);
          const status = await member.status();
          return status?.serving === true && status.repair === undefined;
        },
        withinMs,
        () => `member ${id} does not serve: ${this.tail()}`,
      );
    }
  }
  /** The leader, as it sees itself; waits for one. `not`: one that is known to be deposed. */
  async leader(not?: number, withinMs = PATIENCE_MS): Promise<MemberOfTest> {
    let found: MemberOfTest | undefined;
    await until(
      async () => {
        for (const member of this.all) {
          if (member.id === not) continue;
          const status = await member.status();
          if (status?.role === 'leader' && status.serving) found = member;
        }
        return found !== undefined;
      },
      withinMs,
      () => `no leader: ${this.tail()}`,
    );
    return found as MemberOfTest;
  }
  async follower(): Promise<MemberOfTest> {
    const leader = await this.leader();
    return this.all.find(({ id }) => id !== leader.id) as MemberOfTest;
  }
  /** Resolves when all members that run have the same tree at the same zxid. */
  async equal(withinMs = PATIENCE_MS): Promise<string> {
    let seen: string[] = [];
    await until(
      async () => {
        const up = this.all.filter(({ isUp }) => isUp);
        const digests = await Promise.all(
          up.map((each) => each.ask({ op: 'digest' }, withinMs).catch(() => undefined)),
        );
        seen = digests.map((each) => (each === undefined ? 'none' : `${each.zxid} ${each.digest}`));
        return seen.every((each) => each === seen[0] && each !== 'none');
      },
      withinMs,
      () => `the members differ: ${seen.join(', ')}`,
    );
    return seen[0] as string;
  }
  note(text: string): void {
    for (const member of this.all) appendFileSync(join(member.folder, 'log'), `--- ${text}\n`);
  }
  tail(bytes = 1500): string {
    return this.all.map((member) => `\n== member ${member.id}\n${member.log.slice(-bytes)}`).join('');
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((member) => member.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The peer ports in the line of a member: quorum, election. */
export function peerPortsOf(members: Members, id: number): [number, number] {
  const { clientPort } = members.member(id);
  return [clientPort + QUORUM_STEP, clientPort + ELECTION_STEP];
}

/** Waits for something. @throws Error with what `why` says when it does not come in time, or what `is` throws */
export async function until(is: () => Promise<boolean> | boolean, withinMs: number, why: () => string): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await is())) {
    // looked at once more when it is too late: this process may have stood still, and all it waited for be there
    if (performance.now() > end) {
      if (await is()) return;
      throw new Error(why());
    }
    await sleep(20);
  }
}

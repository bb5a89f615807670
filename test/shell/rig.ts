import type { Client } from '../../src/client/api.ts';
import { registry } from '../../src/commands/index.ts';
import { toPlain } from '../../src/out/plain.ts';
import type { Plan } from '../../src/shell/command.ts';
import { EventRing } from '../../src/shell/event-ring.ts';
import { Failure } from '../../src/shell/failure.ts';
import type { Output } from '../../src/shell/output.ts';
import { ShellSession } from '../../src/shell/session.ts';
import { Profiles, Settings, UserFile } from '../../src/shell/settings.ts';
import { Shell, type Told } from '../../src/shell/shell.ts';
import { Trash } from '../../src/shell/trash.ts';

export interface Rig {
  readonly shell: Shell;
  readonly shown: Output[];
  readonly told: Told[];
  readonly os: string[];
  /** What was asked about; each was answered yes. */
  readonly plans: Plan[];
  /** Bytes written as they are. */
  readonly written: Uint8Array[];
  readonly warned: string[];
  /** How often a command wanted a session. */
  sessions: number;
}

/** A shell without a world: what it shows and tells is kept, a session is `client`, or counted and refused. */
export interface RigOptions {
  /** Somebody types: what is changed is kept in this folder. */
  readonly trash?: string;
  readonly asks?: boolean;
  readonly keepGoing?: boolean;
  readonly dryRun?: boolean;
  readonly now?: () => number;
  /** What the session says it is connected to. */
  readonly server?: string;
  /** What the server answers to that word. */
  readonly srvr?: string;
  /** Lines that were typed before. */
  readonly history?: readonly string[];
  /** Told how far work is. */
  readonly progress?: (what: string, done: number, total: number | undefined) => void;
  /** What is answered to a question with choices; default the first. */
  readonly choose?: (question: string) => string | Promise<string>;
}

export function rig(
  client?: Client,
  variables: Record<string, string> = {},
  files: ReadonlyMap<string, string> = new Map(),
  options: RigOptions = {},
): Rig {
  const file = new UserFile({}, undefined);
  const out: Rig = {
    shown: [],
    told: [],
    os: [],
    plans: [],
    written: [],
    warned: [],
    sessions: 0,
    shell: undefined as unknown as Shell,
  };
  const session = new ShellSession(
    { server: options.server ?? 'localhost:1', options: {} },
    {
      connect: async () => {
        out.sessions++;
        if (client === undefined) throw new Error('no session in this test');
        return client;
      },
      target: (text) => ({ server: text, options: {} }),
      word: async () => {
        if (options.srvr !== undefined) return options.srvr;
        throw new Error('no network in this test');
      },
      news: () => {},
      changed: () => {},
      watched: () => {},
      now: () => 0,
      interactive: false,
    },
  );
  const shell = new Shell({
    version: '0',
    registry,
    session,
    settings: new Settings(file),
    profiles: new Profiles(file),
    history: {
      list: () => (options.history ?? []).map((text, at) => ({ number: at + 1, text, time: 0 })),
      clear: () => {},
    },
    snapshot: () => Promise.reject(new Failure(2, 'Usage', 'no snapshots in this test')),
    ensembles: () => Promise.reject(new Failure(2, 'Usage', 'no ensembles in this test')),
    show: (output) => out.shown.push(output),
    redraw: (output) => out.shown.push(output),
    plain: toPlain,
    write: (bytes) => void out.written.push(bytes),
    drained: async () => {},
    progress: (what) => ({
      isSeen: options.progress !== undefined,
      update: (done, total) => options.progress?.(what, done, total),
      [Symbol.dispose]: () => {},
    }),
    input: () => {
      throw new Failure(2, 'Usage', 'no standard input in this test');
    },
    choose: async (question, choices) => options.choose?.(question) ?? choices[0]?.value ?? '',
    events: new EventRing(),
    trash: new Trash({ folder: options.trash, now: options.now ?? Date.now }),
    asks: options.asks === true,
    tell: (told) => out.told.push(told),
    endedByUser: () => {},
    warn: (line) => void out.warned.push(line),
    complain: (line) => void out.warned.push(line),
    settled: async () => {},
    readFile: (name) => files.get(name) ?? '',
    isFile: () => false,
    clearScreen: () => {},
    dryRun: options.dryRun === true,
    opTimeoutMs: () => 30_000,
    confirm: async (plan) => void out.plans.push(plan),
    confirmWrite: async () => {},
    askSecret: async () => 'secret',
    watched: () => {},
    news: () => {},
    editor: () => process.env.VISUAL || process.env.EDITOR || 'vi',
    os: async (line) => {
      out.os.push(line);
      return 0;
    },
    pipe: (line) => {
      out.os.push(line);
      return { write: async () => true, end: async () => 0 };
    },
    start: () => Promise.reject(new Failure(127, 'CannotRun', 'no programs in this test')),
    openFile: () => ({ write: async () => true, end: async () => 0 }),
    stdin: () => new Uint8Array(0),
    interactive: options.trash !== undefined,
    readOnly: false,
    saysYes: false,
    keepGoing: options.keepGoing === true,
    variables: new Map(Object.entries(variables)),
    env: { HOME: '/home/bob' },
  });
  Object.assign(out, { shell });
  return out;
}

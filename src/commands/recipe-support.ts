/** What the commands of recipes share. */
import { hostname } from 'node:os';
import type { Client } from '../client/api.ts';
import { RecipeError } from '../recipes/errors.ts';
import { STYLES, type Style } from '../recipes/styles.ts';
import type { Arg, CommandContext, Param } from '../shell/command.ts';
import type { ExitCode } from '../shell/exit-codes.ts';
import { Failure } from '../shell/failure.ts';
import { hex, showDuration } from '../shell/units.ts';

export const STYLE_OPTION = {
  kind: 'enum',
  long: '--style',
  about: 'whose node names, zoosh, curator or kazoo; default those that are there, else zoosh',
  values: STYLES,
} as const satisfies Param;
/** What `--style` was given. */
export const styleOf = (text: string | undefined): Style | undefined => STYLES.find((each) => each === text);
export const ID_OPTION = {
  kind: 'text',
  long: '--id',
  about: 'who this is, for those who look; default host and process',
  placeholder: 'NAME',
} as const satisfies Param;
export const WAIT_OPTION = {
  kind: 'duration',
  long: '--wait',
  about: 'give up after this; 0s takes only what is free',
} as const satisfies Param;

/** Options of commands that run a program while something is held. */
export const PROGRAM_OPTIONS = {
  signal: {
    kind: 'enum',
    long: '--signal',
    about: 'what CMD is sent when it is lost; default TERM',
    values: ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2'],
  },
  grace: {
    kind: 'duration',
    long: '--grace',
    about: 'then KILL after this; default 10s, at most a third of the session timeout',
  },
  onLost: {
    kind: 'text',
    long: '--on-lost',
    about: 'a line of the OS shell, run when it is lost',
    placeholder: 'LINE',
  },
} as const satisfies Record<string, Param>;

export const defaultId = (): string => `${hostname()}:${process.pid}`;

const EXITS: Readonly<Record<RecipeError['code'], ExitCode>> = {
  StyleConflict: 20,
  Conflict: 20,
  WouldDeadlock: 20,
  TimedOut: 124,
  Busy: 1,
  Lost: 33,
};

/** What was not, in so many ms; undefined: it may take for ever. */
export interface Late {
  readonly what: string;
  readonly limitMs: number | undefined;
}

/** What a recipe's work gives; its errors become failures with their exit codes. */
export async function withFailures<T>(work: Promise<T>, late?: Late): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    const hint =
      error.code !== 'StyleConflict'
        ? undefined
        : error.message.includes('style')
          ? 'leave --style out to do as those who are there'
          : 'a path is for one recipe: take another one';
    const message =
      error.code === 'TimedOut' && late?.limitMs !== undefined
        ? `${late.what} in ${showDuration(late.limitMs)}: ${error.path}`
        : error.message;
    throw new Failure(EXITS[error.code], error.code, message, { path: error.path, cause: error, hint });
  }
}

/**
 * Everything after the path belongs to the program, so `--` is put there unless it is. `params` are those of the command,
 * which takes one path.
 */
export function programAfterPath(params: Readonly<Record<string, Param>>, args: readonly Arg[]): readonly Arg[] {
  const options = Object.values(params);
  for (let at = 0; at < args.length; at++) {
    const { text, quote } = args[at] as Arg;
    if (quote === 'none' && text === '--') return args;
    if (quote === 'none' && text.length > 1 && text.startsWith('-')) {
      const option = options.find(({ short, long }) => short === text || long === text);
      if (option !== undefined && option.kind !== 'flag') at++;
      continue;
    }
    const rest = args.slice(at + 1);
    const isEnded = rest.length === 0 || (rest[0]?.quote === 'none' && rest[0].text === '--');
    return isEnded ? args : [...args.slice(0, at + 1), { text: '--', quote: 'none' }, ...rest];
  }
  return args;
}

const NOTICE_MS = 300;

/** Says who is in front when the wait is longer than a moment. */
export function tellWaiting(client: Client, path: string, context: CommandContext): Disposable {
  let isOver = false;
  const tell = async (): Promise<void> => {
    const { standings } = await import('../recipes/look.ts');
    const all = await standings(client, path);
    if (isOver) return;
    const at = all.findIndex(({ session }) => session === client.sessionId);
    const [first] = all;
    if (first === undefined || at <= 0) return context.warn(`waiting for ${path}`);
    const who = first.id === '' ? hex(first.session) : `${first.id} (${hex(first.session)})`;
    const forMs = Math.max(0, client.clock.wall() - first.since);
    context.warn(`waiting for ${path}: held by ${who} for ${showSpan(forMs)}, you are ${ordinal(at + 1)}`);
  };
  const timer = client.clock.after(NOTICE_MS, () => void tell().catch(() => {}));
  return {
    [Symbol.dispose]() {
      isOver = true;
      timer[Symbol.dispose]();
    },
  };
}

/** `3m12s` */
export function showSpan(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${s % 60}s`;
  return `${Math.floor(s / 3600)}h${Math.floor((s % 3600) / 60)}m`;
}

const ordinal = (n: number): string => {
  const tens = n % 100;
  const ending = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${ending}`;
};

/** What `lock`, `semaphore` and `elect` are, but for how they come to hold something. */
import type { Client } from '../client/api.ts';
import type { Hold, WaitOptions } from '../recipes/index.ts';
import type { Arg, CommandContext, Param, Values } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';
import { runWhileHeld } from './held-program.ts';
import {
  defaultId,
  ID_OPTION,
  PROGRAM_OPTIONS,
  programAfterPath,
  STYLE_OPTION,
  styleOf,
  tellWaiting,
  WAIT_OPTION,
  withFailures,
} from './recipe-support.ts';

/** `place`, `program`: what help says of PATH and CMD. */
const paramsOf = (place: string, program: string) =>
  ({
    wait: WAIT_OPTION,
    style: STYLE_OPTION,
    ...PROGRAM_OPTIONS,
    id: ID_OPTION,
    path: { kind: 'newPath', about: place },
    words: { kind: 'text', about: program, placeholder: 'CMD', many: true, optional: true },
  }) as const satisfies Record<string, Param>;
type HeldParams = ReturnType<typeof paramsOf>;

/** The parts of a command that runs a program while something is held; `own`: options beside the common ones. */
export function heldCommand<const Own extends Record<string, Param>>(own: Own, place: string, program: string) {
  const params: Own & HeldParams = { ...own, ...paramsOf(place, program) };
  return {
    group: 'coordination',
    risk: 'write',
    dryRun: false,
    isPassing: true,
    params,
    legacy: (args: readonly Arg[]) => programAfterPath(params, args),
    exits: [5, 20, 33, 124, 126, 127],
    isEndless: ({ words }: Pick<Values<HeldParams>, 'words'>) => words.length === 0,
  } as const;
}

/** ms */
const AT_ONCE_MS = 1000;

/** As recipes are told it: whose node names, and who this is. */
export const holderOf = ({ style, id }: Pick<Values<HeldParams>, 'style' | 'id'>) => ({
  style: styleOf(style),
  id: id ?? defaultId(),
});

/** Waits for the hold, saying so, and runs the program with it. `late`: what was not, in the time given. */
export async function holdAndRun(
  client: Client,
  values: Omit<Values<HeldParams>, 'style' | 'id'>,
  take: (options: WaitOptions) => Promise<Hold>,
  { what, late }: { readonly what: string; readonly late: string },
  context: CommandContext,
): Promise<Output> {
  const { path, wait, words, signal, grace, onLost } = values;
  using notice = tellWaiting(client, path, context);
  // what is free is had also by who does not wait; to find that out takes a few answers
  const waitMs = wait === 0 ? AT_ONCE_MS : wait;
  const hold = await withFailures(take({ signal: context.signal, waitMs }), { what: late, limitMs: wait });
  notice[Symbol.dispose]();
  return runWhileHeld(hold, client, { what, words, signal, graceMs: grace, onLost }, context);
}

/** What is asked when somebody else was quicker: both sides are shown, and whose counts is chosen. */
import type { CommandContext } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';

export interface Race {
  readonly path: string;
  readonly theirs: { readonly data: Buffer | null; readonly version: number };
  /** What was to be written. */
  readonly mine: Uint8Array | null;
  /** What both began with; undefined: nobody kept it. */
  readonly base?: { readonly data: Buffer | null } | undefined;
}

/** `more`: answers before theirs and mine, which write nothing. Only where somebody is there. @throws Failure (2, 31) */
export async function settleRace<Answer extends string = never>(
  { path, theirs, mine, base }: Race,
  more: readonly { readonly value: Answer; readonly about: string }[],
  context: CommandContext,
): Promise<'mine' | 'theirs' | Answer> {
  const version = theirs.version;
  context.show({
    type: 'differences',
    differences:
      base === undefined
        ? [
            {
              sign: '~',
              isBrief: true,
              path,
              version,
              before: theirs.data,
              after: mine,
              notes: ['from theirs to yours'],
            },
          ]
        : [
            {
              sign: '~',
              isBrief: true,
              path,
              version,
              before: base.data,
              after: theirs.data,
              notes: ['theirs, since you began'],
            },
            { sign: '~', isBrief: true, path, before: base.data, after: mine, notes: ['yours'] },
          ],
  });
  const answer = await context.choose(`Somebody else changed ${path} meanwhile.`, [
    // Enter takes the first: it destroys nothing
    ...more,
    { value: 'theirs', about: 'keep theirs' },
    { value: 'mine', about: 'write mine over theirs' },
  ]);
  return answer as 'mine' | 'theirs' | Answer;
}

/** Nothing was written. */
export const keptTheirs = (path: string): Output => ({
  type: 'done',
  text: `${quoteWord(path)} keeps theirs`,
  json: { path, changed: false },
});

import { type Arg, type CommandContext, command } from '../shell/command.ts';
import { type Failure, toldAlready } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { filledFor } from '../shell/placeholders.ts';
import { agreeOnRuns, type Found, isBulkRun } from './agree-runs.ts';
import { graver } from './support.ts';

/** A command for every node that matches. */
export default command({
  name: 'each',
  group: 'shell',
  about: 'run a command for every node that a pattern stands for',
  risk: 'read',
  runsForMany: true,
  transaction: 'harmless',
  params: {
    goesOn: { kind: 'flag', short: '-k', about: 'go on after a failure; the exit code is that of the first' },
    pattern: { kind: 'text', about: 'which nodes, e.g. /app/*', placeholder: 'GLOB' },
    do: { kind: 'enum', about: 'the word do', values: ['do'], placeholder: 'do' },
    command: { kind: 'command', about: 'the command; {} in it is the path, {name} its last part', many: true },
  },
  examples: [
    ['each /app/* do get {}', 'the data of all'],
    ['each /app/* do create /copy/{name}', 'nodes of the same names'],
    ['each /jobs/* do setquota -n 100 {}', 'the same limit for each'],
  ],
  exits: [10, 30, 31],
  notes: [
    'With a command that changes something it is bulk work: at a prompt it asks first, but for up to 20 nodes that undo can',
    'bring back, and undo takes it back as one.',
    'The first failure ends it, unless -k is said here or the shell was started with it.',
    "{} and {name} stay as they are in quotes and within JSON: {\"p\": {}}. An empty object is '{}', in words of the system's shell { }.",
  ],
  async run({ goesOn, pattern, command: words }, context): Promise<Output> {
    let exit = 0;
    let first: Failure | undefined;
    const paths = await context.expand(pattern);
    if (isBulkRun(words, context)) await agree(words, pattern, paths, context);
    for (const path of paths) {
      context.signal.throwIfAborted();
      try {
        const status = await context.execute(filledFor(words, path));
        exit = graver(exit, status);
      } catch (error) {
        if (!(goesOn || context.keepGoing) || context.signal.aborted) throw error;
        const failure = context.failedWithin(error, `${path}: `);
        first ??= failure;
      }
      await context.drained();
    }
    if (first !== undefined) throw toldAlready(first);
    return { type: 'many', parts: [], exit };
  },
});

/** @throws Failure (30, 31) */
async function agree(
  words: readonly Arg[],
  pattern: string,
  paths: readonly string[],
  context: CommandContext,
): Promise<void> {
  const client = await context.client();
  const { signal } = context;
  const found = async function* (): Found {
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const some = paths.slice(at, at + AT_ONCE);
      const stats = await Promise.all(some.map((path) => client.exists(path, { signal })));
      for (const [each, path] of some.entries()) yield { path, stat: stats[each] };
    }
  };
  await agreeOnRuns(words, context.resolve(pattern), found, client, context);
}
/** Questions under way. */
const AT_ONCE = 500;

import { command } from '../shell/command.ts';
import { type Failure, toldAlready } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { filledFor } from '../shell/placeholders.ts';
import { graver } from './support.ts';

/** A command for every node that matches. */
export default command({
  name: 'each',
  group: 'shell',
  about: 'run a command for every node that a pattern stands for',
  risk: 'read',
  transaction: 'harmless',
  params: {
    goesOn: { kind: 'flag', short: '-k', about: 'go on behind a failure; the exit code is that of the first' },
    pattern: { kind: 'text', about: 'which nodes, e.g. /app/*', placeholder: 'GLOB' },
    do: { kind: 'enum', about: 'the word do', values: ['do'], placeholder: 'do' },
    command: { kind: 'command', about: 'the command; {} in it is the path, {name} its last part', many: true },
  },
  examples: [
    ['each /app/* do get {}', 'the data of all'],
    ['each /app/* do create /copy/{name}', 'nodes of the same names'],
    ['each /jobs/* do setquota -n 100 {}', 'the same limit for each'],
  ],
  exits: [10],
  notes: [
    'The first failure ends it, unless -k is said here or the shell was started with it.',
    "{} and {name} stay as they are in quotes and within JSON: {\"p\": {}}. An empty object is '{}', in words of the system's shell { }.",
  ],
  async run({ goesOn, pattern, command: words }, context): Promise<Output> {
    let exit = 0;
    let first: Failure | undefined;
    for (const path of await context.expand(pattern)) {
      context.signal.throwIfAborted();
      try {
        const status = await context.execute(filledFor(words, path));
        exit = graver(exit, status);
      } catch (error) {
        if (!(goesOn || context.keepGoing) || context.signal.aborted) throw error;
        const failure = context.failedWithin(error);
        context.warn(`${path}: error: ${failure.message}`);
        first ??= failure;
      }
      await context.drained();
    }
    if (first !== undefined) throw toldAlready(first);
    return { type: 'many', parts: [], exit };
  },
});

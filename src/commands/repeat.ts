import { setTimeout as pause } from 'node:timers/promises';
import { command } from '../shell/command.ts';
import { type Failure, toldAlready, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { graver } from './support.ts';

/** The same again. */
export default command({
  name: 'repeat',
  group: 'shell',
  about: 'run a command several times; the first failure ends it, but for -k',
  risk: 'read',
  isEndless: ({ count }) => count === 0 && 'interrupted',
  transaction: 'harmless',
  params: {
    count: { kind: 'number', about: 'how often; 0 is until Ctrl-C' },
    goesOn: { kind: 'flag', short: '-k', about: 'go on after a failure; the exit code is that of the first' },
    interval: { kind: 'duration', short: '-i', about: 'pause between two runs' },
    command: { kind: 'command', about: 'the command and its words', many: true },
  },
  examples: [
    ['repeat 3 create -s /jobs/n- x', 'three nodes'],
    ['repeat -i 1s 0 stat /app', 'every second'],
    ['repeat 3 txn { set /a x; create -s /log/n- }', 'a transaction, three times'],
    ['repeat -k -i 200ms 5 sync', 'five, a fifth of a second apart, whatever happens to each'],
  ],
  async run({ count, interval, goesOn, command: words }, context): Promise<Output> {
    if (count < 0) throw usage(`repeat: COUNT must not be negative: ${count}`);
    let exit = 0;
    let first: Failure | undefined;
    for (let done = 0; count === 0 || done < count; done++) {
      context.signal.throwIfAborted();
      if (done > 0 && interval !== undefined) await pause(interval, undefined, { signal: context.signal });
      try {
        const status = await context.execute(words);
        exit = graver(exit, status);
      } catch (error) {
        if (!(goesOn || context.keepGoing) || context.signal.aborted) throw error;
        const failure = context.failedWithin(error);
        first ??= failure;
      }
      await context.drained();
    }
    if (first !== undefined) throw toldAlready(first);
    return { type: 'many', parts: [], exit };
  },
});

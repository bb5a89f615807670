import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';

/** How long it takes. */
export default command({
  name: 'time',
  group: 'shell',
  about: 'run a command and tell how long it took, on standard error',
  risk: 'read',
  transaction: 'harmless',
  params: { command: { kind: 'command', about: 'the command and its words', many: true } },
  examples: [
    ['time ls -R /', 'the listing, then the time'],
    ['time sync', 'how long the way to the leader is'],
    ['time export / tree.ndjson', 'how long an export takes'],
  ],
  async run({ command: words }, context): Promise<Output> {
    const began = performance.now();
    try {
      return { type: 'many', parts: [], exit: await context.execute(words) };
    } finally {
      context.warn(`took ${((performance.now() - began) / 1000).toFixed(3)}s`);
    }
  },
});

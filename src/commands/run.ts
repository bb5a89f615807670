import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';

/** A file of commands. */
export default command({
  name: 'run',
  group: 'shell',
  about: 'run a file of commands in this shell',
  risk: 'read',
  runsLines: true,
  params: {
    file: { kind: 'file', about: 'the file' },
    args: { kind: 'text', about: 'its ${1}, ${2} and so on', many: true, optional: true, placeholder: 'ARG' },
  },
  examples: [
    ['run deploy.zk blue', 'the first failure ends it'],
    ['run checks/all.zk', 'asserts, for a pipeline'],
    ['run ../setup.zk /app 3', '${1} is /app, ${2} is 3'],
  ],
  async run({ file, args }, context): Promise<Output> {
    return { type: 'many', parts: [], exit: await context.runFile(file, args) };
  },
});

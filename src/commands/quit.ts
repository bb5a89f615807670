import { command } from '../shell/command.ts';

/** Leaves. */
export default command({
  name: 'quit',
  aliases: ['exit'],
  group: 'session',
  about: 'end the session and the shell',
  risk: 'read',
  params: { status: { kind: 'number', about: "exit code; in a script the last command's by default", optional: true } },
  examples: [
    ['quit', 'good bye'],
    ['quit 3', 'a script ends with this code'],
    ['quit 0', 'a script ends as if all had gone well'],
  ],
  async run({ status }, context) {
    context.leave(status === undefined ? undefined : status & 0xff);
    return undefined;
  },
});

import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';

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
    // the system would take the last byte: 256 for success
    if (status !== undefined && (status < 0 || status > 255)) throw usage(`quit ${status}: an exit code is 0 to 255`);
    context.leave(status);
    return undefined;
  },
});

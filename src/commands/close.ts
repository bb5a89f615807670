import { command } from '../shell/command.ts';
import { refuseWaiting } from '../shell/go-to.ts';

/** Ends the session and keeps the shell. */
export default command({
  name: 'close',
  group: 'session',
  about: 'end the session; its ephemeral nodes go at once',
  risk: 'read',
  params: {},
  examples: [
    ['close', 'connect begins another'],
    ['close && connect', 'a new session on the same servers'],
    ['close && quit', 'ends the session and the shell'],
  ],
  notes: ['Refused while operations of a transaction wait: commit or abort first.'],
  async run(_values, context) {
    refuseWaiting('close', context);
    await context.session.close();
    return { type: 'done', text: 'session closed', json: { closed: true } };
  },
});

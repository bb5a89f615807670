import { setTimeout as pause } from 'node:timers/promises';
import { command } from '../shell/command.ts';

/** Waits. */
export default command({
  name: 'sleep',
  group: 'shell',
  about: 'wait for a while',
  risk: 'read',
  params: {
    duration: { kind: 'duration', placeholder: 'TIME', about: 'how long: 500ms, 5s, 1m; a bare number is ms' },
  },
  examples: [
    ['sleep 500ms', 'half a second'],
    ['sleep 2s && ls /app', 'a listing in two seconds'],
    ['sleep 1m && status', 'and how the servers are then'],
  ],
  async run({ duration }, { signal }) {
    await pause(duration, undefined, { signal });
    return { type: 'done', text: '', json: { sleptMs: duration } };
  },
});

import { command } from '../shell/command.ts';

/** An empty screen. */
export default command({
  name: 'clear',
  group: 'shell',
  about: 'empty the screen',
  risk: 'read',
  params: {},
  examples: [
    ['clear', 'as C-l does while typing'],
    ['clear && ls', 'an empty screen, then a listing'],
    ['clear && status', 'the same with the servers'],
  ],
  async run(_values, context) {
    context.clearScreen();
    return undefined;
  },
});

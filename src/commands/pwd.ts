import { command } from '../shell/command.ts';

/** The current path. */
export default command({
  name: 'pwd',
  group: 'read',
  about: 'show the current path',
  risk: 'read',
  params: {},
  examples: [
    ['pwd', 'where we are'],
    ['pwd | xclip', 'for somewhere else'],
    ['pwd && ls', 'where we are, and what is there'],
  ],
  async run(_values, { cwd }) {
    return { type: 'value', value: cwd, text: cwd, isPath: true };
  },
});

import { command } from '../shell/command.ts';

/** The current path. */
export default command({
  name: 'pwd',
  group: 'read',
  about: 'show the current path',
  risk: 'read',
  params: {},
  examples: [['pwd', 'where we are']],
  async run(_values, { cwd }) {
    return { type: 'value', value: cwd, text: cwd };
  },
});

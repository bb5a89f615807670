import { command } from '../shell/command.ts';

/** What runs here. */
export default command({
  name: 'version',
  group: 'session',
  about: 'show the version of this shell',
  risk: 'read',
  params: {},
  examples: [['version', 'the version']],
  async run(_values, context) {
    return { type: 'value', value: context.version, text: `zoosh ${context.version}` };
  },
});

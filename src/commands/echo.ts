import { command } from '../shell/command.ts';

/** Says something. */
export default command({
  name: 'echo',
  group: 'shell',
  about: 'print words, with variables filled in',
  risk: 'read',
  transaction: 'harmless',
  params: { words: { kind: 'text', about: 'what to print', many: true, optional: true, placeholder: 'WORD' } },
  examples: [['echo done with ${cwd}', 'for scripts']],
  async run({ words }) {
    const text = words.join(' ');
    return { type: 'value', value: text, text };
  },
});

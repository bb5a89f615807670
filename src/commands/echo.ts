import { command } from '../shell/command.ts';

/** Says something. */
export default command({
  name: 'echo',
  group: 'shell',
  about: 'print words, with variables filled in',
  risk: 'read',
  transaction: 'harmless',
  params: { words: { kind: 'text', about: 'what to print', many: true, optional: true, placeholder: 'WORD' } },
  examples: [
    ['echo done with ${cwd}', 'for scripts'],
    ['echo ${_}', 'what the last command found'],
    ["echo 'costs $5'", 'single quotes take everything as it is'],
  ],
  async run({ words }) {
    const text = words.join(' ');
    return { type: 'value', value: text, text };
  },
});

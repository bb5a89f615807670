import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { isVariableName, VARIABLE_NAME } from '../shell/variables.ts';

/** Names a value. */
export default command({
  name: 'let',
  group: 'shell',
  about: 'give a value a name, used as ${NAME}',
  risk: 'read',
  transaction: 'harmless',
  params: {
    name: { kind: 'text', about: VARIABLE_NAME },
    equals: { kind: 'enum', about: 'the word =', values: ['='], placeholder: '=' },
    value: { kind: 'text', about: 'a word, or $(command): what that command prints' },
  },
  examples: [
    ['let app = /services/app', 'then: ls ${app}'],
    ['let before = $(get /app/config)', 'what a command prints, without the newline at its end'],
    ['let n = $(count /app)', 'then: echo ${n} nodes'],
  ],
  // NAME=VALUE, as in other shells, where that is one word
  legacy: (args) => {
    const [first, ...rest] = args;
    const [, name, value = ''] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(first?.text ?? '') ?? [];
    if (first === undefined || name === undefined) return args;
    if (rest.length > 0 || first.bytes !== undefined)
      throw usage('let: spaces belong around the =', `let ${name} = VALUE`);
    return [
      { text: name, quote: 'none' },
      { text: '=', quote: 'none' },
      { ...first, text: value },
    ];
  },
  async run({ name, value }, context) {
    if (!isVariableName(name)) throw usage(`let: not a name: ${name}`, VARIABLE_NAME);
    context.setVariable(name, value);
    return undefined;
  },
});

import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { parseNumber, plural } from '../shell/units.ts';

const BRACES = 'put blanks around the braces: txn { check /a 3; set /a x }';

/** Operations that happen together or not at all. */
export default command({
  name: 'txn',
  aliases: ['multi', 'begin'],
  group: 'transaction',
  about: 'collect changes that are made together or not at all',
  risk: 'read',
  params: {
    action: {
      kind: 'enum',
      about: 'show, commit or abort the open transaction, or drop one of its operations; none opens one',
      values: ['show', 'drop', 'commit', 'abort'],
      optional: true,
    },
    number: { kind: 'text', about: 'for drop: which operation', optional: true },
    file: { kind: 'file', short: '-f', about: 'the operations of this file, sent at once', placeholder: 'FILE' },
  },
  legacy: (args) => {
    const [first] = args;
    if (first?.quote === 'none' && /^\{./.test(first.text))
      throw usage(`txn: a brace stands by itself, not in ${first.text}`, BRACES);
    return args;
  },
  examples: [
    ['txn { check /a 3; set /a x; delete /b }', 'three operations, all or none'],
    ['txn', 'opens one; what follows is collected until commit or abort'],
    ['txn drop 2', 'takes the second operation out again'],
  ],
  exits: [10, 11, 12, 13, 14, 19],
  notes: [
    'It may hold check, create, set and delete; reads see the tree without them. The exit code is that of the operation',
    'that failed. check PATH absent makes the node and deletes it again, which counts as a change of its parent.',
    'A commit that the servers refuse ends the transaction, too. At a prompt one that is not sent, since it is empty or too large, leaves it open.',
    'time and repeat run one in braces, too: repeat 3 txn { set /a x; create -s /log/n- }.',
  ],
  async run({ action, number, file }, context) {
    const { transaction } = context;
    if ((action === 'drop') !== (number !== undefined))
      throw usage('txn: drop needs a NUMBER, and nothing else takes one');
    if (file !== undefined) {
      if (action !== undefined) throw usage(`txn: -f and ${action} do not go together`);
      return transaction.runFile(file);
    }
    switch (action) {
      case 'show':
        return transaction.show();
      case 'drop':
        transaction.drop(parseNumber(number ?? '', 'txn drop: N'));
        return undefined;
      case 'commit':
        return transaction.commit();
      case 'abort': {
        const count = transaction.abort();
        return { type: 'done', text: `forgot ${plural(count, 'operation')}`, json: { aborted: count } };
      }
      default:
        transaction.open();
        return undefined;
    }
  },
});

import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { versionOf } from './support.ts';

/** A condition of a transaction. */
export default command({
  name: 'check',
  group: 'transaction',
  about: 'let a transaction fail unless a node has a version, or is absent',
  risk: 'read',
  transaction: 'operation',
  params: {
    path: { kind: 'path', about: 'the node' },
    version: {
      kind: 'text',
      about: 'the version it must have, = for the one last read here, or absent; none: it must exist',
      optional: true,
      placeholder: 'VERSION',
    },
  },
  examples: [
    ['check /app/config 3', 'in a transaction: nobody changed it since version 3'],
    ['check /app/lock absent', 'in a transaction: it is not there'],
    ['check /app/config', 'in a transaction: it is there'],
  ],
  exits: [10, 11, 12, 14],
  notes: ['For absent the node is made and deleted again within the transaction: the cversion of its parent grows.'],
  async run({ path, version }, context) {
    const { transaction } = context;
    if (!transaction.isOpen) throw usage('check belongs in a transaction', 'txn { check /a 3 ; set /a x }');
    await transaction.check(
      path,
      version?.toLowerCase() === 'absent' ? 'absent' : versionOf(version, path, context, 'check: the version'),
    );
    return undefined;
  },
});

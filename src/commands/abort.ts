import { command } from '../shell/command.ts';
import { plural } from '../shell/units.ts';

/** Forgets a transaction. */
export default command({
  name: 'abort',
  aliases: ['rollback', 'discard'],
  group: 'transaction',
  about: 'forget the open transaction; nothing was sent',
  risk: 'read',
  params: {},
  examples: [
    ['abort', 'after txn and its operations'],
    ['abort && txn', 'drops what was collected, and begins anew'],
    ['abort && ls /app', 'drops it; nothing was sent'],
  ],
  async run(_values, { transaction }) {
    const count = transaction.abort();
    return { type: 'done', text: `forgot ${plural(count, 'operation')}`, json: { aborted: count } };
  },
});

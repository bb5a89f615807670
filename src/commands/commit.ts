import { command } from '../shell/command.ts';

/** Sends a transaction. */
export default command({
  name: 'commit',
  aliases: ['exec'],
  group: 'transaction',
  about: 'send the open transaction: all of it happens, or nothing',
  risk: 'write',
  params: {},
  examples: [
    ['commit', 'after txn and its operations'],
    ['commit || stat /app/config', 'when it fails, the version that was in the way'],
    ['commit && get /app/config', 'all of it, then a look'],
  ],
  exits: [6, 10, 11, 12, 13, 14, 15, 16, 17, 19],
  run: async (_values, { transaction }) => transaction.commit(),
});

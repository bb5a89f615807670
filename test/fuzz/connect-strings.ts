/** Texts that are no connect strings: read, or refused by a sentence. */
import assert from 'node:assert/strict';
import type { Random } from '../../src/base/random.ts';
import { ConnectStringError, parseConnectString, showServer } from '../../src/client/connect-string.ts';
import { stopwatch } from '../patience.ts';

const PIECES = [
  ...[
    'a',
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[fe80::1%eth0]',
    '::1',
    ':2181',
    ':0',
    ':65536',
    ':x',
    ':',
    ',',
    ', ',
    '/',
    '/app',
  ],
  ...[
    '//',
    '/..',
    '/.',
    '/zookeeper',
    '[',
    ']',
    '@',
    '#',
    '?',
    '\\',
    ' ',
    '\t',
    '\n',
    '\0',
    'ü',
    '👍',
    '\ud800',
    '%00',
    'x'.repeat(300),
  ],
];

/** How many were read. @throws whatever is no ConnectStringError, and AssertionError for what was read wrongly */
export function fuzzConnectStrings(
  inputs: number,
  random: Random,
): { read: number; refused: number; slowestMs: number } {
  let [read, slowestMs] = [0, 0];
  for (let i = 0; i < inputs; i++) {
    let text = '';
    if (random.below(8) === 0)
      text = Buffer.from(random.bytes(random.below(40))).toString(random.below(2) === 0 ? 'latin1' : 'utf8');
    else for (let parts = random.below(9); parts > 0; parts--) text += PIECES[random.below(PIECES.length)];
    if (random.below(2000) === 0) text = text.slice(0, 40).repeat(5000);
    const spent = stopwatch();
    try {
      const { servers, chroot } = parseConnectString(text);
      read++;
      assert.ok(servers.length > 0 && servers.length <= 1000);
      assert.ok(chroot === '' || (chroot.startsWith('/') && !chroot.endsWith('/')), chroot);
      for (const { host, port } of servers) assert.ok(host !== '' && port >= 1 && port <= 65535, text);
      // what is shown for it is read as the same
      assert.deepEqual(parseConnectString(servers.map(showServer).join(',') + chroot), { servers, chroot });
    } catch (error) {
      if (!(error instanceof ConnectStringError)) throw error;
      assert.ok(error.message.length > 10);
    }
    slowestMs = Math.max(slowestMs, spent());
  }
  return { read, refused: inputs - read, slowestMs };
}

/** What programs are made of: few paths, so that they meet, and few of everything else. */
import { ALICE, BOB, OPEN } from '../../security/access/matrix.ts';

export const NODES = [
  '$',
  '$/a',
  '$/b',
  '$/c',
  '$/a/x',
  '$/a/y',
  '$/a/x/1',
  '$/b/x',
  '$/q-0000000000',
  '$/a/q-0000000001',
];
export const BAD = [
  '',
  '/',
  'a',
  '$/',
  '$//a',
  '$/./a',
  '$/a/..',
  '$/a\u0001',
  '$/a\0b',
  '$/\uf8ff',
  '$/a\u{1f600}',
  '$/\ufffd',
];
export const FAR = ['/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota', '/none/x', '$/é', '$/a/日本'];
export const PREFIXES = ['$', '$/a', '$/a/x', '$/b/', '/', '', '  ', null, '/none'];

const acl = (perms: number, scheme: string, id: string) => ({ perms, id: { scheme, id } });
export const WORLD = 'anyone';
export const LISTS: readonly (readonly [number, unknown])[] = [
  [20, OPEN],
  [2, [acl(1, 'world', WORLD)]],
  [2, [acl(30, 'world', WORLD)]],
  [1, [acl(16, 'world', WORLD)]],
  [1, [acl(0, 'world', WORLD)]],
  [2, [acl(31, 'digest', ALICE)]],
  [2, [acl(31, 'digest', BOB), acl(1, 'world', WORLD)]],
  [1, [acl(31, 'digest', ALICE), acl(16, 'world', WORLD)]],
  [2, [acl(31, 'auth', '')]],
  [1, [acl(1, 'auth', 'x'), acl(14, 'world', WORLD)]],
  [1, [acl(31, 'ip', '127.0.0.1')]],
  [1, [acl(31, 'ip', '10.0.0.0/8'), acl(1, 'world', WORLD)]],
  [1, [acl(31, 'world', WORLD), acl(31, 'world', WORLD), acl(3, 'world', WORLD)]],
  [1, []],
  [1, null],
  [1, [acl(31, 'nope', 'x')]],
  [1, [acl(31, 'world', 'me')]],
  [1, [acl(31, 'digest', 'nocolon')]],
  [1, [acl(31, 'world', WORLD), acl(31, 'ip', '1.2.3')]],
  [1, [acl(-1, 'world', WORLD)]],
];
export const LOGINS: readonly (readonly [number, string | null, string | null])[] = [
  [8, 'digest', 'alice:secret'],
  [6, 'digest', 'bob:secret'],
  [2, 'digest', 'super:adminpass'],
  [1, 'digest', 'nocolon'],
  [1, 'ip', 'x'],
  [1, 'world', WORLD],
  [1, 'nope', ''],
  [1, null, null],
];

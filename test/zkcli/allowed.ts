/** What differs from zkCli and may, to the line. */
import { normalise } from './captures.ts';
import type { Result } from './play.ts';

export type Version = '3.8' | '3.10';
const BOTH: readonly Version[] = ['3.8', '3.10'];

interface Case {
  readonly group: string;
  /** Words of the title of one recording. */
  readonly title: string;
  readonly versions: readonly Version[];
  /** As {@link differences} has them: all there are. */
  readonly lines: readonly string[];
}
interface Allowed {
  readonly why: string;
  readonly cases: readonly Case[];
}

const refused = ['exit-0', 'exit+1'];
/** The whole list; a case of it that no longer differs, or differs otherwise, is a failure. */
export const ALLOWED: readonly Allowed[] = [
  {
    why: 'a host that is dead does not fail the command',
    cases: [
      {
        group: 'global',
        title: 'two hosts, first dead',
        versions: ['3.8'],
        lines: ['out+[app, zookeeper]', 'err-KeeperErrorCode = ConnectionLoss for /', 'exit-1', 'exit+0'],
      },
      {
        group: 'global',
        title: 'chroot after host list',
        versions: ['3.10'],
        lines: ['out+[c2, one]', 'err-KeeperErrorCode = ConnectionLoss for /', 'exit-1', 'exit+0'],
      },
    ],
  },
  {
    why: 'an unknown letter of an ACL is an error',
    cases: [
      { group: 'create', title: 'unknown permission letter', versions: BOTH, lines: ['err-Created /a2', ...refused] },
      { group: 'acl', title: 'setAcl /acl world:anyone:q', versions: BOTH, lines: refused },
    ],
  },
  {
    why: 'the session is closed at the end, and its ephemeral nodes go; nor is there what the letter above refused',
    cases: [
      {
        group: 'create',
        title: 'ls /',
        versions: BOTH,
        lines: [
          'out-[a1, a2, a5, a6, a8, cont, eph, eph2, t1, t10, t2, t3, t9, ttl, ttls0000000007, x, zookeeper, ü]',
          'out+[a1, a5, a6, a8, cont, t1, t10, t2, t3, t9, ttl, ttls0000000007, zookeeper, ü]',
        ],
      },
    ],
  },
  {
    why: 'it is said that nothing of it was deleted, and nothing is',
    cases: [
      {
        group: 'set',
        title: 'deleteall /zookeeper/quota',
        versions: ['3.8'],
        lines: ['err+Failed to delete some node(s) in the subtree!'],
      },
    ],
  },
  {
    why: "our server asks for READ, as Apache's since 3.8.4",
    cases: [
      {
        group: 'acl',
        title: 'stat needs no permission',
        versions: ['3.8'],
        lines: [
          ...['cZxid = 0x?', 'ctime = ?', 'mZxid = 0x?', 'mtime = ?', 'pZxid = 0x?', 'cversion = 1'].map(
            (line) => `out-${line}`,
          ),
          ...['dataVersion = 0', 'aclVersion = 4', 'ephemeralOwner = 0x?', 'dataLength = 1', 'numChildren = 1'].map(
            (line) => `out-${line}`,
          ),
          'err+Insufficient permission : /acl',
          ...refused,
        ],
      },
    ],
  },
  {
    why: 'our server looks at the ACL before the permission',
    cases: [
      {
        group: 'acl',
        title: 'sasl id',
        versions: BOTH,
        lines: ['err-Insufficient permission : /acl', 'err+Acl is not valid : /acl'],
      },
    ],
  },
  {
    why: 'JLine 3 takes backslashes out of data',
    cases: [
      {
        group: 'quoting',
        title: 'quoting, close',
        versions: ['3.10'],
        lines: [
          ...['out-a', 'out+a\\'],
          ...['out-a', 'out-tabtx', 'out+a\\', 'out+tab\\tx'],
          ...['out-23 - set /w "tabtx"', 'out+23 - set /w "tab\\tx"'],
        ],
      },
    ],
  },
  {
    why: 'a watch on a node to come is told, as in 3.10',
    cases: [
      {
        group: 'watch',
        title: 'watch events',
        versions: ['3.8'],
        lines: ['out+', 'out+WATCHER::', 'out+', 'out+WatchedEvent state:SyncConnected type:NodeCreated path:/nonode'],
      },
    ],
  },
  {
    why: 'the old names and help, which people still type, are known; zkcli-exact does not know them, and is compared besides',
    cases: [
      {
        group: 'global',
        title: ' help',
        versions: BOTH,
        lines: ['out+USAGE', 'err-USAGE', 'err-Command not found: Command not found help', 'exit-127', 'exit+0'],
      },
      {
        group: 'set',
        title: ' rmr /e',
        versions: BOTH,
        lines: [
          ...['err-USAGE', 'err-Command not found: Command not found rmr', 'err+Node does not exist: /e'],
          ...['exit-127', 'exit+1'],
        ],
      },
    ],
  },
];

/** Cases of one group and version that a recording stands for. */
export const allowedFor = (group: string, version: Version): readonly Case[] =>
  ALLOWED.flatMap(({ cases }) => cases).filter((each) => each.group === group && each.versions.includes(version));

/** Lines that only zkCli has (`-`) or only ours (`+`), by where they were printed; its list of commands is `USAGE`. */
export function differences(zkcli: Result, ours: Result): string[] {
  const of = (name: string, one: string, other: string): string[] =>
    withUsage(lineDiff(one.split('\n'), other.split('\n'))).map((line) => name + line);
  return [
    ...of('out', normalise(zkcli.stdout), normalise(ours.stdout)),
    ...of('err', normalise(zkcli.stderr), normalise(ours.stderr)),
    ...of('exit', String(zkcli.exit), String(ours.exit)),
  ];
}

function withUsage(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const end = lines.indexOf(`${line[0]}\twhoami `, at);
    if (line.slice(1).startsWith('ZooKeeper -server ') && end > 0) {
      out.push(`${line[0]}USAGE`);
      at = end;
    } else out.push(line);
  }
  return out;
}

/** The least there is to take out and put in. */
function lineDiff(one: readonly string[], other: readonly string[]): string[] {
  const longest = Array.from({ length: one.length + 1 }, () => new Uint32Array(other.length + 1));
  const at = (i: number, j: number): number => (longest[i] as Uint32Array)[j] ?? 0;
  for (let i = one.length - 1; i >= 0; i--)
    for (let j = other.length - 1; j >= 0; j--)
      (longest[i] as Uint32Array)[j] =
        one[i] === other[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length)
    if (i < one.length && j < other.length && one[i] === other[j]) {
      i++;
      j++;
    } else if (j >= other.length || (i < one.length && at(i + 1, j) >= at(i, j + 1))) out.push(`-${one[i++]}`);
    else out.push(`+${other[j++]}`);
  return out;
}

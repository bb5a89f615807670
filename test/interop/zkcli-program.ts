/** Every command of zkCli, with every option of its usage: what is said to it, and what it must answer. */
import type { Said } from './zkcli-rig.ts';

/** What a program must know of the servers it runs on. */
export interface Place {
  /** A line of the configuration each; none where a server stands alone, which nobody can reconfigure. */
  readonly members: readonly string[];
  /** A follower, which is taken out and comes back. */
  readonly spare: string;
  /** Servers that stay. */
  readonly staying: string;
  /** Holds the lines of `members`. */
  readonly file: string;
}

/** An answer is what is printed but for events, line by line; ids, times, addresses and versions of configurations are alike. */
export type Answer = readonly string[] | RegExp;
export interface Step {
  readonly line: string | ((before: readonly Said[]) => string);
  readonly answer: Answer;
  readonly events: readonly string[];
  /** What becomes of the session, which is told when it happens. */
  readonly session?: 'Closed' | 'SyncConnected';
}
const step = (line: Step['line'], answer: string | Answer = [], events: readonly string[] = []): Step => ({
  line,
  answer: typeof answer === 'string' ? [answer] : answer,
  events,
});

const USAGE = [
  'ZooKeeper -server host:port -client-configuration properties-file cmd args',
  '\taddWatch [-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE',
  '\taddauth scheme auth',
  '\tclose ',
  '\tconfig [-c] [-w] [-s]',
  '\tconnect host:port',
  '\tcreate [-s] [-e] [-c] [-t ttl] path [data] [acl]',
  '\tdelete [-v version] path',
  '\tdeleteall path [-b batch size]',
  '\tdelquota [-n|-b|-N|-B] path',
  '\tget [-s] [-w] path',
  '\tgetAcl [-s] path',
  '\tgetAllChildrenNumber path',
  '\tgetEphemerals path',
  '\thistory ',
  '\tlistquota path',
  '\tls [-s] [-w] [-R] path',
  '\tprintwatches on|off',
  '\tquit ',
  '\treconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
  '\tredo cmdno',
  '\tremovewatches path [-c|-d|-a] [-l]',
  '\tset [-s] [-v version] path data',
  '\tsetAcl [-s] [-v version] [-R] path acl',
  '\tsetquota -n|-b|-N|-B val path',
  '\tstat [-w] path',
  '\tsync path',
  '\tversion ',
  '\twhoami ',
];

const stat = (numbers: Readonly<Record<string, number>>): string[] => {
  const { cversion = 0, dataVersion = 0, aclVersion = 0, dataLength = 0, numChildren = 0 } = numbers;
  return [
    ...['cZxid = 0x?', 'ctime = ?', 'mZxid = 0x?', 'mtime = ?', 'pZxid = 0x?', `cversion = ${cversion}`],
    ...[`dataVersion = ${dataVersion}`, `aclVersion = ${aclVersion}`, 'ephemeralOwner = 0x?'],
    ...[`dataLength = ${dataLength}`, `numChildren = ${numChildren}`],
  ];
};
const ALL = ["'world,'anyone", ': cdrwa'];
const LIMITS = 'absolute path is /zookeeper/quota/zk/zookeeper_limits';
const limits = (count: number, bytes: number, hardBytes: number, hardCount: number): string[] => [
  LIMITS,
  `Output quota for /zk count=${count},bytes=${bytes}=;byteHardLimit=${hardBytes};countHardLimit=${hardCount}`,
  'Output stat for /zk count=8,bytes=17',
];
/** A stat behind these lines; what it counts depends on ports and versions. */
const withStat = (...lines: readonly string[]): RegExp =>
  new RegExp(['^', ...lines, 'cZxid = 0x\\?', '[\\s\\S]*', 'numChildren = 0$'].join('\\n').replace('\\n', ''));

export function program({ members, spare, staying, file }: Place): readonly Step[] {
  const [spareId = ''] = /\d+/.exec(spare) ?? [];
  const isAlone = members.length === 0;
  const plain = (lines: readonly string[]): string[] => [
    ...lines.map((line) => line.replace(/127\.0\.0\.1:\d+/g, 'HOST')),
    'version=?',
  ];
  /** A change of members, or what a server that stands alone says instead. */
  const change = (line: Step['line'], lines = members): Step =>
    isAlone
      ? step(line, 'KeeperErrorCode = Unimplemented')
      : step(line, ['Committed new configuration:', ...plain(lines)]);
  return [
    step('nosuch', [...USAGE, 'Command not found: Command not found nosuch']),
    step('version', 'ZooKeeper CLI version: ?'),

    step('create /zk', 'Created /zk'),
    step('create /zk', 'Node already exists: /zk'),
    step('set /zk "two words"'),
    step('get /zk', 'two words'),
    step('get -s /zk', ['two words', ...stat({ dataVersion: 1, dataLength: 9 })]),
    step('set -s -v 1 /zk three', stat({ dataVersion: 2, dataLength: 5 })),
    step('set -v 7 /zk four', 'version No is not valid : /zk'),
    step('get /none', 'Node does not exist: /none'),
    step('create -s /zk/s- a', 'Created /zk/s-0000000000'),
    step('create -e /zk/e b', 'Created /zk/e'),
    step('create -s -e /zk/se- c', 'Created /zk/se-0000000002'),
    step('create -c /zk/c', 'Created /zk/c'),
    step('create -t 100000 /zk/t d', 'Created /zk/t'),
    step('create /zk/a data world:anyone:r', 'Created /zk/a'),
    step('create /zk/c/in deep', 'Created /zk/c/in'),
    step('create /zk/e/in x', 'Ephemerals cannot have children: /zk/e/in'),
    step('create /none/x x', 'Node does not exist: /none/x'),
    step('stat /zk', stat({ cversion: 6, dataVersion: 2, dataLength: 5, numChildren: 6 })),
    step('ls /zk', '[a, c, e, s-0000000000, se-0000000002, t]'),
    step('ls -s /zk/c', ['[in]', ...stat({ cversion: 1, numChildren: 1 })]),
    step('ls -R /zk', [
      ...['/zk', '/zk/a', '/zk/c', '/zk/e', '/zk/s-0000000000', '/zk/se-0000000002', '/zk/t', '/zk/c/in'],
    ]),
    step('getAllChildrenNumber /zk', '7'),
    step('getEphemerals /zk/se', '[/zk/se-0000000002]'),
    step('delete /zk/e'),
    step('getEphemerals', '[/zk/se-0000000002]'),
    step('sync /zk', 'Sync is OK'),

    step('getAcl /zk/a', ["'world,'anyone", ': r']),
    step('set /zk/a x', 'Insufficient permission : /zk/a'),
    step('setAcl -s -v 0 /zk/t world:anyone:cdrwa', stat({ aclVersion: 1, dataLength: 1 })),
    step('setAcl -v 9 /zk/t world:anyone:r', 'version No is not valid : /zk/t'),
    step('getAcl -s /zk/t', [...ALL, ...stat({ aclVersion: 1, dataLength: 1 })]),
    step('setAcl -R /zk/c ip:127.0.0.1:cdrwa,world:anyone:cdrwa'),
    step('getAcl /zk/c/in', ["'ip,'127.0.0.1", ': cdrwa', ...ALL]),
    step('whoami', ['Auth scheme: User', 'ip: 127.0.0.1']),
    step('addauth digest bob:secret'),
    step('whoami', ['Auth scheme: User', 'digest: bob', 'ip: 127.0.0.1']),
    step('create /zk/mine x auth::cdrwa', 'Created /zk/mine'),
    step('getAcl /zk/mine', ["'digest,'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=", ': cdrwa']),

    step('listquota /zk', [LIMITS, 'quota for /zk does not exist.']),
    step('setquota -n 10 /zk'),
    step('setquota -b 1000 /zk'),
    step('setquota -N 8 /zk'),
    step('setquota -B 2000 /zk'),
    step('listquota /zk', limits(10, 1000, 2000, 8)),
    step('create /zk/more x', 'Quota has exceeded : /zk/more'),
    step('delquota -n /zk'),
    step('delquota -N /zk'),
    step('listquota /zk', limits(-1, 1000, 2000, -1)),
    step('delquota -b /zk'),
    step('delquota -B /zk'),
    step('listquota /zk', limits(-1, -1, -1, -1)),
    step('delquota /zk'),
    step('listquota /zk', [LIMITS, 'quota for /zk does not exist.']),

    step('get -w /zk', 'three'),
    step('set /zk four', [], ['NodeDataChanged /zk']),
    step('ls -w /zk', '[a, c, mine, s-0000000000, se-0000000002, t]'),
    step('create /zk/w x', 'Created /zk/w', ['NodeChildrenChanged /zk']),
    step('stat -w /zk/w', stat({ dataLength: 1 })),
    step('delete -v 3 /zk/w', 'version No is not valid : /zk/w'),
    step('delete -v 0 /zk/w', [], ['NodeDeleted /zk/w']),
    step('removewatches /zk', 'KeeperErrorCode = No such watcher for /zk'),
    step('get -w /zk', 'four'),
    step('removewatches /zk -d', [], ['DataWatchRemoved /zk']),
    step('ls -w /zk/c', '[in]'),
    step('removewatches /zk/c -c', [], ['ChildWatchRemoved /zk/c']),
    // without a mode it goes by the one given last, the usage notwithstanding
    step('addWatch /zk'),
    step('create /zk/c/deep x', 'Created /zk/c/deep', ['NodeCreated /zk/c/deep']),
    step('delete /zk/c/deep', [], ['NodeDeleted /zk/c/deep']),
    step('removewatches /zk -a -l', [], ['PersistentWatchRemoved /zk']),
    step('addWatch -m PERSISTENT /zk'),
    step('set /zk five', [], ['NodeDataChanged /zk']),
    step('set /zk six', [], ['NodeDataChanged /zk']),
    step('removewatches /zk', [], ['PersistentWatchRemoved /zk']),
    step('printwatches', 'printwatches is on'),
    step('printwatches off'),
    step('printwatches', 'printwatches is off'),
    step('get -w /zk', 'six'),
    step('set /zk seven'),
    // its answer comes by the thread of the events, behind the one that is not to be printed
    step('sync /zk', 'Sync is OK'),
    step('printwatches on'),
    step('get /zk', 'seven'),

    step('create -s /zk/redo- x', 'Created /zk/redo-0000000008'),
    step('history', /^\d+ - create -s \/zk\/redo- x$/m),
    step((before) => {
      const [, number = ''] = /^(\d+) - create -s \/zk\/redo- x$/m.exec(before.at(-1)?.text ?? '') ?? [];
      return `redo ${number}`;
    }, 'Created /zk/redo-0000000009'),

    step('delete /zk', 'Node not empty: /zk'),
    step('deleteall /zk -b 3'),
    step('ls /', '[zookeeper]'),
    { ...step('close'), session: 'Closed' },
    step('ls /', 'Not connected'),
    { ...step(`connect ${staying}`), session: 'SyncConnected' },
    step('sync /', 'Sync is OK'),
    step('get /zk', 'Node does not exist: /zk'),

    step('config', isAlone ? [] : plain(members)),
    step('addauth digest super:adminpass'),
    step('config -w', isAlone ? [] : plain(members)),
    step('config -c', isAlone ? / / : /^[0-9a-f]+ HOST,HOST,HOST$/),
    {
      ...change(
        `reconfig -remove ${spareId}`,
        members.filter((line) => line !== spare),
      ),
      events: isAlone ? [] : ['NodeDataChanged /zookeeper/config'],
    },
    step('config -c -s', withStat(isAlone ? ' ' : '[0-9a-f]+ HOST,HOST')),
    step('reconfig -v 7 -remove 1', isAlone ? 'KeeperErrorCode = Unimplemented' : 'version No is not valid : '),
    step(
      `reconfig -s -add ${spare}`,
      isAlone
        ? 'KeeperErrorCode = Unimplemented'
        : withStat('Committed new configuration:', ...plain(members).map((line) => line.replace('?', '\\?'))),
    ),
    change(
      (before) =>
        `reconfig -v ${/^version=(.*)$/m.exec(before.at(-1)?.text ?? '')?.[1] ?? 0} -members ${members.join(',') || spare}`,
    ),
    change(`reconfig -file ${file}`),
    step('config', isAlone ? [] : plain(members)),
  ];
}

/** Keys, what they make of the line, and its answer: only a console that edits lines gets there. */
export interface Pressed {
  readonly what: string;
  readonly keys: readonly (readonly [keys: string, seen?: RegExp])[];
  readonly line: string;
  readonly answer: Answer;
}
const [UP, DOWN, LEFT, BACKSPACE] = ['\x1b[A', '\x1b[B', '\x1b[D', '\x7f'];
const ctrl = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) - 64);

export const CONSOLE: readonly Pressed[] = [
  { what: 'a line', keys: [['create /zkt x']], line: 'create /zkt x', answer: ['Created /zkt'] },
  {
    what: 'another',
    keys: [['create /zkt/one-child 1']],
    line: 'create /zkt/one-child 1',
    answer: ['Created /zkt/one-child'],
  },
  { what: 'a third', keys: [['create /zkt/other 2']], line: 'create /zkt/other 2', answer: ['Created /zkt/other'] },
  {
    what: 'Tab behind the begin of a command',
    keys: [['getAllCh\t', /ildrenNumber/], ['/zkt']],
    line: 'getAllChildrenNumber /zkt',
    answer: ['2'],
  },
  {
    what: 'Tab behind the begin of a node: what may follow, and the rest of what does',
    keys: [
      ['get /zkt/o\t', /one-child +other/],
      ['n\t', /e-child/],
    ],
    line: 'get /zkt/one-child',
    answer: ['1'],
  },
  { what: 'Up', keys: [[UP]], line: 'get /zkt/one-child', answer: ['1'] },
  { what: 'Up and Down', keys: [[UP + UP + UP + DOWN + DOWN]], line: 'get /zkt/one-child', answer: ['1'] },
  {
    what: 'begin and end of the line',
    keys: [[`xget /zkt/othe${ctrl('A')}${ctrl('D')}${ctrl('E')}r`]],
    line: 'get /zkt/other',
    answer: ['2'],
  },
  {
    what: 'left, and erased',
    keys: [[`get /zkt/oher${LEFT.repeat(3)}tt${BACKSPACE}`]],
    line: 'get /zkt/other',
    answer: ['2'],
  },
  { what: 'a word erased', keys: [[`get /zkt/other junk${ctrl('W')}`]], line: 'get /zkt/other', answer: ['2'] },
  { what: 'a line erased', keys: [[`deleteall /zkt${ctrl('U')}get /zkt`]], line: 'get /zkt', answer: ['x'] },
  {
    what: 'a search backwards',
    keys: [[`${ctrl('R')}getAll`, /getAllChildrenNumber/]],
    line: 'getAllChildrenNumber /zkt',
    answer: ['2'],
  },
];

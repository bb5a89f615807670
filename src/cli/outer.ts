/** What the program does besides the shell's commands. */
export interface OuterCommand {
  readonly name: string;
  readonly about: string;
  readonly usage: string;
  /** Words that may follow, for completion. */
  readonly words: readonly string[];
  readonly options: readonly string[];
  /** Of one of its words, where they are others. */
  readonly optionsOf?: Readonly<Record<string, readonly string[]>>;
  /** What its words and options are for. */
  readonly notes?: Readonly<Record<string, string>>;
  /** What follows, after one of its words where it has some, is a file or a folder. */
  readonly takesFiles?: boolean;
}
/** Options whose value is a file or a folder. */
export const FILE_OPTIONS: ReadonlySet<string> = new Set([
  '--config',
  '--configfile',
  '--control',
  '--data',
  '--log-dir',
  '--log-file',
  '--seed',
  '--tls-ca',
  '--to',
  '--to-log',
]);
const LOG_OPTIONS = ['--log-level', '--log-format', '--log-file', '--log-max-size', '--log-max-files'];
const ENSEMBLE_OPTIONS = [
  ...['-d', '-n', '--observers', '--base-port', '--host', '--data', '--set', '--shell', '--keep', '--rm'],
  ...['--timeout', '--output', '--help'],
];
const START_NOTES: Readonly<Record<string, string>> = {
  standalone: 'a server alone',
  server: 'one with a zoo.cfg',
  ensemble: 'several members on this machine',
  observer: 'one that follows an ensemble',
  '-d': 'leave it running',
  '--port': 'where clients are served',
  '--host': 'the address of its ports',
  '--data': 'where its data lie',
  '--memory': 'no data is kept when it ends',
  '--set': 'a setting as in zoo.cfg',
  '--config': 'its zoo.cfg',
  '--myid': "the server's id",
  '--bootstrap-with': 'how many voters found a new ensemble',
  '--join': 'servers of the ensemble that it follows',
  '--log-level': 'debug, info, warn or error',
  '--log-format': 'text or ndjson',
  '--log-file': 'where it logs',
  '--log-max-size': 'a log so large is turned over',
  '--log-max-files': 'how many of these are kept',
  '-n': 'members that vote',
  '--observers': 'members that do not',
  '--base-port': 'client port of member 1',
  '--shell': 'a prompt on it',
  '--keep': 'keep its files also when it does not come up',
  '--rm': 'remove its files at the end',
  '--timeout': 'how long a quorum may take',
  '--output': 'text, or json for programs',
  '--help': 'all that may be said',
};
export const OUTER: readonly OuterCommand[] = [
  {
    name: 'playground',
    about: 'a server in this process and a prompt on it, to try things',
    usage: 'playground [-n N] [--data DIR] [--port PORT]',
    words: [],
    options: ['-n', '--data', '--port', '--help'],
  },
  {
    name: 'start',
    about: 'start a server alone, one with a zoo.cfg, or an ensemble on this machine',
    usage: 'start standalone|server|ensemble|observer ...',
    words: ['standalone', 'server', 'ensemble', 'observer'],
    options: ['--help'],
    optionsOf: {
      standalone: ['-d', '--port', '--host', '--data', '--memory', '--set', ...LOG_OPTIONS, '--help'],
      server: ['-d', '--config', '--myid', '--set', '--bootstrap-with', ...LOG_OPTIONS, '--help'],
      observer: ['-d', '--join', '--config', '--myid', '--port', '--data', '--set', ...LOG_OPTIONS, '--help'],
      ensemble: ENSEMBLE_OPTIONS,
    },
    notes: START_NOTES,
  },
  {
    name: 'server',
    about:
      'what an operator does with the server of a zoo.cfg: start, stop, status, config, bundle and more; --help lists them',
    usage: 'server [--config DIR] VERB [NAME]',
    words: [
      'start',
      'start-foreground',
      'stop',
      'restart',
      'status',
      'config',
      'version',
      'print-cmd',
      'log-level',
      'initialize',
      'cleanup',
      'backup',
      'bundle',
      'from-env',
      'accept-loss',
    ],
    options: [
      '--config',
      '--set',
      '--myid',
      '--log-level',
      '--log-format',
      '--log-file',
      '--log-max-size',
      '--log-max-files',
      '--timeout',
      '--configfile',
      '--force',
      '-n',
      '--control',
      '--rate',
      '--print',
      '--yes',
      '--help',
    ],
  },
  {
    name: 'shims',
    about: "write scripts with the names of ZooKeeper's and Kafka's, which call zoosh",
    usage: 'shims DIR',
    words: [],
    options: ['--force', '--help'],
    takesFiles: true,
  },
  {
    name: 'import-apache',
    about: 'make a data directory of what an Apache ZooKeeper server left',
    usage: 'import-apache DIR [--to DATADIR]',
    words: [],
    options: ['--log-dir', '--to', '--to-log', '--myid', '--keep-sessions', '--accept-loss', '--help'],
    takesFiles: true,
  },
  {
    name: 'export-apache',
    about: 'make a directory that an Apache ZooKeeper server starts from',
    usage: 'export-apache DATADIR --to DIR',
    words: [],
    options: ['--log-dir', '--to', '--help'],
    takesFiles: true,
  },
  {
    name: 'backup',
    about: 'all znodes of a running server at one zxid, into a file',
    usage: 'backup FILE [--config DIR | --control PATH]',
    words: [],
    options: ['--config', '--control', '--rate', '--help'],
    takesFiles: true,
  },
  {
    name: 'restore',
    about: 'make the data directory of a new ensemble from a backup',
    usage: 'restore FILE --to DATADIR',
    words: [],
    options: ['--to', '--to-log', '--config', '--myid', '--epoch', '--sacrifice', '--help'],
    takesFiles: true,
  },
  {
    name: 'txnlog',
    about: 'show or chop a transaction log, of ours or of Apache ZooKeeper',
    usage: 'txnlog [-d | -c -z ZXID] FILE',
    words: [],
    options: ['-d', '-c', '-z', '--help'],
    takesFiles: true,
  },
  {
    name: 'snapshot',
    about: 'look at a snapshot, of ours or of Apache ZooKeeper, or compare two',
    usage: 'snapshot info|ls|summary|compare|verify FILE...',
    words: ['info', 'ls', 'summary', 'compare', 'verify'],
    options: ['-d', '-json', '-l', '-r', '-b', '-n', '-i', '--help'],
    takesFiles: true,
  },
  {
    name: 'verify',
    about: 'read every byte of a data directory that no server runs on',
    usage: 'verify DATADIR [--log-dir DIR]',
    words: [],
    options: ['--log-dir', '--help'],
    takesFiles: true,
  },
  {
    name: 'digest',
    about: 'the hash of a digest login, for ACLs and superDigest',
    usage: 'digest [--sha256] USER:PASSWORD...',
    words: [],
    options: ['--sha256', '--help'],
  },
  {
    name: 'with',
    about: 'run a program with an ensemble of its own',
    usage: 'with [-n 3] [--memory] [--seed FILE] -- CMD ARG...',
    words: [],
    options: ['-n', '--observers', '--memory', '--seed', '--set', '--timeout', '--help', '--'],
  },
  {
    name: 'init',
    about: 'questions that make a profile: servers, login, completion',
    usage: 'init [--server LIST --yes]',
    words: [],
    options: ['--server', '--auth', '--tls-ca', '--profile', '--color', '--protect', '--default', '--yes', '--help'],
  },
  {
    name: 'completion',
    about: 'print the completion script of bash, zsh or fish',
    usage: 'completion bash|zsh|fish',
    words: ['bash', 'zsh', 'fish'],
    options: [],
  },
];

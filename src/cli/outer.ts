/** What the program does besides the shell's commands. */
export interface OuterCommand {
  readonly name: string;
  readonly about: string;
  readonly usage: string;
  /** Words that may follow, for completion. */
  readonly words: readonly string[];
  readonly options: readonly string[];
}
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
    options: [
      '-d',
      '-n',
      '--port',
      '--host',
      '--data',
      '--memory',
      '--config',
      '--myid',
      '--set',
      '--observers',
      '--base-port',
      '--shell',
      '--keep',
      '--rm',
      '--timeout',
      '--join',
      '--bootstrap-with',
      '--log-level',
      '--log-format',
      '--help',
    ],
  },
  {
    name: 'server',
    about: 'accept-loss: go on alone with what one directory holds, when the rest of an ensemble is lost',
    usage: 'server accept-loss --config zoo.cfg',
    words: ['accept-loss'],
    options: ['--config', '--myid', '--yes', '--help'],
  },
  {
    name: 'import-apache',
    about: 'make a data directory of what an Apache ZooKeeper server left',
    usage: 'import-apache DIR [--to DATADIR]',
    words: [],
    options: ['--log-dir', '--to', '--to-log', '--myid', '--accept-loss', '--help'],
  },
  {
    name: 'export-apache',
    about: 'make a directory that an Apache ZooKeeper server starts from',
    usage: 'export-apache DATADIR --to DIR',
    words: [],
    options: ['--log-dir', '--to', '--help'],
  },
  {
    name: 'txnlog',
    about: 'show or chop a transaction log, of ours or of Apache ZooKeeper',
    usage: 'txnlog [-d | -c -z ZXID] FILE',
    words: [],
    options: ['-d', '-c', '-z', '--help'],
  },
  {
    name: 'snapshot',
    about: 'look at a snapshot, of ours or of Apache ZooKeeper, or compare two',
    usage: 'snapshot info|ls|compare|verify FILE...',
    words: ['info', 'ls', 'compare', 'verify'],
    options: ['-d', '-json', '-l', '-r', '-b', '-n', '--help'],
  },
  {
    name: 'verify',
    about: 'read every byte of a data directory that no server runs on',
    usage: 'verify DATADIR [--log-dir DIR]',
    words: [],
    options: ['--log-dir', '--help'],
  },
  {
    name: 'digest',
    about: 'the hash of a digest login, for ACLs and superDigest',
    usage: 'digest USER:PASSWORD...',
    words: [],
    options: ['--help'],
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

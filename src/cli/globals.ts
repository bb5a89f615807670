import type { Command } from 'commander';
import { MODES, type Mode } from '../out/modes.ts';
import { usage } from '../shell/failure.ts';
import { choice, parseSize, parseTimed } from '../shell/units.ts';

/** Options that stand before the command. Durations in ms. */
export interface Globals {
  readonly server?: string;
  readonly profile?: string;
  readonly auth: readonly string[];
  readonly timeout?: number;
  readonly connectTimeout: number;
  readonly opTimeout?: number;
  readonly allowRo?: boolean;
  /** bytes */
  readonly maxReply?: number;
  readonly readOnly?: boolean;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServername?: string;
  readonly tlsInsecure?: boolean;
  readonly clientConfig?: string;
  readonly output?: Mode;
  readonly fields?: readonly string[];
  readonly header?: boolean;
  readonly progress?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: 'auto' | 'always' | 'never' | false;
  readonly ascii?: boolean;
  readonly pager: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly atomic?: boolean;
  readonly compat?: string;
  readonly command: readonly string[];
  readonly continueOnError?: boolean;
  readonly set: readonly string[];
  /** Properties of Java's client. */
  readonly define: readonly string[];
  readonly config: boolean;
  readonly history: boolean;
  readonly help?: boolean;
  readonly version?: boolean;
}

/** What holds when nothing is said. */
export const NO_GLOBALS = {
  auth: [],
  connectTimeout: 5000,
  pager: true,
  color: 'auto',
  command: [],
  set: [],
  define: [],
  config: true,
  history: true,
} as const satisfies Globals;

const list = (value: string, before: readonly string[]): string[] => [...before, value];
/** commander's only door; loaded when there is an option to parse. */
async function program(): Promise<Command> {
  const { Command, InvalidArgumentError, Option } = await import('commander');
  const duration = (value: string): number => {
    try {
      const ms = parseTimed(value, 'a time');
      if (ms === 0) throw new Error('a time is more than 0');
      return ms;
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
  const names = (value: string): string[] => {
    const said = value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    if (said.length === 0) throw new InvalidArgumentError('these are names of fields, with commas between them');
    return said;
  };
  const size = (value: string): number => {
    try {
      return parseSize(value);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
  return new Command('zoosh')
    .argument('[words...]')
    .enablePositionalOptions()
    .passThroughOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .helpOption(false)
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .option('-s, --server <LIST>', 'host:port,... with an optional /chroot; default localhost:2181')
    .option('-p, --profile <NAME>', 'servers and credentials kept under a name')
    .option(
      '--auth <SCHEME:CRED>',
      'present a credential; CRED may be env:VAR, file:F, cmd:CMD or -',
      list,
      NO_GLOBALS.auth,
    )
    .option('--timeout <DUR>', 'session timeout, e.g. 30s', duration)
    .option('--connect-timeout <DUR>', 'how long to try to connect; default 5s', duration, NO_GLOBALS.connectTimeout)
    .option('--max-reply <SIZE>', 'largest reply that is taken; default 64M', size)
    .option('--op-timeout <DUR>', 'how long one request may take', duration)
    .option('-r, --allow-ro', 'accept a server in read-only mode')
    .option('--read-only', 'refuse to send any change')
    .option('--tls', 'speak TLS')
    .option('--tls-ca <FILE>', 'authority to trust (PEM)')
    .option('--tls-cert <FILE>', 'own certificate (PEM); its key may be in the same file')
    .option('--tls-key <FILE>', 'own key (PEM)')
    .option('--tls-servername <NAME>', 'name the certificate must have')
    .option('--tls-insecure', 'accept any certificate')
    .addOption(new Option('-o, --output <MODE>', `how results look: ${choice(MODES)}`).choices([...MODES]))
    .option('--fields <A,B>', 'which fields of a result, in this order: plain, table and json', names)
    .option('--header', 'plain output begins with the names of its fields')
    .option('--progress', 'with -o ndjson: how far long work is, as JSON on standard error')
    .option('-q, --quiet', 'no warnings and no news')
    .option('-v, --verbose', 'every request and answer on standard error, and more of failures')
    .addOption(
      new Option('--color <WHEN>', 'colours: auto, always or never')
        .choices(['auto', 'always', 'never'])
        .default(NO_GLOBALS.color),
    )
    .option('--no-color', 'no colours')
    .option('--ascii', 'no box drawing, no symbols')
    .option('--no-pager', 'long results are printed, not paged')
    .option('-y, --yes', 'answer yes to every question')
    .option('-n, --dry-run', 'show what would change, change nothing')
    .option('-c, --command <CMDS>', 'run commands; repeatable', list, NO_GLOBALS.command)
    .option('-k, --continue-on-error', 'do not stop at the first failing command')
    .option('--atomic', 'all changes of the script as one transaction, or none')
    .option('--set <NAME=VALUE>', 'a variable for scripts; repeatable', list, NO_GLOBALS.set)
    .option('--compat <WHAT>', "be zkCli: zkcli, zkcli-exact, with =3.8 or =3.10 for a version's own texts")
    .option('--no-config', 'ignore config.json and rc.zk')
    .option('--no-history', 'remember no lines')
    .addOption(new Option('--wait-for-connection').hideHelp())
    .option('--client-config <FILE>', "zkCli's client configuration: TLS (PEM, PKCS12, JKS stores) and SASL")
    .option(
      '-D, --define <NAME=VALUE>',
      "a property of Java's client, as -Djava.security.auth.login.config=JAAS",
      list,
      NO_GLOBALS.define,
    )
    .option('-V, --version', 'the version')
    .option('-h, --help', 'this text');
}

/** Every option word there is, for completion and help. */
export const globalOptions = async (): Promise<
  {
    readonly names: readonly string[];
    readonly about: string;
    readonly takesValue: boolean;
    /** What the help calls its value; empty when it takes none. */
    readonly value: string;
  }[]
> =>
  (await program()).options
    .filter(({ hidden }) => !hidden)
    .map(({ short, long, flags, description, required }) => ({
      names: [short, long].filter((name) => name !== undefined && name !== null),
      about: description,
      takesValue: required,
      value: /<(.*)>$/.exec(flags)?.[1] ?? '',
    }));

/** argv to options and the words after them. @throws Failure (2) */
export async function parseGlobals(argv: readonly string[]): Promise<{ globals: Globals; words: string[] }> {
  if (argv[0]?.startsWith('-') !== true) return { globals: NO_GLOBALS, words: [...argv] };
  const command = await program();
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if ((error as Error).constructor.name !== 'CommanderError' && !(error as Error).message.startsWith('error: '))
      throw error;
    const [first = '', ...more] = (error as Error).message.replace(/^error: /, '').split('\n');
    const meant = /Did you mean (.*)\?/.exec(more.join(' '))?.[1];
    throw usage(first, meant === undefined ? 'zoosh --help lists the options' : `did you mean ${meant} ?`);
  }
  return { globals: command.opts<Globals>(), words: command.args };
}

/** The options' part of `zoosh --help`. */
export async function globalHelp(): Promise<string> {
  const rows = (await globalOptions()).map(
    ({ names, about, value }) => [`${names.join(', ')} ${value}`.trimEnd(), about] as const,
  );
  const width = Math.max(...rows.map(([names]) => names.length));
  return rows.map(([names, about]) => `  ${names.padEnd(width)}  ${about}`).join('\n');
}

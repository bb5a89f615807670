import type { InForce } from '../server/config.ts';
import { ConfigError, type Origin, type Setting, showOrigin } from '../server/config-text.ts';
import { bytesOf, type FlagSource, levelOf, readJvmFlags } from './jvm-flags.ts';

/** The process's environment. */
export type Env = Readonly<Record<string, string | undefined>>;

/** All that says how a server is to run, before it is checked. */
export interface Gathered {
  /** In the order in which later ones win. */
  readonly settings: readonly Setting[];
  /** What V8 may use, MiB, and who said so; undefined: its own limit. */
  readonly heap: { readonly mib: number; readonly from: Origin } | undefined;
  /** A level that the environment asks for. */
  readonly logLevel: string | undefined;
  /** For the log, one sentence each. */
  readonly notes: readonly string[];
}

/** Less than this no server starts in. */
const LEAST_HEAP_MIB = 64;
const MIB = 1 << 20;
/** The settings of the process that no other room knows. */
export const MEMORY_LIMIT = 'memory.limit';

/** `-D` and `-X` words among arguments, and the rest. */
export function splitFlags(argv: readonly string[]): { flags: string[]; words: string[] } {
  const end = argv.indexOf('--');
  const isFlag = (word: string, at: number): boolean => /^-[DX]./.test(word) && (end < 0 || at < end);
  return { flags: argv.filter(isFlag), words: argv.filter((word, at) => !isFlag(word, at)) };
}

/** Arguments as one text again, for who splits it as a shell does. */
const quoted = (words: readonly string[]): string => words.map((word) => `'${word.replace(/'/g, `'"'"'`)}'`).join(' ');

/** The words for a Java machine in an environment, in the order in which Apache's scripts hand them on. */
export const flagSources = (env: Env, names: readonly string[]): FlagSource[] =>
  names.flatMap((option) => {
    const text = env[option];
    return text === undefined || text.trim() === '' ? [] : [{ option, text }];
  });

/** Where Debian's zookeeperd has the words for its server; ZooKeeper's own scripts do not read it. */
const DEBIAN_FLAGS = 'JAVA_OPTS';
/** Those of a server, and those of a client and of tools. */
export const SERVER_FLAGS = [DEBIAN_FLAGS, 'SERVER_JVMFLAGS', 'JVMFLAGS'];
export const CLIENT_FLAGS = ['CLIENT_JVMFLAGS', 'JVMFLAGS'];

/** Where settings come from. */
export interface Given {
  readonly env: Env;
  readonly flags: readonly string[];
  readonly file: readonly Setting[];
  readonly sets: readonly Setting[];
}

/** The words for a Java machine, of the environment and among the arguments. */
function sourcesOf({ env, flags }: Given): FlagSource[] {
  const sources = flagSources(env, SERVER_FLAGS);
  return flags.length === 0 ? sources : [...sources, { option: 'argument', text: quoted(flags) }];
}

const inOrder = ({ env, file, sets }: Given, ofFlags: readonly Setting[]): Setting[] => [
  ...ofVariables(env),
  ...ofFlags,
  ...file,
  ...sets,
];

/** The settings as {@link gather} puts them in order, whatever else of them is no good. */
export const ordered = (given: Given): Setting[] => inOrder(given, readJvmFlags(sourcesOf(given)).settings);

/**
 * Puts settings in their order: words for a Java machine (environment, then arguments), the file, which overrides them as
 * ZooKeeper's does, then options. `memory.limit` and `-Xmx` are taken out: they are about the process.
 * @throws ConfigError for a size that is none
 */
export function gather(given: Given): Gathered {
  const { env } = given;
  const sources = sourcesOf(given);
  const found = readJvmFlags(sources);
  const notes =
    found.idle.length === 0
      ? []
      : [
          `words for a Java machine without effect here (${sources.map(({ option }) => option).join(', ')}): ${found.idle.join(' ')}`,
        ];
  const all = inOrder(given, found.settings);
  const settings = all.filter(({ key }) => key !== MEMORY_LIMIT && key !== `zookeeper.${MEMORY_LIMIT}`);
  const limit = all.findLast(({ key }) => key === MEMORY_LIMIT || key === `zookeeper.${MEMORY_LIMIT}`);
  const asked = heapOf(env, found.heap, limit);
  if (asked === undefined) return { settings, heap: undefined, logLevel: levelIn(env, found.logLevel), notes };
  const mib = Math.max(LEAST_HEAP_MIB, Math.floor(asked.bytes / MIB));
  if (asked.bytes < LEAST_HEAP_MIB * MIB)
    notes.push(
      `${showOrigin(asked.from)}: ${Math.floor(asked.bytes / MIB)} MiB is too little to serve: raised to ${mib}`,
    );
  return { settings, heap: { mib, from: asked.from }, logLevel: levelIn(env, found.logLevel), notes };
}

/** Settings that have a variable of their own in ZooKeeper's scripts. */
function ofVariables(env: Env): Setting[] {
  const name = 'ZOO_DATADIR_AUTOCREATE_DISABLE';
  return (env[name] ?? '') === '' ? [] : [{ key: 'datadir.autocreate', value: 'false', from: { option: name } }];
}

function heapOf(
  env: Env,
  xmx: { readonly bytes: number; readonly from: Origin } | undefined,
  limit: Setting | undefined,
): { readonly bytes: number; readonly from: Origin } | undefined {
  if (limit !== undefined) {
    const bytes = bytesOf(limit.value);
    if (bytes !== undefined && bytes > 0) return { bytes, from: limit.from };
    throw new ConfigError(`${MEMORY_LIMIT}=${limit.value} is not a size`, 'write 512m, 2g or bytes', {
      key: MEMORY_LIMIT,
      from: limit.from,
    });
  }
  const plan = env.ZK_SERVER_HEAP?.trim() ?? '';
  // ZooKeeper's scripts make ZK_SERVER_HEAP the first word of SERVER_JVMFLAGS
  if (plan === '' || (xmx !== undefined && showOrigin(xmx.from) !== `${DEBIAN_FLAGS} -Xmx`)) return xmx;
  const from = { option: 'ZK_SERVER_HEAP' };
  if (/^[1-9]\d{0,8}$/.test(plan)) return { bytes: Number(plan) * MIB, from };
  throw new ConfigError(`ZK_SERVER_HEAP=${plan} is not a number of MiB`, 'write digits only', {
    key: 'ZK_SERVER_HEAP',
    from,
  });
}

/** Apache's scripts hand ZOO_LOG4J_PROP on as a property; a property said directly counts more. */
const levelIn = (env: Env, property: string | undefined): string | undefined =>
  property ?? levelOf(env.ZOO_LOG4J_PROP ?? '');

/** Words that shut clients or members out in ZooKeeper, and that would be let through here. */
const GUARDS: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:quorum\.auth\.(?:learnerRequireSasl|serverRequireSasl))$/,
    'members would have to log in to each other by SASL',
  ],
];

/** The rows of the process in `server config`. */
export function processRows({ heap }: Pick<Gathered, 'heap'>): InForce[] {
  return heap === undefined ? [] : [{ key: MEMORY_LIMIT, value: `${heap.mib}m`, from: heap.from }];
}

/**
 * A setting that ZooKeeper shuts a door by, and that has no effect here yet, must not leave the door open.
 * @throws ConfigError
 */
export function refuseOpenDoors(settings: readonly Setting[]): void {
  const last = new Map(settings.map((setting) => [setting.key.replace(/^zookeeper\./, ''), setting]));
  for (const [key, { value, from }] of last)
    for (const [guard, what] of GUARDS)
      if (guard.test(key) && /^true$/i.test(value))
        throw new ConfigError(
          `${key}=true: ${what}, which this version does not do, and everyone would be let in`,
          'remove it if that is what you want, or keep this server on ZooKeeper',
          { key, from },
        );
}

import { existsSync } from 'node:fs';
import { packageVersion } from '../platform/version.ts';
import { type Failure, failureOf, usage } from '../shell/failure.ts';
import { PROGRAMS } from '../shell/programs.ts';
import { type Globals, parseGlobals } from './globals.ts';
import { normaliseLegacy } from './legacy.ts';
import { saysJson } from './said-output.ts';
import { isReaderGone, unwritableOut } from './standard-output.ts';
import { isTarget } from './targets.ts';
import { compatWish } from './zkcli-argv.ts';

/** argv to exit code. Rooms are loaded only when a command needs them. Nothing ends with a stack trace. */
export async function main(argv: string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // whoever else listens has something to put right before it ends
    if (process.stdout.listenerCount('error') > 1) return;
    if (isReaderGone(error)) process.exit(0);
    const failure = unwritableOut(error, false);
    process.stderr.write(`error: ${failure.message}\n`, () => process.exit(failure.exit));
  });
  process.stderr.on('error', () => {});
  // by itself Node opens its debugger for this signal, which logs are rotated by elsewhere: whoever of this machine connects then
  // does as this user
  process.on('SIGUSR1', () => {});
  try {
    return await run(argv);
  } catch (error) {
    const failure = failureOf(error);
    const { plainTheme } = await import('../out/theme.ts');
    const { failureText } = await import('../out/failures.ts');
    const { redact } = await import('../editor/redact.ts');
    const told = { failure, command: redact(argv.join(' ')), file: undefined, line: undefined };
    const { errWidth } = await import('./width.ts');
    const mode = saysJson(argv, process.env) ? 'json' : 'text';
    const text = (as: 'json' | 'text'): string => failureText(told, as, plainTheme(true), errWidth());
    process.stderr.write(
      whatCan(
        () => text(mode),
        () => text('text'),
      ),
    );
    if (failure.exit === 70 && argv.some((word) => word === '-v' || word === '--verbose'))
      process.stderr.write(`${(error as Error).stack ?? ''}\n`);
    return failure.exit;
  }
}

/** What broke may be what the failure is told by. */
function whatCan(first: () => string, second: () => string): string {
  try {
    return first();
  } catch {
    return second();
  }
}

/** The command that explains, by its names. */
const HELP: ReadonlySet<string> = new Set(['help', '?', 'man']);

async function run(argv: string[]): Promise<number> {
  if (argv[0] === 'start') return (await import('./start.ts')).runStart(argv.slice(1));
  if (argv[0] === '__complete') return (await import('./os-complete.ts')).runComplete(argv.slice(1));
  const compat = compatWish(process.argv[1] ?? '', argv, process.stdin.isTTY === true);
  if (compat !== undefined) return (await import('./zkcli.ts')).runZkcli(compat);
  const legacy = normaliseLegacy(argv);
  const { words, said, ...found } = await withTarget(legacy.argv);
  const globals = await withSecrets(found.globals);
  if (globals.version === true) {
    process.stdout.write(`zoosh ${packageVersion()}\n`);
    return 0;
  }
  if (globals.help === true) return (await import('./usage.ts')).printUsage();
  const [first, ...rest] = words;
  // a program's help is its own
  if (first !== undefined && HELP.has(first) && PROGRAMS.has(rest[0] ?? '')) return run([...rest, '--help']);
  if (first === 'with') return (await import('./with.ts')).runWith(rest, globals);
  if (first === 'server') return (await import('./server.ts')).runServer(rest, globals);
  if (first === 'backup') return (await import('./server.ts')).runServer([first, ...rest], globals);
  if (first === 'restore') return (await import('./restore.ts')).runRestore(rest, globals);
  if (first === 'import-apache') return (await import('./import-apache.ts')).runImportApache(rest, globals);
  if (first === 'export-apache') return (await import('./export-apache.ts')).runExportApache(rest, globals);
  if (first === 'shims') return (await import('./shims.ts')).runShims(rest, globals);
  if (first === 'txnlog') return (await import('./txnlog.ts')).runTxnlog(rest, globals);
  if (first === 'snapshot') return (await import('./snapshot-tool.ts')).runSnapshot(rest, globals);
  if (first === 'verify') return (await import('./verify.ts')).runVerify(rest, globals);
  if (first === 'digest') return (await import('./digest.ts')).runDigest(rest);
  if (first === 'completion') return (await import('./usage.ts')).printCompletion(rest);
  if (first === 'init') return (await import('./init.ts')).runInit(rest, globals);
  const front = await import('./front.ts');
  if (first === 'playground') {
    if (said ?? globals.server ?? globals.profile)
      throw usage('playground connects to its own server', 'leave out the target');
    const { tls, tlsCa, tlsCert, tlsKey, tlsServername, tlsInsecure, clientConfig } = globals;
    if ([tls, tlsCa, tlsCert, tlsKey, tlsServername, tlsInsecure, clientConfig].some((each) => each !== undefined))
      throw usage('the server of the playground has no TLS', 'leave out the options of TLS');
    return front.runPlayground(globals, rest);
  }
  const profile = globals.profile === undefined ? undefined : `@${globals.profile.replace(/^@/, '')}`;
  const [one, two] = [globals.server, profile, said].filter((each) => each !== undefined);
  if (two !== undefined) throw twoTargets(one, two);
  const [name, ...args] = words;
  if (name === 'run') {
    const [file, ...more] = args;
    if (file === undefined) throw usage('run: FILE is missing', 'zoosh run FILE [ARG...]');
    if (!file.startsWith('-')) return front.runCommands(globals, said, { file, args: more });
  }
  if (name !== undefined && isScript(name)) return front.runCommands(globals, said, { file: name, args });
  if (name === '-') return front.runInput(globals, { said }, args);
  if (globals.command.length > 0) {
    if (name !== undefined) throw usage(`-c runs its own commands; ${name} is one word too many`);
    return front.runCommands(globals, said);
  }
  if (name === undefined) return front.runPrompt(globals, said, legacy.found);
  if (name === 'start') return (await import('./start.ts')).runStart(args, globals);
  if (name === 'ensemble' && args[0] === 'shell') return front.runOnEnsemble(globals, await namedEnsemble(args));
  return front.runOne(globals, said, words);
}

/** `--auth digest:-` is asked for, unseen. @throws Failure (2) when nobody is there */
async function withSecrets(globals: Globals): Promise<Globals> {
  if (!globals.auth.some((text) => text.endsWith(':-'))) return globals;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true)
    throw usage('a credential is to be typed, and nobody is there to type it', 'say env:VAR, file:F or cmd:CMD');
  const { askHidden } = await import('./ask.ts');
  const auth: string[] = [];
  for (const text of globals.auth)
    auth.push(
      text.endsWith(':-') ? text.slice(0, -1) + (await askHidden(`credential for ${text.slice(0, -2)}`)) : text,
    );
  return { ...globals, auth };
}

/** Takes a target off the front; options may stand before and after it. */
async function withTarget(
  argv: readonly string[],
): Promise<{ globals: Globals; words: string[]; said: string | undefined }> {
  const first = await parseGlobals(argv);
  const [said, ...rest] = first.words;
  if (said === undefined || !isTarget(said)) return { ...first, said: undefined };
  if (rest[0] !== undefined && isTarget(rest[0])) throw twoTargets(said, rest[0]);
  if (rest[0]?.startsWith('-') !== true) return { globals: first.globals, words: rest, said };
  return { ...(await parseGlobals([...argv.slice(0, argv.length - first.words.length), ...rest])), said };
}

const twoTargets = (one: string | undefined, two: string): Failure =>
  usage(`two targets: ${one} and ${two}`, 'commands go to one ensemble: leave one out');

/** The one that `ensemble shell [NAME]` means. */
async function namedEnsemble([, name, more]: readonly string[]): Promise<{ name: string; connect: string }> {
  if (more !== undefined) throw usage(`ensemble shell: one word too many: ${more}`);
  return (await import('./local-ensembles.ts')).localEnsembles().open(name);
}

/** `*.zk`, or a path with a slash, be there such a file or not; a whole line given as one word is neither. */
const isScript = (word: string): boolean =>
  word.endsWith('.zk') || (word.includes('/') && (!/\s/.test(word) || existsSync(word)));

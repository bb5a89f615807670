import type { Client } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import { folders } from '../config/folders.ts';
import { ensembleNames } from '../ensemble/layout.ts';
import { MODES } from '../out/modes.ts';
import { completeWords, DURATIONS, takesProgram } from '../shell/complete.ts';
import { type NodeReader, PathSource } from '../shell/path-source.ts';
import type { Target } from '../shell/session.ts';
import type { Profiles } from '../shell/settings.ts';
import { CompletionCache } from './completion-cache.ts';
import { completionPorts } from './completion-ports.ts';
import { globalOptions, parseGlobals } from './globals.ts';
import { profilesOf } from './host.ts';
import { FILE_OPTIONS, OUTER, type OuterCommand } from './outer.ts';
import { chooseTarget, isTarget } from './targets.ts';

/** No answer is better than a late one: counted from the start of the process, with something left for the shell around it. */
const DEADLINE_MS = 370;
/** A machine so busy that the program has only begun by then still gets its words. */
const LEAST_MS = 150;

/**
 * `zoosh __complete --shell S -- LINE`: one candidate a line, `text TAB flags TAB note`; flags `n`: no blank after it, `-`: none, since a shell's read takes two TABs for one. Never
 * an error, never a question, never later than 400 ms where a process starts in half of that. Always 0.
 */
export async function runComplete(argv: readonly string[]): Promise<never> {
  const at = argv.indexOf('--');
  const line = at < 0 ? '' : argv.slice(at + 1).join(' ');
  const signal = AbortSignal.timeout(Math.max(LEAST_MS, Math.round(DEADLINE_MS - performance.now())));
  const late = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const ends: Promise<void>[] = [];
  try {
    const found = (await Promise.race([candidates(line, signal, ends), late])) ?? [];
    await new Promise<void>((resolve) =>
      process.stdout.write(found.map((each) => `${each}\n`).join(''), () => resolve()),
    );
  } catch {
    // a completion that cannot be made says nothing
  }
  await Promise.race([Promise.all(ends), late]);
  // the shell waits for our end, so nothing half open may hold it up
  process.exit(0);
}

/** What is to be over before the process ends, while there is time, goes into `ends`. */
async function candidates(line: string, signal: AbortSignal, ends: Promise<void>[]): Promise<string[]> {
  const { words, typed } = splitLine(line);
  const rest = words.slice(1); // the program
  const options = await globalOptions();
  let at = 0;
  let open: GlobalOption | undefined;
  while (at < rest.length && (rest[at] as string).startsWith('-')) {
    const option = options.find(({ names }) => names.includes(rest[at] as string));
    if (option?.takesValue === true && at + 1 >= rest.length) open = option;
    at += option?.takesValue === true && open === undefined ? 2 : 1;
  }
  const globalsPart = rest.slice(0, open === undefined ? at : at - 1);
  const said = isTarget(rest[at] ?? '') ? rest[at++] : undefined;
  const command = rest.slice(at);
  const [, name = '', value] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
  const glued =
    open === undefined && command.length === 0 ? options.find(({ names }) => names.includes(name)) : undefined;
  if (open === undefined && glued === undefined && command.length === 0 && typed.startsWith('-'))
    return shown(
      options.flatMap(({ names, about }) => names.map((text) => ({ text, note: about }))),
      typed,
    );
  const { globals } = await parseGlobals(globalsPart);
  const { profiles, settings } = profilesOf(globals, folders());
  const targets = { globals, profiles, configFile: folders().configFile, env: process.env };
  if (open !== undefined) return valuesOf(open, typed, profiles);
  if (glued !== undefined) return valuesOf(glued, value ?? '', profiles, `${name}=`);
  if (command.length === 0) {
    if (typed.includes('/')) return [':files']; // a script
    if (typed.startsWith('@'))
      return shown(
        profiles.list().map(({ name }) => ({ text: `@${name}` })),
        typed,
      );
    const own = await completeWords([], typed, completionPorts(source()));
    return [
      ...shown(
        OUTER.map(({ name, about }) => ({ text: name, note: about })),
        typed,
      ),
      ...shown(own, ''),
    ];
  }
  const outer = OUTER.find(({ name }) => name === command[0]);
  if (outer !== undefined) return ofOuter(outer, command.slice(1), typed);
  // the shell around us knows files better
  if (!typed.startsWith('-') && takesProgram(command, completionPorts(source()))) return [':files'];
  const isLive = process.env.ZOOSH_COMPLETE_LIVE !== '0';
  const readers: ReturnType<typeof liveReader>[] = [];
  const begin = (target: string | undefined): PathSource => {
    const reader = isLive ? liveReader(target) : undefined;
    if (reader !== undefined) readers.push(reader);
    return pathsBy(reader?.read);
  };
  try {
    const here = { ...source(begin(said)), pathsOf: (profile: string) => begin(`@${profile}`) };
    return shown(await completeWords(command, typed, completionPorts(here)), '');
  } finally {
    ends.push(...readers.map((each) => each.end()));
  }

  /** Nodes of the server, by way of what earlier Tabs have seen. */
  function liveReader(of: string | undefined): { read(): Promise<NodeReader> | undefined; end(): Promise<void> } {
    let cache: CompletionCache | undefined;
    let client: Promise<Client> | undefined;
    let isOpen = false;
    // whose credential is not to be had is anybody, and sees what anybody may
    const target = (): Target => {
      try {
        return chooseTarget(of, targets);
      } catch {
        return chooseTarget(of, { ...targets, isAnybody: true });
      }
    };
    const open = (): Promise<Client> => {
      client ??= (async () => {
        try {
          const { server, options: how } = target();
          const session = await connect(server, { ...how, connectTimeoutMs: DEADLINE_MS, signal });
          isOpen = true;
          return session;
        } catch (error) {
          cache?.failed();
          throw error;
        }
      })();
      return client;
    };
    // the process ends with the deadline: too late to learn there that nobody answered
    signal.addEventListener('abort', () => client !== undefined && !isOpen && cache?.failed(), { once: true });
    return {
      read: () => {
        cache ??= new CompletionCache(folders().cache, target(), () => Date.now());
        return cache.rests ? undefined : Promise.resolve(cache.reader(open));
      },
      end: async () => {
        if (!isOpen) return;
        cache?.save();
        await (await client)?.close();
      },
    };
  }

  function pathsBy(get: (() => Promise<NodeReader> | undefined) | undefined): PathSource {
    return new PathSource(get ?? (() => undefined), () => performance.now());
  }
  function source(paths = pathsBy(undefined)) {
    return { cwd: '/', paths, profiles, settings, client: undefined, variables: [], target: '' };
  }
}

/** What may follow a command of the program that is none of the shell's. */
function ofOuter(outer: OuterCommand, before: readonly string[], typed: string): string[] {
  if (FILE_OPTIONS.has(before.at(-1) ?? '')) return [':files'];
  if (outer.options.includes('--') && before.includes('--')) return [':files']; // a program's
  const word = before.find((each) => outer.words.includes(each));
  const isWordDue = outer.words.length > 0 && word === undefined;
  if (outer.takesFiles === true && !isWordDue && !typed.startsWith('-')) return [':files'];
  const options = outer.optionsOf?.[word ?? ''] ?? outer.options;
  return shown(
    [...(isWordDue || outer.optionsOf === undefined ? outer.words : []), ...options].map((text) => ({
      text,
      note: outer.notes?.[text],
    })),
    typed,
  );
}

type GlobalOption = Awaited<ReturnType<typeof globalOptions>>[number];
/** Values of an option that stands before the command; `lead`: it is `--option=`, and one word with them. */
function valuesOf({ names, value }: GlobalOption, typed: string, profiles: Profiles, lead = ''): string[] {
  const long = names.at(-1) ?? '';
  const words: Readonly<Record<string, readonly string[]>> = {
    '--auth': ['digest:', 'digest256:', 'sasl:', 'ip:', 'x509:'],
    '--output': MODES,
    '--color': ['auto', 'always', 'never'],
    '--compat': ['zkcli', 'zkcli-exact', 'zkcli=3.8', 'zkcli=3.10'],
    '--profile': profiles.list().map(({ name }) => name),
    '--server': ensembleNames(folders().ensembles).map((name) => `local/${name}`),
  };
  if (['--tls-ca', '--tls-cert', '--tls-key', '--client-config'].includes(long)) return [':files'];
  return shown(
    (words[long] ?? (value === 'DUR' ? DURATIONS : [])).map((text) => ({
      text: lead + text,
      open: text.endsWith(':'),
    })),
    lead + typed,
  );
}

interface Shown {
  readonly text: string;
  readonly note?: string | undefined;
  readonly open?: boolean;
}
const shown = (all: readonly Shown[], typed: string): string[] =>
  all
    .filter(({ text }) => text.startsWith(typed))
    .map(({ text, note = '', open }) => `${text}\t${open === true ? 'n' : '-'}\t${note}`);

/** A line as the operating system's shell reads it: words without their quotes, and the last one as far as it is typed. */
export function splitLine(line: string): { words: string[]; typed: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const unit = line[at] as string;
    if (quote !== '') {
      if (unit === quote) quote = '';
      else if (quote === '"' && /^\\["\\$`]/.test(line.slice(at, at + 2))) word = (word ?? '') + (line[++at] as string);
      else word += unit;
    } else if (unit === "'" || unit === '"') {
      quote = unit;
      word ??= '';
    } else if (unit === '\\' && at + 1 < line.length) word = (word ?? '') + line[++at];
    else if (/\s/.test(unit)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + unit;
  }
  return { words, typed: word ?? '' };
}

/** What may stand at the cursor. */
import type { Candidate, Completion } from '../editor/types.ts';
import { isElsewhere, optionsOf, placedWords, type Walk, walk } from './bind.ts';
import type { Arg, CommandSpec, Param, Registry } from './command.ts';
import { type Quote, staticText, tokenize, type WordToken } from './lexer.ts';
import type { PathNote, PathSource } from './path-source.ts';
import { quoteWord, resolvePath, showUnseen } from './paths.ts';

/** What completion knows; everything is asked for only when it is needed. */
export interface CompletionPorts {
  readonly registry: Registry;
  readonly cwd: string;
  readonly paths: PathSource;
  /** Nodes of the ensemble of a profile; absent where no other ensemble is looked at. */
  pathsOf?(profile: string): PathSource;
  settings(): readonly string[];
  settingValues(name: string): readonly string[];
  profiles(): readonly string[];
  /** `host:port` of the servers in use, and connect strings of ensembles on this machine. */
  hosts(): readonly string[];
  topics(): readonly string[];
  watched(): readonly string[];
  files(prefix: string): readonly { readonly name: string; readonly isFolder: boolean }[];
  variables(): readonly string[];
  /** Where nothing is typed yet a path begins at the root, since no current path is seen. */
  readonly isAbsolute?: boolean;
  /** Names of local ensembles, and words for their members. */
  ensembleWords(): readonly string[];
}

/** A name to choose from, before quoting. */
export interface Choice {
  readonly text: string;
  readonly note?: string | undefined;
  readonly display?: string;
  readonly open?: boolean;
  /** Of a command: never quoted, whatever it is made of. */
  readonly isName?: boolean;
}

/** Candidates for the word that ends at `cursor`. `again`: the user insists (second Tab), so a big listing is loaded. */
export async function complete(
  text: string,
  cursor: number,
  again: boolean,
  ports: CompletionPorts,
): Promise<Completion> {
  const before = text.slice(0, cursor);
  const none: Completion = { from: cursor, to: cursor, candidates: [] };
  const variable = /\$\{([\w:]*)$/.exec(before);
  if (variable !== null)
    return { from: variable.index, to: cursor, candidates: variablesFor(variable[1] as string, ports) };
  const { tokens, fault } = tokenize(before);
  if (fault !== undefined) {
    if (before.slice(fault.from, fault.to) !== '$(') return none;
    // `let x = $(` that is not closed yet: a command by itself stands in it
    const inner = await complete(before.slice(fault.to), cursor - fault.to, again, ports);
    return { ...inner, from: inner.from + fault.to, to: inner.to + fault.to };
  }
  let words: WordToken[] = [];
  let isFile = false;
  let isBlock = false;
  for (const token of tokens) {
    if (token.type === 'word') words.push(token);
    else if (token.type === 'operator') {
      if (token.operator === '{' || token.operator === '}') isBlock = token.operator === '{';
      isFile = token.operator === '>' || token.operator === '>>';
      if (!isFile) words = [];
      if (token.operator === '|') return none;
    } else return none;
  }
  const last = words.at(-1);
  const current = last !== undefined && last.to === cursor ? last : undefined;
  const typed = current === undefined ? '' : staticText(current);
  if (typed === undefined) return none;
  if (current !== undefined) words = words.slice(0, -1);
  const from = current?.from ?? cursor;
  const args = words.map((word): Arg => ({ text: staticText(word) ?? '', quote: word.quote }));
  const found = isFile
    ? { choices: filesFor(typed, '', ports) }
    : isBlock && args.length === 0
      ? { choices: commandChoices(typed, ports.registry.all.filter(isOperation)) }
      : await choices(args, current?.quote ?? 'none', typed, again, ports);
  const fitting = matching(found, typed);
  const choiceOf = new Map(fitting.map((choice) => [present(choice, current), choice]));
  const { noted, message } = found;
  const low = typed.toLowerCase();
  return {
    from,
    to: cursor,
    candidates: [...choiceOf.keys()],
    ...(fitting.length > 0 && !fitting.some((each) => each.text.toLowerCase().startsWith(low)) && { isGuess: true }),
    ...(noted !== undefined && {
      more: async (some) => {
        const known = await noted(some.flatMap((each) => choiceOf.get(each) ?? []));
        return known.map((choice) => present(choice, current));
      },
    }),
    ...(message !== undefined && { message }),
  };
}

/** What a transaction between braces takes. */
const isOperation = ({ transaction }: CommandSpec): boolean => transaction === 'operation';

/** Names of variables; those of the environment, of which there are many, once `env:` is typed. */
function variablesFor(typed: string, ports: CompletionPorts): Candidate[] {
  const names = ports.variables().filter((name) => name.startsWith(typed));
  const own = typed.startsWith(ENVIRONMENT) ? names : names.filter((name) => !name.startsWith(ENVIRONMENT));
  const isMore = own.length < names.length;
  return [
    ...own.map((name) => ({ text: `\${${name}}` })),
    ...(isMore ? [{ text: `\${${ENVIRONMENT}`, note: 'the environment', open: true }] : []),
  ];
}
const ENVIRONMENT = 'env:';

interface Found {
  readonly choices: readonly Choice[];
  /** What the choices must begin with, when it is not the whole word. */
  readonly prefix?: string;
  /** The same with what there is to say of them, for those that come into view later. */
  noted?(some: readonly Choice[]): Promise<readonly Choice[]>;
  readonly message?: string | undefined;
}

const matching = ({ choices: all, prefix }: Found, typed: string): Choice[] => narrow(all, prefix ?? typed);

/** The same for words that the operating system's shell has split: the command's words before `typed`, unquoted. */
export async function completeWords(
  words: readonly string[],
  typed: string,
  ports: CompletionPorts,
): Promise<readonly Choice[]> {
  const args = words.map((text): Arg => ({ text, quote: 'none' }));
  return matching(await choices(args, 'none', typed, false, { ...ports, isAbsolute: true }), typed);
}

async function choices(
  words: readonly Arg[],
  quote: Quote,
  typed: string,
  again: boolean,
  ports: CompletionPorts,
): Promise<Found> {
  const [first, ...args] = words;
  if (first === undefined) return { choices: commandChoices(typed, ports.registry.all) };
  const spec = ports.registry.find(first.text);
  if (spec === undefined) return { choices: [] };
  const walked = walk(spec, args);
  if (walked.open !== undefined) return valueChoices(walked.open.param, typed, again, ports, args);
  const inner = walked.bound.flatMap((each) => (each.param.kind === 'command' && each.arg ? [each.arg] : []));
  if (inner.length > 0 || (walked.next?.param.kind === 'command' && !typed.startsWith('-')))
    return choices(inner, quote, typed, again, ports);
  if (quote === 'none' && typed.startsWith('-') && !walked.ended)
    return (await gluedChoices(spec, typed, ports)) ?? { choices: optionChoices(spec, walked, typed) };
  const param = walked.next?.param;
  if (param === undefined) return { choices: [] };
  const kind = param.kindAfter?.(placedWords(walked)) ?? param.kind;
  return kind === 'nothing' ? { choices: [] } : valueChoices({ ...param, kind }, typed, again, ports, args);
}

/** Commands; an alias only when nothing else fits. */
function commandChoices(typed: string, all: readonly CommandSpec[]): Choice[] {
  const low = typed.toLowerCase();
  const names = all.map(({ name, about }) => ({ text: name, note: about, isName: true }));
  if (names.some(({ text }) => text.toLowerCase().startsWith(low))) return names;
  return all.flatMap(({ aliases = [], about }) => aliases.map((text) => ({ text, note: about, isName: true })));
}

/** Each option once: by its letter, or by its name when two dashes were typed. */
function optionChoices(spec: CommandSpec, { bound }: Walk, typed: string): Choice[] {
  const used = new Set(bound.map(({ name }) => name));
  return optionsOf(spec).flatMap(([key, param]) => {
    if (param.hidden === true || (used.has(key) && param.many !== true)) return [];
    const names = [param.short, param.long].filter((name) => name !== undefined);
    const fitting = typed.startsWith('--') ? names.slice(-1) : names.slice(0, 1);
    return fitting.map((text) => ({ text, note: param.about, display: names.join(', ') }));
  });
}

/** What has names that may need quotes is not offered behind an `=`. */
const NAMES: ReadonlySet<Param['kind']> = new Set(['path', 'newPath', 'watchedPath', 'place', 'file', 'data']);
/** `--format=nd`: values of an option, each behind its name. */
async function gluedChoices(spec: CommandSpec, typed: string, ports: CompletionPorts): Promise<Found | undefined> {
  const [, option, value = ''] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
  if (option === undefined) return undefined;
  const param = optionsOf(spec).find(([, { long }]) => long === option)?.[1];
  if (param === undefined || NAMES.has(param.kind)) return { choices: [] };
  const found = await valueChoices(param, value, false, ports, []);
  const choices = found.choices.map((each) => ({
    ...each,
    text: `${option}=${each.text}`,
    display: each.display ?? each.text,
  }));
  return { ...found, choices };
}

/** Examples: any may be typed. */
export const DURATIONS = ['500ms', '5s', '1m', '1h', '1d'];

async function valueChoices(
  param: Param,
  typed: string,
  again: boolean,
  ports: CompletionPorts,
  args: readonly Arg[],
): Promise<Found> {
  const plain = (texts: readonly string[]): Found => ({ choices: texts.map((text) => ({ text })) });
  switch (param.kind) {
    case 'path':
    case 'newPath':
      return pathChoices(typed, again, ports);
    case 'place':
      if (typed.startsWith('file:')) return { choices: filesFor(typed.slice(5), 'file:', ports) };
      if (typed.startsWith('snap:')) return { choices: snapshotsFor(typed, ports) };
      return typed.startsWith('@') ? elsewhereChoices(typed, again, ports) : pathChoices(typed, again, ports);
    case 'watchedPath':
      return plain(ports.watched());
    case 'enum':
      return plain(param.values ?? []);
    case 'duration':
      return plain(DURATIONS);
    case 'acl':
      return aclChoices(typed);
    case 'ensembleWord':
      return plain(ports.ensembleWords());
    case 'setting':
      return plain(ports.settings());
    case 'settingValue':
      return plain(ports.settingValues(args.find(({ text }) => !text.startsWith('-'))?.text ?? ''));
    case 'profile':
      return plain(ports.profiles().map((name) => (typed.startsWith('@') || typed === '' ? `@${name}` : name)));
    case 'target':
      return plain([...ports.profiles().map((name) => `@${name}`), ...ports.hosts()]);
    case 'subject':
      return {
        choices: [
          ...ports.registry.all.map(({ name, about }) => ({ text: name, note: about })),
          ...ports.topics().map((text) => ({ text, note: 'topic' })),
        ],
      };
    case 'file':
      return { choices: filesFor(typed, '', ports) };
    case 'data':
      return typed.startsWith('@') && !typed.startsWith('@@')
        ? { choices: filesFor(typed.slice(1), '@', ports) }
        : { choices: [] };
    default:
      if (param.offers !== undefined)
        return { choices: param.offers.map((text) => ({ text, ...(text.endsWith(':') && { open: true }) })) };
      return { choices: isProgram(param) ? filesFor(typed, '', ports) : [] };
  }
}

/** What follows is a program of the operating system and its arguments. */
const isProgram = ({ kind, placeholder, many }: Param): boolean =>
  kind === 'text' && placeholder === 'CMD' && many === true;
/** The same of the word after these ones of a command, which the operating system's shell has split. */
export function takesProgram([name = '', ...rest]: readonly string[], { registry }: CompletionPorts): boolean {
  const spec = registry.find(name);
  if (spec === undefined) return false;
  const { open, next } = walk(
    spec,
    rest.map((text): Arg => ({ text, quote: 'none' })),
  );
  return open === undefined && next !== undefined && isProgram(next.param);
}

const filesFor = (typed: string, mark: string, ports: CompletionPorts): Choice[] =>
  ports.files(typed).map(({ name, isFolder }) => ({ text: `${mark}${name}${isFolder ? '/' : ''}`, open: isFolder }));

/** A path within it is yet to follow. */
const snapshotsFor = (typed: string, ports: CompletionPorts): Choice[] =>
  typed.includes(':/')
    ? []
    : filesFor(typed.slice(5), 'snap:', ports).map(({ text, open }) =>
        open === true ? { text, open } : { text: `${text}:/`, open: true },
      );

const SCHEMES = ['world:anyone:', 'auth::', 'digest:', 'digest256:', 'ip:', 'x509:', 'sasl:'];
/** Schemes, then the permissions not yet given. */
function aclChoices(typed: string): Found {
  const entry = typed.slice(typed.lastIndexOf(',') + 1);
  const done = typed.slice(0, typed.length - entry.length);
  if ((entry.match(/:/g) ?? []).length >= 2) {
    const letters = entry.slice(entry.lastIndexOf(':') + 1);
    const left = [...'cdrwa'].filter((letter) => !letters.includes(letter));
    return { choices: left.map((letter) => ({ text: typed + letter, display: letter, open: true })) };
  }
  return { choices: SCHEMES.map((scheme) => ({ text: done + scheme, display: scheme, open: true })) };
}

async function pathChoices(typed: string, again: boolean, ports: CompletionPorts): Promise<Found> {
  const slash = typed.lastIndexOf('/');
  const folder = typed === '' && ports.isAbsolute === true ? '/' : typed.slice(0, slash + 1);
  const prefix = typed.slice(slash + 1);
  let parent: string;
  try {
    parent = resolvePath(ports.cwd, folder === '' ? '.' : folder);
  } catch {
    return { choices: [] };
  }
  const { names, message } = await ports.paths.children(parent, again);
  const fitting = narrow(
    names.map((text) => ({ text })),
    prefix,
  ).map(({ text }) => text);
  const noted = async (some: readonly string[]): Promise<Choice[]> => {
    const notes = await ports.paths.notes(parent, some);
    return some.map((name, at) => nodeChoice(folder, name, notes[at]));
  };
  return {
    choices: await noted(fitting),
    // asked for those without a note, whose text is the whole name
    noted: (some) => noted(some.map(({ text }) => text.slice(folder.length))),
    // the names were narrowed already
    prefix: '',
    message,
  };
}

/** `@profile:`, and the nodes of its ensemble behind it. */
async function elsewhereChoices(typed: string, again: boolean, ports: CompletionPorts): Promise<Found> {
  const colon = typed.indexOf(':');
  if (colon < 0) return { choices: ports.profiles().map((name) => ({ text: `@${name}:`, open: true })) };
  const [mark, path] = [typed.slice(0, colon + 1), typed.slice(colon + 1)];
  const name = typed.slice(1, colon);
  if (ports.pathsOf === undefined || !ports.profiles().includes(name)) return { choices: [] };
  const there = { ...ports, cwd: '/', isAbsolute: true, paths: ports.pathsOf(name) };
  const { choices, noted, ...rest } = await pathChoices(path, again, there);
  const marked = (all: readonly Choice[]): Choice[] => all.map((each) => ({ ...each, text: mark + each.text }));
  return {
    ...rest,
    choices: marked(choices),
    ...(noted !== undefined && {
      noted: async (some) => marked(await noted(some.map((each) => ({ ...each, text: each.text.slice(mark.length) })))),
    }),
  };
}

/** A node as it goes on: to its children, if any; where nothing is known of it that is left open. */
function nodeChoice(folder: string, name: string, note: PathNote | undefined): Choice {
  const opens = note !== undefined && note.children > 0;
  const shown = `${name}${opens ? '/' : ''}`;
  return { text: folder + shown, display: shown, note: note?.text, open: opens || note === undefined };
}

/** Those that begin with what was typed; else without regard to case; else with its letters in order. */
export function narrow<T extends { readonly text: string }>(all: readonly T[], typed: string): T[] {
  const starts = all.filter(({ text }) => text.startsWith(typed));
  if (starts.length > 0 || typed === '') return starts;
  const low = typed.toLowerCase();
  const caseless = all.filter(({ text }) => text.toLowerCase().startsWith(low));
  if (caseless.length > 0) return caseless;
  return all.filter(({ text }) => {
    let at = 0;
    for (const unit of text.toLowerCase()) if (unit === low[at]) at++;
    return at === low.length;
  });
}

/** Quoted as the word was begun, where such quotes can hold it; a quote is closed where the word ends. */
function present({ text, note, display, open, isName }: Choice, current: WordToken | undefined): Candidate {
  return {
    text: isName === true ? text : quotedAs(current?.quote ?? 'none', text, open === true),
    display: showUnseen(display ?? text),
    ...(note !== undefined && { note }),
    ...(open === true && { open }),
  };
}

function quotedAs(quote: Quote, text: string, open: boolean): string {
  const end = (mark: string): string => (open ? '' : mark);
  const isSeen = showUnseen(text) === text;
  if (quote === 'single' && isSeen && !text.includes("'")) return `'${text}${end("'")}`;
  if (quote === 'double' && isSeen) return `"${text.replace(/["\\$]/g, '\\$&')}${end('"')}`;
  if (quote === 'none' && /^[@-]/.test(text)) {
    // the mark of an ensemble needs no quotes, and what follows may
    const path = isElsewhere(text) ? text.slice(text.indexOf(':') + 1) : '';
    return quoteWord(path) === path || path === '' ? text : openQuoted(text, open);
  }
  return openQuoted(text, open);
}

/** A word that goes on is not closed yet, so that its next part lies inside the quotes. */
function openQuoted(text: string, open: boolean): string {
  const quoted = quoteWord(text);
  return open && /^\$?['"]./s.test(quoted) ? quoted.slice(0, -1) : quoted;
}

/** Words to the values of a command's parameters. */
import type { Arg, CommandSpec, Data, Param, Values } from './command.ts';
import { dataOf, type StdinReader } from './data.ts';
import { type Failure, usage } from './failure.ts';
import { outerHint } from './outer-options.ts';
import { nearest } from './suggest.ts';
import { choice, parseDuration, parseNumber, parseSize, parseTimed } from './units.ts';

/** What binding needs of the shell: the current path and the contents of `@-`. */
export interface BindPorts {
  readonly resolve: (typed: string, keepSlash: boolean, isPattern?: boolean) => string;
  readonly stdin: StdinReader;
}

/** A bound path that may still have to be matched against znodes. */
export interface GlobWord {
  readonly param: string;
  readonly index: number;
  /** From the root on. */
  readonly pattern: string;
}

export interface Bound {
  readonly values: Record<string, unknown>;
  /** Places in `values` whose words hold glob characters. */
  readonly globs: readonly GlobWord[];
  /** `--help` was among the words. */
  readonly help: boolean;
  /** `--dry-run` was, or `-n` where that is no option of the command itself. */
  readonly dryRun: boolean;
}

const isOption = (param: Param): boolean => param.short !== undefined || param.long !== undefined;
export const positionals = (spec: CommandSpec): [string, Param][] =>
  Object.entries(spec.params).filter(([, param]) => !isOption(param));
export const optionsOf = (spec: CommandSpec): [string, Param][] =>
  Object.entries(spec.params).filter(([, param]) => isOption(param));

/** A place that is no path of this session. */
export const isElsewhere = (text: string): boolean => /^(?:@[\w.-]+:|file:|snap:)/.test(text);
/** Every command that changes something has `-n, --dry-run`, unless the word is an option of its own. */
export const takesDryRun = (spec: CommandSpec): boolean =>
  spec.risk !== 'read' && spec.dryRun !== false && !optionsOf(spec).some(([, { long }]) => long === '--dry-run');
const isDryRun = (spec: CommandSpec, word: string): boolean =>
  takesDryRun(spec) &&
  (word === '--dry-run' || (word === '-n' && !optionsOf(spec).some(([, { short }]) => short === '-n')));

export const hasGlob = (text: string): boolean => /[*?[{]/.test(text);

/** How the words typed so far are to be read; shared by binding, the lexer's data rule and completion. */
export interface Walk {
  /** Value given, parameter, word: in order. */
  readonly bound: { readonly name: string; readonly param: Param; readonly arg: Arg | undefined }[];
  /** An option that still needs its value. */
  readonly open?: { readonly name: string; readonly param: Param; readonly option: string };
  /** The positional the next word would be, if any is left. */
  readonly next: { readonly name: string; readonly param: Param } | undefined;
  /** `--` was seen. */
  readonly ended: boolean;
  readonly help: boolean;
  readonly dryRun: boolean;
  readonly failure?: Failure;
}

/** The words that stand in places of their own, for {@link Param.kindAfter}. */
export const placedWords = ({ bound }: Walk): string[] =>
  bound.flatMap(({ arg, param }) => (arg === undefined || isOption(param) ? [] : [arg.text]));

/** Walks along `args` without reading any value. */
export function walk(spec: CommandSpec, args: readonly Arg[]): Walk {
  const places = positionals(spec);
  const options = optionsOf(spec);
  const bound: Walk['bound'] = [];
  let place = 0;
  let open: Walk['open'];
  let ended = false;
  let help = false;
  let dryRun = false;
  let failure: Failure | undefined;
  const fail = (found: Failure): void => {
    failure ??= found;
  };
  const next = (): Walk['next'] => {
    const entry = places[place];
    return entry === undefined ? undefined : { name: entry[0], param: entry[1] };
  };
  const takeOption = (name: string, param: Param, option: string, value: Arg | undefined): void => {
    if (param.many !== true && param.kind !== 'flag' && bound.some((each) => each.name === name))
      fail(usage(`${spec.name}: ${option} is given twice`));
    if (param.kind === 'flag') {
      if (value !== undefined) fail(usage(`${spec.name}: ${option} takes no value`));
      bound.push({ name, param, arg: undefined });
    } else if (value !== undefined) bound.push({ name, param, arg: value });
    else open = { name, param, option };
  };
  for (const arg of args) {
    if (open !== undefined) {
      bound.push({ name: open.name, param: open.param, arg });
      open = undefined;
      continue;
    }
    const { text } = arg;
    const here = next();
    const isCommand = here?.param.kind === 'command' && bound.some(({ name }) => name === here.name);
    const optionLike = arg.quote === 'none' && !ended && !isCommand && text.length > 1 && text.startsWith('-');
    const takesMinus = here?.param.kind === 'data' || here?.param.kind === 'number' || here?.param.isInteger === true;
    const isNumber = takesMinus && /^-\d/.test(text);
    if (!optionLike || isNumber) {
      if (here === undefined) {
        if (shift(arg)) continue;
        const hint = places.length === 0 ? synopsis(spec) : 'put quotes around text with blanks';
        fail(usage(`${spec.name}: one word too many: ${text}`, hint));
        continue;
      }
      bound.push({ ...here, arg });
      if (here.param.many !== true || place < places.length - 1) place++;
      continue;
    }
    if (text === '--') {
      ended = true;
      continue;
    }
    if (text === '--help' || text === '-?' || (text === '-h' && !options.some(([, { short }]) => short === '-h'))) {
      help = true;
      continue;
    }
    if (isDryRun(spec, text)) {
      dryRun = true;
      continue;
    }
    const equals = text.startsWith('--') ? text.indexOf('=') : -1;
    const option = equals < 0 ? text : text.slice(0, equals);
    const found = options.find(([, param]) => param.long === option || param.short === option);
    if (found !== undefined) {
      takeOption(found[0], found[1], option, equals < 0 ? undefined : { ...arg, text: text.slice(equals + 1) });
      continue;
    }
    if (!text.startsWith('--') && takeCluster(text, arg)) continue;
    const known = options
      .flatMap(([, { short, long, hidden }]) => (hidden ? [] : [short, long]))
      .filter((o) => o !== undefined);
    // any other letter is one edit away: of those only the other case is meant
    const near = nearest(option, known, 2);
    const bare = (word: string): string => word.replace(/^-+/, '');
    const same = known.find((name) => bare(name) === bare(option)); // but for its dashes
    const close =
      same ?? (option.length > 2 ? near[0] : near.find((name) => name.toLowerCase() === option.toLowerCase()));
    fail(
      usage(
        `${spec.name}: unknown option ${option}`,
        spec.foreign?.[option] ??
          (same === undefined ? outerHint(option, spec.name) : undefined) ??
          (close !== undefined
            ? `did you mean ${close} ?`
            : `help ${spec.name} lists its options; put -- before a word that only looks like one`),
      ),
    );
  }
  return {
    bound,
    ...(open !== undefined && { open }),
    next: next(),
    ended,
    help,
    dryRun,
    ...(failure !== undefined && { failure }),
  };

  /** `setAcl A B ACL`: with one word more, what was taken for the last is one of the many. */
  function shift(arg: Arg): boolean {
    const many = places.findIndex(([, param]) => param.many === true);
    if (many < 0 || many === places.length - 1) return false;
    const after = bound.flatMap(({ name }, at) => (places.slice(many + 1).some(([key]) => key === name) ? [at] : []));
    for (const [count, at] of after.entries()) {
      const [name, param] = places[many + count] as [string, Param];
      bound[at] = { name, param, arg: bound[at]?.arg };
    }
    const [name, param] = places.at(-1) as [string, Param];
    bound.push({ name, param, arg });
    return true;
  }

  /** `-sw`, `-v3`. */
  function takeCluster(text: string, arg: Arg): boolean {
    const letters = [...text.slice(1)];
    const params = letters.map((letter) => options.find(([, { short }]) => short === `-${letter}`));
    const first = params[0];
    if (first !== undefined && first[1].kind !== 'flag') {
      takeOption(first[0], first[1], `-${letters[0]}`, { ...arg, text: text.slice(2) });
      return true;
    }
    if (!params.every((found) => found !== undefined && found[1].kind === 'flag')) return false;
    for (const [i, found] of params.entries())
      takeOption((found as [string, Param])[0], (found as [string, Param])[1], `-${letters[i]}`, undefined);
    return true;
  }
}

/** Reads every value. Nothing is sent before this has succeeded. @throws Failure (2, 15) */
export function bind(spec: CommandSpec, given: readonly Arg[], name: string, ports: BindPorts): Bound {
  const args = spec.legacy?.(given, name.toLowerCase()) ?? given;
  const walked = walk(spec, args);
  if (walked.help) return { values: {}, globs: [], help: true, dryRun: false };
  if (walked.failure !== undefined) throw walked.failure;
  if (walked.open !== undefined) throw usage(`${spec.name}: ${walked.open.option} needs a value`, synopsis(spec));
  const values: Record<string, unknown> = {};
  for (const [key, param] of Object.entries(spec.params))
    values[key] = param.many === true ? [] : param.kind === 'flag' ? false : undefined;
  const globs: GlobWord[] = [];
  for (const { name: key, param, arg } of walked.bound) {
    const many = param.many === true;
    const isTarget =
      param.endsInTarget === true && arg === walked.bound.findLast(({ name: each }) => each === key)?.arg;
    const isGlob =
      param.globs === true &&
      !isTarget &&
      arg?.quote === 'none' &&
      hasGlob(arg.pattern ?? arg.text) &&
      !isElsewhere(arg.text);
    const word = isGlob ? { ...arg, text: arg.pattern ?? arg.text } : arg;
    const value = word === undefined ? true : read(spec, key, param, word, ports);
    if (isGlob)
      globs.push({ param: key, index: many ? (values[key] as unknown[]).length : 0, pattern: value as string });
    if (many) (values[key] as unknown[]).push(value);
    else values[key] = value;
  }
  for (const [key, param] of positionals(spec)) {
    const missing = param.many === true ? (values[key] as unknown[]).length === 0 : values[key] === undefined;
    if (missing && param.optional !== true)
      throw (
        param.missing?.(placedWords(walked)) ??
        usage(`${spec.name}: ${placeholder(key, param)} is missing`, synopsis(spec))
      );
  }
  return { values, globs, help: false, dryRun: walked.dryRun };
}

function read(spec: CommandSpec, key: string, param: Param, arg: Arg, ports: BindPorts): string | number | Data | Arg {
  const { text } = arg;
  const named = `${spec.name}: ${param.short ?? param.long ?? placeholder(key, param)}`;
  switch (param.kind) {
    case 'path':
    case 'watchedPath':
    case 'newPath':
      if (text === '') throw usage(`${spec.name}: ${placeholder(key, param)} is empty`);
      return param.keepsText === true ? text : ports.resolve(text, param.trailingSlash === true, text === arg.pattern);
    case 'place':
      if (text === '') throw usage(`${spec.name}: ${placeholder(key, param)} is empty`);
      return isElsewhere(text) ? text : ports.resolve(text, true, text === arg.pattern);
    case 'data':
      return dataOf(arg, ports.stdin);
    case 'command':
      return arg;
    case 'number':
      return parseNumber(text, named);
    case 'duration':
      return param.isSpan === true ? parseDuration(text, named) : parseTimed(text, named);
    case 'size':
      return parseSize(text, named);
    case 'enum': {
      const value = param.values?.find((each) => each.toLowerCase() === text.toLowerCase());
      if (value === undefined && param.values?.length === 1)
        throw usage(`${spec.name}: the word ${param.values[0]} belongs here, not ${text}`, synopsis(spec));
      if (value === undefined)
        throw usage(`${spec.name}: ${placeholder(key, param)} is ${choice(param.values ?? [])}, not ${text}`);
      return value;
    }
    default:
      return text;
  }
}

/** What help calls the value. */
export const placeholder = (key: string, param: Param): string =>
  param.placeholder ??
  (isOption(param) && param.kind === 'duration' ? 'DUR' : key.replace(/[A-Z]/g, (unit) => `_${unit}`).toUpperCase());

/** `create [-s] [-e] [-t TTL] PATH [DATA]`. */
export function synopsis(spec: CommandSpec): string {
  const options = optionsOf(spec)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([key, param]) => {
      const text = `${param.short ?? param.long}${param.kind === 'flag' ? '' : ` ${placeholder(key, param)}`}`;
      return param.required === true ? text : `[${text}]`;
    });
  const places = positionals(spec).map(([key, param]) => {
    const text = placeholder(key, param) + (param.many === true ? '...' : '');
    return param.optional === true ? `[${text}]` : text;
  });
  return [`usage: ${spec.name}`, ...options, ...places, ...(spec.tail === undefined ? [] : [spec.tail])].join(' ');
}

/** Typed access for a command's `run`. */
export const valuesOf = <Ps extends Record<string, Param>>(bound: Bound): Values<Ps> => bound.values as Values<Ps>;

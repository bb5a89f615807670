import type { Span } from '../editor/editor.ts';
import { optionsOf, placedWords, placeholder, positionals, synopsis, walk } from '../shell/bind.ts';
import type { Arg, CommandSpec, Registry } from '../shell/command.ts';
import { staticText, type Token, tokenize } from '../shell/lexer.ts';

/** What is known without asking anybody. */
export interface Known {
  /** Undefined: not known. */
  exists(path: string): boolean | undefined;
  /** Operations wait in a transaction. */
  readonly collects: boolean;
}

/** Colours of a line while it is typed: only what is known without asking anybody. */
export function highlight(text: string, registry: Registry, known: Known): Span[] {
  const spans: Span[] = [];
  let spec: ReturnType<Registry['find']>;
  let args: Arg[] = [];
  let isFirst = true;
  let ended = false;
  let isFile = false;
  for (const token of tokenize(text).tokens) {
    if (token.type === 'comment') spans.push({ from: token.from, to: token.to, style: 'dim' });
    else if (token.type === 'operator') {
      isFile = isRedirection(token);
      isFirst = !isFile;
      ended = false;
      spec = undefined;
      args = [];
    } else if (token.type === 'word' && !isFile) {
      const word = staticText(token) ?? '';
      const { from, to } = token;
      if (isFirst) {
        spec = registry.find(word);
        // a word still being typed is not wrong yet
        const isBegun =
          to === text.length && registry.all.some(({ name }) => name.toLowerCase().startsWith(word.toLowerCase()));
        const isWaiting = known.collects && spec?.transaction === 'operation';
        spans.push({
          from,
          to,
          style: isWaiting || (spec === undefined && isBegun) ? 'dim' : spec ? 'command' : 'unknown',
        });
        isFirst = false;
        continue;
      }
      const isPath = spec !== undefined && walk(spec, args).next?.param.kind === 'path';
      const style =
        spec === undefined || ended ? undefined : optionStyle(spec, args, { text: word, quote: token.quote });
      args.push({ text: word, quote: token.quote });
      if (token.quote !== 'none') spans.push({ from, to, style: 'string' });
      else if (word === '--') ended = true;
      else if (style !== undefined) spans.push({ from, to, style });
      else if (isPath && to < text.length && known.exists(word) === false) spans.push({ from, to, style: 'path' });
    }
  }
  return spans;
}

/** A file of the operating system follows, no command and no node. */
const isRedirection = (token: Token): boolean =>
  token.type === 'operator' && (token.operator === '>' || token.operator === '>>');

/** The words as they are read when the line is run, in zkCli's old forms too; undefined: those are refused. */
function asRun(spec: CommandSpec, args: readonly Arg[]): ReturnType<typeof walk> | undefined {
  try {
    return walk(spec, spec.legacy?.(args, spec.name) ?? args);
  } catch {
    return undefined;
  }
}

/** How a word is coloured that looks like an option; undefined: it is a value, or a word of another command. */
function optionStyle(spec: CommandSpec, before: readonly Arg[], arg: Arg): 'option' | 'badOption' | undefined {
  if (arg.quote !== 'none' || !/^-[^\d-]|^--./.test(arg.text)) return undefined;
  const [was, is] = [asRun(spec, before), asRun(spec, [...before, arg])];
  if (was === undefined) return undefined;
  if (is === undefined) return 'badOption';
  if (was.open !== undefined) return undefined;
  const placed = is.bound.length > was.bound.length ? is.bound.at(-1) : undefined;
  if (placed?.arg?.text === arg.text && placed.param.short === undefined && placed.param.long === undefined)
    return undefined;
  if (is.failure?.message === was.failure?.message) return 'option';
  // one still being typed is not wrong yet
  const isBegun = optionsOf(spec).some(
    ([, { short, long }]) => (long ?? '').startsWith(arg.text) || (short ?? '').startsWith(arg.text),
  );
  return isBegun ? 'option' : 'badOption';
}

/** A longer synopsis is hinted at without its options: Tab and help tell them. */
const MOST_HINT = 40;

/** What may follow: what is left of a command's synopsis once a word is finished. */
export function hint(text: string, registry: Registry): string {
  const { tokens, open, fault } = tokenize(text);
  if (!/\s$/.test(text) || open !== undefined || fault !== undefined) return '';
  const last = tokens.findLastIndex((token) => token.type !== 'word');
  if (tokens[last] !== undefined && isRedirection(tokens[last])) return '';
  const words = tokens.slice(last + 1).filter((token) => token.type === 'word');
  const [first, ...rest] = words.map((word): Arg => ({ text: staticText(word) ?? 'x', quote: word.quote }));
  const spec = first === undefined ? undefined : registry.find(first.text);
  if (spec === undefined) return '';
  if (rest.length === 0) {
    const whole = synopsis(spec).slice(`usage: ${spec.name} `.length);
    // what must be said stands last, and would be cut off at the edge
    const brief = whole.replace(/^(?:\[-[^\]]*\] ?)+/, '[OPTION...] ').trimEnd();
    return whole.length > MOST_HINT ? brief : whole;
  }
  const walked = walk(spec, rest);
  if (walked.failure !== undefined || walked.next?.param.kind === 'command') return '';
  if (walked.open !== undefined) return placeholder(walked.open.name, walked.open.param);
  const before = placedWords(walked);
  const given = new Set(walked.bound.map(({ name }) => name));
  return positionals(spec)
    .filter(([key, { kindAfter }]) => !given.has(key) && kindAfter?.(before) !== 'nothing')
    .map(([key, param]) => (param.optional === true ? `[${placeholder(key, param)}]` : placeholder(key, param)))
    .join(' ');
}

import type { Span } from '../editor/editor.ts';
import { optionsOf, synopsis } from '../shell/bind.ts';
import type { Registry } from '../shell/command.ts';
import { staticText, tokenize } from '../shell/lexer.ts';

/** Colours of a line while it is typed: only what is known without asking anybody. */
export function highlight(text: string, registry: Registry): Span[] {
  const spans: Span[] = [];
  let spec: ReturnType<Registry['find']>;
  let isFirst = true;
  let ended = false;
  for (const token of tokenize(text).tokens) {
    if (token.type === 'comment') spans.push({ from: token.from, to: token.to, style: 'dim' });
    else if (token.type === 'operator') {
      isFirst = true;
      ended = false;
      spec = undefined;
    } else if (token.type === 'word') {
      const word = staticText(token) ?? '';
      const { from, to } = token;
      if (isFirst) {
        spec = registry.find(word);
        // a word still being typed is not wrong yet
        const isBegun =
          to === text.length && registry.all.some(({ name }) => name.toLowerCase().startsWith(word.toLowerCase()));
        spans.push({ from, to, style: spec !== undefined ? 'command' : isBegun ? 'dim' : 'unknown' });
        isFirst = false;
      } else if (token.quote !== 'none') spans.push({ from, to, style: 'string' });
      else if (word === '--') ended = true;
      else if (/^-\D/.test(word) && !ended && spec !== undefined)
        spans.push({ from, to, style: isOption(spec, word) ? 'option' : 'badOption' });
    }
  }
  return spans;
}

function isOption(spec: NonNullable<ReturnType<Registry['find']>>, word: string): boolean {
  const options = optionsOf(spec).map(([, param]) => param);
  if (word === '--help' || word === '-h' || word === '-?') return true;
  if (word.startsWith('--')) return options.some(({ long }) => long?.startsWith(word.split('=')[0] as string));
  return [...word.slice(1)].every((letter, at) => at > 0 || options.some(({ short }) => short === `-${letter}`));
}

/** What may follow: the rest of a command's synopsis, right after its name. */
export function hint(text: string, registry: Registry): string {
  const match = /^\s*(\S+) $/.exec(text);
  const spec = match === null ? undefined : registry.find(match[1] as string);
  return spec === undefined ? '' : synopsis(spec).slice(`usage: ${spec.name} `.length);
}

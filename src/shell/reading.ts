import { walk } from './bind.ts';
import type { Arg, Registry } from './command.ts';
import { usage } from './failure.ts';
import { type Lexed, staticText, tokenize, type WordToken } from './lexer.ts';
import { type Parsed, parse } from './parser.ts';

/** Words of one command up to which data is looked for; each costs a walk along those before it. */
const MAX_WALKED = 500;

/** Reads lines as the commands there are want them read: `{` begins a JSON word only where data is expected. */
export class LineReader {
  readonly #registry: Registry;
  constructor(registry: Registry) {
    this.#registry = registry;
  }

  parse(text: string): Parsed {
    return parse(text, { expectsData: (words) => this.#expectsData(words) });
  }

  /**
   * Where the first statement of `text` ends: after the newline that ends it and its heredocs, or 0 when more is needed.
   * Linear in what it has to look at, since a heredoc of a megabyte comes in many pieces.
   */
  statementEnd(text: string): number {
    const first = text.indexOf('\n') + 1;
    if (first === 0) return 0;
    const line = text.slice(0, first);
    const { open: goesOnBehind, fault: refused } = this.parse(line);
    // of what is refused the rest is read all the same: lines of a block or of a heredoc are no commands by themselves
    const isWhole = refused === undefined || this.#tokenize(line).open === undefined;
    if (goesOnBehind === undefined && isWhole) return first;
    const { tokens, open, fault } = this.#tokenize(text);
    let goesOn = false;
    let isInside = false;
    for (const token of tokens) {
      if (token.type === 'operator' && (token.operator === '{' || token.operator === '}'))
        isInside = token.operator === '{';
      if (token.type === 'operator' && token.operator === 'newline') {
        if (goesOn || isInside) continue;
        if (open !== undefined && open.from < token.from) return 0;
        return token.to;
      }
      if (token.type !== 'comment')
        goesOn = token.type === 'operator' && (token.operator === '&&' || token.operator === '||');
    }
    return fault === undefined ? 0 : text.indexOf('\n', fault.to) + 1;
  }

  #tokenize(text: string): Lexed {
    return tokenize(text, { expectsData: (words) => this.#expectsData(words) });
  }

  /** `ls /a;get /b`: a `;` inside a word is text, which is rarely meant before a command's name. @throws Failure (2) */
  refuseGlued(words: readonly WordToken[]): void {
    for (const [at, word] of words.entries()) {
      const glued = word.quote === 'none' ? /;([A-Za-z]+)$/.exec(staticText(word) ?? '') : null;
      if (glued === null || this.#registry.find(glued[1] as string) === undefined) continue;
      if (!this.#expectsData(words.slice(0, at)))
        throw usage(
          `${staticText(word)} is one word`,
          `put a blank after ; to run ${glued[1]} next, or quotes around the word`,
        );
    }
  }

  #expectsData(words: readonly WordToken[]): boolean {
    if (words.length > MAX_WALKED) return false;
    const [first, ...rest] = words;
    const spec = first === undefined ? undefined : this.#registry.find(staticText(first) ?? '');
    if (spec === undefined) return false;
    const args = rest.map((word): Arg => ({ text: staticText(word) ?? 'x', quote: word.quote }));
    const walked = walk(spec, args);
    // `repeat 3 set /a {...}`: the words of the inner command decide
    const inner = walked.bound.filter(({ param }) => param.kind === 'command').length;
    if (inner > 0) return this.#expectsData(words.slice(-inner));
    return (walked.open ?? walked.next)?.param.kind === 'data';
  }
}

/**
 * A line or a whole script to words and operators, each with its place. Pure. The grammar and why it is so careful with
 * operators: znode data is full of `;`, `|`, quotes and braces, and must keep its bytes.
 */
import { isAssignment, opensBlock, substitutionEnd } from './blocks.ts';
import { type OsHeredoc, osBody, osHeredocs } from './os-heredoc.ts';
import { type Found, readAnsi, readDouble, readHeredoc, readJson, readSingle, variableAt } from './quoting.ts';

/** How a word was written; decides whether `@`, `-`, globs and zkCli's old words mean anything in it. */
export type Quote = 'none' | 'single' | 'double' | 'ansi' | 'json' | 'heredoc';

/** A piece of a word: text as it is, or a variable to be filled in. `bytes` is set when the text is not valid UTF-8. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly bytes?: Uint8Array; readonly quoted: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly quoted: boolean };

export interface WordToken {
  readonly type: 'word';
  /** Place in the text, UTF-16 units, `to` exclusive; quotes included, a heredoc's body not. */
  readonly from: number;
  readonly to: number;
  readonly quote: Quote;
  readonly parts: readonly Part[];
}
/** `{` and `}` only around the operations of a transaction. */
export type Operator = ';' | '&&' | '||' | '|' | '>' | '>>' | '{' | '}' | 'newline';
export type Token =
  | WordToken
  /** A newline reaches to the end of the heredocs that follow it. */
  | { readonly type: 'operator'; readonly operator: Operator; readonly from: number; readonly to: number }
  | { readonly type: 'comment'; readonly from: number; readonly to: number }
  /** What follows `!` or `|`, to the end of the line: the operating system's shell reads it, not we. */
  | { readonly type: 'os'; readonly text: string; readonly from: number; readonly to: number }
  /** `$(command)` after `let NAME =`; `text` is the command. */
  | { readonly type: 'substitution'; readonly text: string; readonly from: number; readonly to: number };

/** Why the text cannot be read as it stands. */
export interface Fault {
  readonly message: string;
  readonly hint?: string;
  readonly from: number;
  readonly to: number;
}

/** Something begun and not ended; more lines may end it. */
export interface Open {
  readonly kind: 'single' | 'double' | 'ansi' | 'json' | 'heredoc' | 'continuation' | '&&' | '||' | 'block';
  readonly from: number;
}

export interface Lexed {
  readonly tokens: readonly Token[];
  /** The last word is not finished: a prompt goes on with `...>`, a script fails. */
  readonly open?: Open;
  readonly fault?: Fault;
  /** Where the first heredoc stands whose body was not reached before the fault. */
  readonly unread?: number;
}

export interface LexOptions {
  /**
   * Whether the word after `words` (of one command, its name included) is znode data: only there does `{` or `[` start
   * a JSON word. Absent means never.
   */
  readonly expectsData?: (words: readonly WordToken[]) => boolean;
}

const isBlank = (unit: string | undefined): boolean => unit === ' ' || unit === '\t' || unit === '\r';
const isEnd = (unit: string | undefined): boolean => unit === undefined || unit === '\n' || isBlank(unit);
const OPERATOR = /(?:&&|\|\||\||>>|>|;)(?=[ \t\r\n]|$)/y;
/** Wherever a word of a command may stand: were it none there, the lines of its body would be run as commands. */
const HEREDOC = /<<(\+?)(?:'([^'\n]+)'|"([^"\n]+)"|([A-Za-z_][\w-]*))(?=;?(?:[ \t\r\n]|$))/y;
/** A heredoc of other shells, whose body would be taken for commands. */
const DASHED = /<<-['"]?[A-Za-z_]/y;
const OPTION_VALUE = /^--[A-Za-z][\w-]*=$/;

interface Heredoc {
  readonly place: number;
  readonly word: WordToken;
  readonly end: string;
  readonly expands: boolean;
  readonly keepsNewline: boolean;
}

/** Reads `text` to its end or to the first fault; tokens before a fault are kept, so that an editor can colour them. */
export function tokenize(text: string, options: LexOptions = {}): Lexed {
  const tokens: Token[] = [];
  const heredocs: Heredoc[] = [];
  const osPending: (OsHeredoc & { readonly from: number; readonly place: number })[] = [];
  let words: WordToken[] = []; // of the command being read
  let isLineStart = true;
  let isRedirect = false; // the next word names a file
  let block: number | undefined; // where the `{` of a transaction stands
  let i = 0;

  const restOfLine = (from: number): string => {
    const end = text.indexOf('\n', from);
    return text.slice(from, end < 0 ? text.length : end);
  };

  while (i < text.length) {
    const unit = text[i] as string;
    if (isBlank(unit)) {
      i++;
      continue;
    }
    if (unit === '\n') {
      const [from, place] = [i, tokens.length];
      tokens.push({ type: 'operator', operator: 'newline', from, to: ++i });
      words = [];
      isLineStart = true;
      isRedirect = false;
      const open = takeHeredocs();
      tokens[place] = { type: 'operator', operator: 'newline', from, to: i };
      if (open !== undefined) return { tokens, open };
      continue;
    }
    const continuation = continuationAt(text, i);
    if (continuation === 'end') return { tokens, open: { kind: 'continuation', from: i } };
    if (continuation !== undefined) {
      i = continuation;
      continue;
    }
    if (unit === '#' && (isLineStart || isEnd(text[i + 1]))) {
      const line = restOfLine(i);
      tokens.push({ type: 'comment', from: i, to: i + line.length });
      i += line.length;
      continue;
    }
    isLineStart = false;
    if (unit === '!' && words.length === 0) {
      takeOs(i + 1);
      continue;
    }
    OPERATOR.lastIndex = i;
    const operator = OPERATOR.exec(text)?.[0] as Operator | undefined;
    if (operator !== undefined) {
      tokens.push({ type: 'operator', operator, from: i, to: i + operator.length });
      i += operator.length;
      if (operator === '|') takeOs(i);
      else if (operator === '>' || operator === '>>') isRedirect = true;
      else words = [];
      continue;
    }
    if (block === undefined ? unit === '{' && opensBlock(words) : unit === '}') {
      if (isEnd(text[i + 1]) || text[i + 1] === ';') {
        tokens.push({ type: 'operator', operator: unit as '{' | '}', from: i, to: i + 1 });
        block = unit === '{' ? i : undefined;
        words = [];
        i++;
        continue;
      }
    }
    if (unit === '$' && text[i + 1] === '(' && isAssignment(words)) {
      const end = substitutionEnd(text, i + 2);
      if (end < 0) {
        const hint = 'let NAME = $(command) on one line';
        return broken({ message: '$( is not closed', hint, from: i, to: i + 2 });
      }
      const inner = text.slice(i + 2, end);
      announced(inner, i + 2, (at) => /\s/.test(inner[at - 1] ?? ' ') || / \| /.test(inner.slice(0, at)));
      tokens.push({ type: 'substitution', text: inner, from: i, to: end + 1 });
      i = end + 1;
      continue;
    }
    const word = readWord();
    if ('message' in word) return broken(word);
    tokens.push(word.token);
    i = word.next;
    if (word.open !== undefined) return { tokens, open: word.open };
    if (isRedirect) isRedirect = false;
    else words.push(word.token);
  }
  const pending = firstUnread();
  if (pending !== undefined) return { tokens, open: { kind: 'heredoc', from: pending } };
  return block === undefined ? { tokens } : { tokens, open: { kind: 'block', from: block } };

  function broken(fault: Fault): Lexed {
    const unread = firstUnread();
    return { tokens, fault, ...(unread !== undefined && { unread }) };
  }

  /** Heredocs of the system's shell in what becomes the next token; `counts`: `/a<<b` is one word of ours. */
  function announced(line: string, from: number, counts: (at: number) => boolean = () => true): void {
    for (const each of osHeredocs(line).filter(({ at }) => counts(at)))
      osPending.push({ ...each, from: from + each.at, place: tokens.length });
  }

  function takeOs(from: number): void {
    const line = restOfLine(from);
    announced(line, from);
    tokens.push({ type: 'os', text: line.trim(), from, to: from + line.length });
    i = from + line.length;
  }

  /** Where the first heredoc stands whose body was not reached. */
  function firstUnread(): number | undefined {
    return heredocs[0]?.word.from ?? osPending[0]?.from;
  }

  /** Bodies of the heredocs announced on the line before; undefined when all were complete. */
  function takeHeredocs(): Open | undefined {
    for (let heredoc = heredocs.shift(); heredoc !== undefined; heredoc = heredocs.shift()) {
      const body = readHeredoc(text, i, heredoc);
      if (body === undefined) return { kind: 'heredoc', from: heredoc.word.from };
      tokens[heredoc.place] = { ...heredoc.word, parts: body.parts };
      i = body.next;
    }
    // they end the line, so theirs come behind ours, and go to the system's shell as they are
    for (let each = osPending.shift(); each !== undefined; each = osPending.shift()) {
      const body = osBody(text, i, each);
      if (body === undefined) return { kind: 'heredoc', from: each.from };
      const token = tokens[each.place] as Token;
      // within $(...) there may be none, and its lines are no commands all the same
      if (token.type === 'os') tokens[each.place] = { ...token, text: [token.text, ...body.lines].join('\n') };
      i = body.next;
    }
    return undefined;
  }

  function readWord(): { token: WordToken; next: number; open?: Open } | Fault {
    const from = i;
    const isData = !isRedirect && options.expectsData?.(words) === true;
    const unit = text[from] as string;
    if (isData && (unit === '{' || unit === '[')) return quoted(from, 'json', [], readJson(text, from));
    if (unit === '<' && words.length > 0 && !isRedirect) {
      DASHED.lastIndex = from;
      if (DASHED.test(text))
        return {
          message: 'a heredoc does not begin with <<-',
          hint: '<<END takes the lines as they are; in quotes it is text',
          from,
          to: from + 3,
        };
      HEREDOC.lastIndex = from;
      const match = HEREDOC.exec(text);
      if (match !== null) {
        const to = from + match[0].length;
        const token: WordToken = { type: 'word', from, to, quote: 'heredoc', parts: [] };
        const literal = match[2] ?? match[3];
        const end = (literal ?? match[4]) as string;
        heredocs.push({
          place: tokens.length,
          word: token,
          end,
          expands: literal === undefined,
          keepsNewline: match[1] === '+',
        });
        return { token, next: to };
      }
    }
    const quote = quoteAt(text, from);
    return quote === undefined ? bare(from) : segments(from, from, []);
  }

  /** Quoted segments, one right after the other, as POSIX shells join them. */
  function segments(
    from: number,
    at: number,
    before: readonly Part[],
  ): { token: WordToken; next: number; open?: Open } | Fault {
    const parts: Part[] = [...before];
    let first: Quote | undefined;
    for (let quote = quoteAt(text, at); quote !== undefined; quote = quoteAt(text, at)) {
      first ??= quote;
      const found = READERS[quote](text, at);
      if ('fault' in found) return found.fault;
      parts.push(...found.parts);
      if (found.open) {
        const token: WordToken = { type: 'word', from, to: text.length, quote: first, parts };
        return { token, next: text.length, open: { kind: quote, from: at } };
      }
      at = found.next;
    }
    if (!endsWord(text, at)) {
      return {
        message: 'text right after a closing quote',
        hint: 'put a blank between them, or write the whole word in one pair of quotes',
        from,
        to: at + 1,
      };
    }
    return {
      token: { type: 'word', from, to: at, quote: before.length > 0 ? 'none' : (first as Quote), parts },
      next: at,
    };
  }

  function quoted(from: number, quote: 'json', parts: Part[], found: Found) {
    if ('fault' in found) return found.fault;
    parts.push(...found.parts);
    const token: WordToken = { type: 'word', from, to: found.next, quote, parts };
    return { token, next: found.next, ...(found.open && { open: { kind: quote, from } as Open }) };
  }

  function bare(from: number): { token: WordToken; next: number; open?: Open } | Fault {
    const parts: Part[] = [];
    let run = '';
    let at = from;
    const flush = (): void => {
      if (run !== '') parts.push({ kind: 'text', text: run, quoted: false });
      run = '';
    };
    while (!endsWord(text, at)) {
      const unit = text[at] as string;
      if (unit === '\\') {
        const escaped = escapeAt(text, at, from);
        if (escaped !== undefined) {
          run += escaped;
          at += 1 + escaped.length;
          continue;
        }
        const continuation = continuationAt(text, at);
        if (continuation === 'end') {
          flush();
          const token: WordToken = { type: 'word', from, to: at, quote: 'none', parts };
          return { token, next: text.length, open: { kind: 'continuation', from: at } };
        }
        if (continuation !== undefined) {
          at = continuation;
          continue;
        }
      }
      if (unit === '$' && text[at + 1] === '{') {
        const variable = variableAt(text, at);
        if ('message' in variable) return variable;
        flush();
        parts.push({ kind: 'variable', name: variable.name, quoted: false });
        at = variable.next;
        continue;
      }
      run += unit;
      at++;
      if (unit === '=' && OPTION_VALUE.test(text.slice(from, at)) && quoteAt(text, at) !== undefined) {
        flush();
        return segments(from, at, parts);
      }
    }
    flush();
    return { token: { type: 'word', from, to: at, quote: 'none', parts }, next: at };
  }
}

const READERS = { single: readSingle, double: readDouble, ansi: readAnsi } as const;

const quoteAt = (text: string, at: number): 'single' | 'double' | 'ansi' | undefined => {
  if (text[at] === "'") return 'single';
  if (text[at] === '"') return 'double';
  return text[at] === '$' && text[at + 1] === "'" ? 'ansi' : undefined;
};

/** A word ends at a blank, at the end, or before a `;` that is the last character of the word. */
const endsWord = (text: string, at: number): boolean => isEnd(text[at]) || (text[at] === ';' && isEnd(text[at + 1]));

/**
 * Where reading goes on after a backslash that ends its line; `end` when no line follows, whether or not a newline ends the
 * text: half a command would mean something else, `find /tm -delete \` everything.
 */
function continuationAt(text: string, at: number): number | 'end' | undefined {
  if (text[at] !== '\\') return undefined;
  const newline = text[at + 1] === '\r' && text[at + 2] === '\n' ? at + 2 : at + 1;
  if (newline < text.length && text[newline] !== '\n') return undefined;
  return newline + 1 < text.length ? newline + 1 : 'end';
}

/**
 * What a backslash at `at` makes ordinary: a blank, or characters that would be an operator where they stand. Anywhere
 * else a backslash is itself, so that `C:\dir` and regular expressions keep their bytes.
 */
function escapeAt(text: string, at: number, wordStart: number): string | undefined {
  const next = text[at + 1];
  if (next === ' ' || next === '\t') return next;
  if (next === ';' && isEnd(text[at + 2])) return next;
  if (at !== wordStart) return undefined;
  OPERATOR.lastIndex = at + 1;
  const operator = OPERATOR.exec(text)?.[0];
  if (operator !== undefined) return operator;
  return next === '#' && isEnd(text[at + 2]) ? next : undefined;
}

/** The word's text when it holds no variable, else undefined. */
export function staticText(word: WordToken): string | undefined {
  let text = '';
  for (const part of word.parts) {
    if (part.kind === 'variable') return undefined;
    text += part.text;
  }
  return text;
}

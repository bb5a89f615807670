/** Words and operators to commands. Pure. */
import { type Fault, type LexOptions, type Open, type Token, tokenize, type WordToken } from './lexer.ts';

/** One command with what its output goes to. */
export interface Pipeline {
  /** The command's words, its name first; empty when `os` is set. */
  readonly words: readonly WordToken[];
  /** `!cmd`: a line for the operating system's shell. */
  readonly os?: string;
  /** `| cmd`: gets the plain output on its standard input. */
  readonly pipe?: string;
  /** `txn { ... }`: the operations; `words` is `txn` then. */
  readonly block?: readonly Pipeline[];
  /** `let NAME = $(...)`: the command whose output is the value. */
  readonly substitution?: string;
  /** `> FILE` or `>> FILE`. */
  readonly file?: { readonly append: boolean; readonly word: WordToken };
  /** Place in the text, UTF-16 units. */
  readonly from: number;
  readonly to: number;
  /** When it runs, seen from the one before: always, after success, after failure. */
  readonly after: 'always' | 'success' | 'failure';
}

export interface Parsed {
  readonly pipelines: readonly Pipeline[];
  /** How many of them, from the first, are whole: none of what is open is part of them, and nothing that they wait for. */
  readonly whole: number;
  readonly open?: Open;
  readonly fault?: Fault;
}

interface Draft {
  words: WordToken[];
  os?: string;
  pipe?: string;
  block?: readonly Pipeline[];
  substitution?: string;
  file?: { append: boolean; word: WordToken };
  from: number;
  to: number;
  after: Pipeline['after'];
}

const CONDITIONS: ReadonlySet<string> = new Set(['&&', '||', '|', '>', '>>']);

const fault = (token: Token, message: string, hint?: string): Fault => ({
  message,
  ...(hint !== undefined && { hint }),
  from: token.from,
  to: token.to,
});

const condition = (token: Token): '&&' | '||' => (token.type === 'operator' && token.operator === '||' ? '||' : '&&');

/** Reads `text`, one line or a whole script. Pipelines before a fault are kept. */
export function parse(text: string, options: LexOptions = {}): Parsed {
  const lexed = tokenize(text, options);
  let pipelines: Pipeline[] = [];
  let outside: { pipelines: Pipeline[]; draft: Draft } | undefined; // what a transaction stands in
  let draft: Draft | undefined;
  let after: Pipeline['after'] = 'always';
  let pending: Token | undefined; // `&&` or `||` that still needs what follows
  let redirect: { token: Token; append: boolean } | undefined;

  const finish = (): void => {
    if (draft !== undefined) pipelines.push(draft);
    draft = undefined;
  };
  const bad = (found: Fault): Parsed => {
    const kept = (outside?.pipelines ?? pipelines).filter(({ to }) => lexed.unread === undefined || to <= lexed.unread);
    return { pipelines: kept, whole: kept.length, fault: found };
  };

  for (const token of lexed.tokens) {
    if (token.type === 'comment') continue;
    if (redirect !== undefined && draft !== undefined) {
      if (token.type !== 'word') return bad(fault(redirect.token, 'a file name must follow here', 'write > FILE'));
      draft.file = { append: redirect.append, word: token };
      draft.to = token.to;
      redirect = undefined;
      continue;
    }
    if (token.type === 'word') {
      if (draft?.block !== undefined)
        return bad(fault(token, 'text after the } of a transaction', 'put a ; or a new line after it'));
      if (draft?.file !== undefined)
        return bad(fault(token, 'text after the file name', 'put the redirection at the end of the command'));
      draft ??= { words: [], from: token.from, to: token.to, after };
      draft.words.push(token);
      draft.to = token.to;
      pending = undefined;
      after = 'always';
      continue;
    }
    if (token.type === 'substitution') {
      if (draft === undefined || draft.substitution !== undefined)
        return bad(fault(token, 'text after the value', 'let NAME = $(command), and nothing more'));
      draft.substitution = token.text;
      draft.to = token.to;
      continue;
    }
    if (outside !== undefined && (token.type === 'os' || CONDITIONS.has(token.operator)))
      return bad(
        fault(
          token,
          'a transaction has operations only: no pipes, files or conditions',
          'separate them with ; or new lines',
        ),
      );
    if (token.type === 'os') {
      if (draft !== undefined && draft.pipe === '') {
        if (token.text === '') return bad(fault(token, 'a command must follow |', 'for example: ls / | wc -l'));
        draft.pipe = token.text;
        draft.to = token.to;
        continue;
      }
      if (token.text === '') return bad(fault(token, 'a command must follow !', 'for example: !date'));
      const from = text.lastIndexOf('!', token.from - 1); // it belongs to what was written
      draft = { words: [], os: token.text, from, to: token.to, after };
      pending = undefined;
      after = 'always';
      continue;
    }
    const { operator } = token;
    if (operator === '{') {
      outside = { pipelines, draft: draft as Draft };
      pipelines = [];
      draft = undefined;
      continue;
    }
    if (operator === '}') {
      finish();
      if (outside === undefined) continue;
      const { draft: txn } = outside;
      draft = { ...txn, block: pipelines, to: token.to };
      pipelines = outside.pipelines;
      outside = undefined;
      continue;
    }
    if (operator === 'newline') {
      if (pending !== undefined) continue; // `a &&` goes on with the next line
      finish();
      after = 'always';
      continue;
    }
    if (draft === undefined && outside !== undefined && operator === ';') continue;
    if (draft === undefined)
      return bad(
        fault(
          token,
          `a command must stand before ${operator}`,
          'quote it if it is meant as text: a command comes first',
        ),
      );
    if (draft.file !== undefined && (operator === '|' || operator === '>' || operator === '>>'))
      return bad(fault(token, `${operator} after a redirection`, 'the output goes into one file or one command'));
    if (operator === '|') draft.pipe = '';
    else if (operator === '>' || operator === '>>') redirect = { token, append: operator === '>>' };
    else {
      finish();
      after = operator === '&&' ? 'success' : operator === '||' ? 'failure' : 'always';
      if (operator !== ';') pending = token;
    }
  }
  if (lexed.fault !== undefined) return bad(lexed.fault);
  if (redirect !== undefined) return bad(fault(redirect.token, 'a file name must follow here', 'write > FILE'));
  if (outside !== undefined) {
    // what is begun and not ended stands where it began
    pipelines = outside.pipelines;
    draft = outside.draft;
  }
  // the last one before && or || is half of what was meant; a heredoc without its end may stand further in front
  let whole = pipelines.length - (pending === undefined ? 0 : 1);
  finish();
  const open = lexed.open ?? (pending && { kind: condition(pending), from: pending.from });
  if (open === undefined) return { pipelines, whole: pipelines.length };
  while (whole > 0 && (pipelines[whole - 1] as Pipeline).to > open.from) whole--;
  return { pipelines, whole, open };
}

import type { Fault, Part } from './lexer.ts';

/** A quoted segment: its parts and the place after it; `open` when the text ended before it did. */
export type Found =
  | { readonly parts: readonly Part[]; readonly next: number; readonly open: boolean }
  | { readonly fault: Fault };

const literal = (text: string): Part => ({ kind: 'text', text, quoted: true });

/** `'...'`: every character is itself. */
export function readSingle(text: string, from: number): Found {
  const end = text.indexOf("'", from + 1);
  const open = end < 0;
  return { parts: [literal(text.slice(from + 1, open ? text.length : end))], next: open ? text.length : end + 1, open };
}

/** `"..."`: escapes `\"` `\\` `\$`, variables; any other backslash is itself. */
export function readDouble(text: string, from: number): Found {
  const parts: Part[] = [];
  let run = '';
  let at = from + 1;
  const flush = (): void => {
    if (run !== '' || parts.length === 0) parts.push(literal(run));
    run = '';
  };
  while (at < text.length) {
    const unit = text[at] as string;
    const next = text[at + 1];
    if (unit === '"') {
      flush();
      return { parts, next: at + 1, open: false };
    }
    if (unit === '\\' && (next === '"' || next === '\\' || next === '$')) {
      run += next;
      at += 2;
    } else if (unit === '$' && next === '{') {
      const variable = variableAt(text, at);
      if ('message' in variable) return { fault: variable };
      flush();
      parts.push({ kind: 'variable', name: variable.name, quoted: true });
      at = variable.next;
    } else {
      run += unit;
      at++;
    }
  }
  flush();
  return { parts, next: text.length, open: true };
}

const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  '0': 0,
  a: 7,
  b: 8,
  e: 27,
  f: 12,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
};

/** `$'...'`: C escapes. `\xHH` is a byte, so the result may be no valid UTF-8; then the part carries its bytes. */
export function readAnsi(text: string, from: number): Found {
  const chunks: Buffer[] = [];
  let at = from + 2;
  while (at < text.length && text[at] !== "'") {
    if (text[at] !== '\\') {
      const stop = /['\\]/g;
      stop.lastIndex = at;
      const end = stop.exec(text)?.index ?? text.length;
      chunks.push(Buffer.from(text.slice(at, end)));
      at = end;
      continue;
    }
    const letter = text[at + 1] ?? '';
    const hex = /^(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\})/.exec(text.slice(at + 1, at + 10));
    const code = ESCAPES[letter];
    if (hex?.[1] !== undefined) {
      chunks.push(Buffer.from([Number.parseInt(hex[1], 16)]));
      at += 1 + hex[0].length;
    } else if (hex !== null && Number.parseInt((hex[2] ?? hex[3]) as string, 16) <= 0x10ffff) {
      chunks.push(Buffer.from(String.fromCodePoint(Number.parseInt((hex[2] ?? hex[3]) as string, 16))));
      at += 1 + hex[0].length;
    } else if (code !== undefined) {
      chunks.push(Buffer.from([code]));
      at += 2;
    } else {
      chunks.push(Buffer.from(`\\${letter}`)); // an unknown escape is kept, as bash keeps it
      at += 1 + letter.length;
    }
  }
  const bytes = Buffer.concat(chunks);
  const decoded = bytes.toString('utf8');
  const isText = Buffer.from(decoded).equals(bytes);
  const part: Part = isText ? literal(decoded) : { kind: 'text', text: decoded, bytes, quoted: true };
  return { parts: [part], next: Math.min(at + 1, text.length), open: at >= text.length };
}

/**
 * A word that starts with `{` or `[`: to the blank after all brackets are closed. Brackets inside `"..."` do not count,
 * a closing bracket that closes nothing is an ordinary character; the content need not be valid JSON.
 */
export function readJson(text: string, from: number): Found {
  const stack: string[] = [];
  let inString = false;
  let at = from;
  for (; at < text.length; at++) {
    const unit = text[at] as string;
    if (inString) {
      if (unit === '\\') at++;
      else if (unit === '"') inString = false;
      continue;
    }
    if (stack.length === 0 && /[ \t\r\n]/.test(unit)) break;
    if (stack.length === 0 && unit === ';' && /^(?:[ \t\r\n]|$)/.test(text.slice(at + 1, at + 2))) break;
    if (unit === '"') inString = true;
    else if (unit === '{') stack.push('}');
    else if (unit === '[') stack.push(']');
    else if (unit === stack.at(-1)) stack.pop();
  }
  const next = Math.min(at, text.length);
  return { parts: [literal(text.slice(from, next))], next, open: inString || stack.length > 0 };
}

/** The body of a heredoc that starts at `from`, or undefined when its end line is missing. */
export function readHeredoc(
  text: string,
  from: number,
  how: { readonly end: string; readonly expands: boolean; readonly keepsNewline: boolean },
): { readonly parts: readonly Part[]; readonly next: number } | undefined {
  const lines: string[] = [];
  // where the line that announces it ends in CRLF, the carriage returns are the file's, not the data's
  const isCrlf = text.slice(from - 2, from) === '\r\n';
  for (let at = from; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const line = text.slice(at, newline < 0 ? text.length : newline);
    const next = newline < 0 ? text.length : newline + 1;
    if (line.replace(/\r$/, '') === how.end) {
      const body = lines.join('\n') + (how.keepsNewline && lines.length > 0 ? '\n' : '');
      // The end line's newline stays outside: it ends the command's line, which it follows.
      return { parts: how.expands ? expandable(body) : [literal(body)], next };
    }
    lines.push(isCrlf ? line.replace(/\r$/, '') : line);
    at = next;
  }
  return undefined;
}

/** Text with `${name}` in it. What only looks like one stays text: a heredoc is often a template. */
function expandable(body: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of body.matchAll(/\$\{([^}\s]+)\}/g)) {
    if (match.index > at) parts.push(literal(body.slice(at, match.index)));
    parts.push({ kind: 'variable', name: match[1] as string, quoted: true });
    at = match.index + match[0].length;
  }
  if (at < body.length || parts.length === 0) parts.push(literal(body.slice(at)));
  return parts;
}

/** The variable at `${`, or what is wrong with it. */
export function variableAt(text: string, at: number): { readonly name: string; readonly next: number } | Fault {
  const match = /^\$\{([^}\s]+)\}/.exec(text.slice(at, at + 300));
  if (match !== null) return { name: match[1] as string, next: at + match[0].length };
  return {
    message: 'a variable needs a name and a closing brace',
    hint: 'use single quotes if it is meant literally',
    from: at,
    to: Math.min(at + 2, text.length),
  };
}

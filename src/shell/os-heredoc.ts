/** A heredoc that a line for the system's shell announces: its body are the lines that follow, which are none of ours. */
export interface OsHeredoc {
  /** Where `<<` stands in the text. */
  readonly at: number;
  /** The line that ends it. */
  readonly end: string;
  /** Announced by `<<-`: tabs may stand before that line. */
  readonly isDashed: boolean;
}

const ANNOUNCED = /<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([^\s;&|<>()'"`\\]+))/y;

/**
 * Those of a line as POSIX shells read it: what is in quotes is text, `<<<` is a string, and `((x << 2))` shifts. In order.
 */
export function osHeredocs(line: string): OsHeredoc[] {
  const found: OsHeredoc[] = [];
  let arithmetic = 0;
  for (let at = 0; at < line.length; ) {
    const unit = line[at] as string;
    const two = line.slice(at, at + 2);
    if (unit === '\\') at += 2;
    else if (unit === "'" || unit === '"') at = behindQuote(line, at, unit);
    else if (unit === '#' && (at === 0 || /\s/.test(line[at - 1] as string)))
      break; // the rest is a comment
    else if (two === '((' || two === '))') {
      arithmetic = Math.max(0, arithmetic + (two === '((' ? 1 : -1));
      at += 2;
    } else if (two !== '<<') at++;
    else if (line[at + 2] === '<') at += 3;
    else {
      ANNOUNCED.lastIndex = at;
      const match = arithmetic === 0 ? ANNOUNCED.exec(line) : null;
      if (match !== null)
        found.push({ at, end: (match[2] ?? match[3] ?? match[4]) as string, isDashed: match[1] === '-' });
      at += match === null ? 2 : match[0].length;
    }
  }
  return found;
}
function behindQuote(line: string, from: number, quote: string): number {
  for (let at = from + 1; at < line.length; at++)
    if (quote === '"' && line[at] === '\\') at++;
    else if (line[at] === quote) return at + 1;
  return line.length;
}

/** Its lines from `from` on, the ending one included, and where what follows begins; undefined when that line is missing. */
export function osBody(
  text: string,
  from: number,
  { end, isDashed }: OsHeredoc,
): { readonly lines: readonly string[]; readonly next: number } | undefined {
  const lines: string[] = [];
  for (let at = from; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const line = text.slice(at, newline < 0 ? text.length : newline).replace(/\r$/, '');
    lines.push(line);
    at = newline < 0 ? text.length : newline + 1;
    if ((isDashed ? line.replace(/^\t+/, '') : line) === end) return { lines, next: at };
  }
  return undefined;
}

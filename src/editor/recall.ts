import type { HistoryStore } from './types.ts';

/** The newest line that begins with `prefix` and has more. */
export function suggestion(history: HistoryStore, prefix: string): string | undefined {
  if (history.suggest !== undefined) return history.suggest(prefix);
  const lines = history.lines();
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as string;
    if (line.length > prefix.length && line.startsWith(prefix)) return line;
  }
  return undefined;
}

/** A walk through the history by what was typed before it began. */
export class Walk {
  readonly #lines: readonly string[];
  readonly #prefix: string;
  readonly #typed: string;
  #at: number;
  #last: string;

  constructor(lines: readonly string[], prefix: string, typed: string) {
    this.#lines = lines;
    this.#prefix = prefix;
    this.#typed = typed;
    this.#at = lines.length;
    this.#last = typed;
  }

  /** The next older (-1) or newer (1) line that differs from the one shown; undefined at the end of the way. */
  step(by: -1 | 1): string | undefined {
    for (let at = this.#at + by; at >= 0 && at < this.#lines.length; at += by) {
      const line = this.#lines[at] as string;
      if (!line.startsWith(this.#prefix) || line === this.#last) continue;
      this.#at = at;
      this.#last = line;
      return line;
    }
    if (by < 0 || this.#at === this.#lines.length) return undefined;
    this.#at = this.#lines.length;
    this.#last = this.#typed;
    return this.#typed;
  }
}

/** C-r: lines that hold the query, newest first, each once. */
export class Search {
  readonly #lines: readonly string[];
  query = '';
  matches: readonly string[] = [];
  selected = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
    this.find('');
  }

  get current(): string | undefined {
    return this.matches[this.selected];
  }

  /** Letters in one case match either case. */
  find(query: string): void {
    this.query = query;
    this.selected = 0;
    const fold = query === query.toLowerCase();
    const found = new Set<string>();
    for (let at = this.#lines.length - 1; at >= 0 && found.size < 1000; at--) {
      const line = this.#lines[at] as string;
      if ((fold ? line.toLowerCase() : line).includes(query)) found.add(line);
    }
    this.matches = [...found];
  }

  /** Where the query stands in the line selected. */
  get place(): number {
    const line = this.current ?? '';
    return Math.max(0, (this.query === this.query.toLowerCase() ? line.toLowerCase() : line).indexOf(this.query));
  }

  step(by: -1 | 1): boolean {
    const to = this.selected + by;
    if (to < 0 || to >= this.matches.length) return false;
    this.selected = to;
    return true;
  }
}

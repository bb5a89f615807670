import { redact } from './redact.ts';
import type { HistoryStore } from './types.ts';

/** Lines of this shell alone, for `--no-history`: nothing is read or written. */
export class MemoryHistory implements HistoryStore {
  readonly #lines: string[] = [];
  lines(): readonly string[] {
    return this.#lines;
  }
  add(text: string): void {
    if (text === '' || /^\s/.test(text) || this.#lines.at(-1) === text) return;
    this.#lines.push(redact(text));
  }
  clear(): void {
    this.#lines.length = 0;
  }
}

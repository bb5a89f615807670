/**
 * What the user did. Names of keys: `Enter`, `Tab`, `Up`, `Delete` ..., a letter after `C-` (control) or `M-` (alt), and
 * the modifiers `C-`, `M-`, `S-` in this order before any: `C-Left`, `S-Tab`.
 */
export type Key =
  | { readonly type: 'key'; readonly name: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'paste'; readonly text: string };

const PASTE_END = '\x1b[201~';
const LETTERS: Readonly<Record<string, string>> = {
  A: 'Up',
  B: 'Down',
  C: 'Right',
  D: 'Left',
  E: 'Begin',
  F: 'End',
  H: 'Home',
  M: 'Enter',
  P: 'F1',
  Q: 'F2',
  R: 'F3',
  S: 'F4',
  // rxvt's shifted and controlled arrows
  a: 'S-Up',
  b: 'S-Down',
  c: 'S-Right',
  d: 'S-Left',
};
const NUMBERS: Readonly<Record<number, string>> = {
  1: 'Home',
  2: 'Insert',
  3: 'Delete',
  4: 'End',
  5: 'PageUp',
  6: 'PageDown',
  7: 'Home',
  8: 'End',
};
const CONTROLS: Readonly<Record<number, string>> = {
  0: 'C-Space',
  8: 'Backspace',
  9: 'Tab',
  10: 'Enter',
  13: 'Enter',
  27: 'Escape',
  28: 'C-\\',
  29: 'C-]',
  30: 'C-^',
  31: 'C-_',
  127: 'Backspace',
};

const named = (name: string): Key => ({ type: 'key', name });

/** The name of a control character. */
const controlName = (code: number): string => CONTROLS[code] ?? `C-${String.fromCharCode(code + 96)}`;
const isControl = (code: number): boolean => code < 32 || code === 127;

/** xterm's modifier parameter is one more than a set of bits: shift, alt, control, meta. */
function modified(parameter: number, name: string): string {
  const bits = parameter > 0 ? parameter - 1 : 0;
  return `${bits & 4 ? 'C-' : ''}${bits & 10 ? 'M-' : ''}${bits & 1 ? 'S-' : ''}${name}`;
}

/** A key reported by its code point (CSI u, modifyOtherKeys). */
function fromCode(code: number, modifiers: number): Key | undefined {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  if (isControl(code)) return named(modified(modifiers, controlName(code)));
  const bits = modifiers > 0 ? modifiers - 1 : 0;
  const char = String.fromCodePoint(code);
  if ((bits & 14) === 0) return { type: 'text', text: char };
  // the character says by itself whether shift was down
  return named(modified((bits & ~1) + 1, code === 32 ? 'Space' : char.toLowerCase()));
}

/** A whole CSI sequence; undefined for what is no key (focus, reports, mouse). */
function csiKey(parameters: string, final: string): Key | undefined {
  if (/^[<=>?]/.test(parameters)) return undefined;
  const [first = 0, second = 0, third = 0] = parameters.split(';').map((part) => Number.parseInt(part, 10) || 0);
  if (final === 'Z') return named('S-Tab');
  if (final === 'u') return fromCode(first, second);
  if (final === '~') {
    if (first === 27) return fromCode(third, second);
    const name = NUMBERS[first] ?? (first >= 11 && first <= 34 ? `F${first - 10}` : undefined);
    return name === undefined ? undefined : named(modified(second, name));
  }
  if (final === '^') return NUMBERS[first] === undefined ? undefined : named(`C-${NUMBERS[first]}`);
  if (final === 'R' && second > 8) return undefined; // a cursor report
  const name = LETTERS[final];
  if (name === undefined || final === 'M') return undefined;
  return named(modified(second, name));
}

/** Turns the bytes of a terminal into keys. Sequences and characters may be split over chunks anywhere. */
export class KeyDecoder {
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  #rest = '';
  #paste: string | undefined;

  /** True when an escape has come and what follows is not known yet: call {@link flush} if nothing more comes. */
  get waiting(): boolean {
    return this.#paste === undefined && this.#rest !== '';
  }

  feed(bytes: Uint8Array): Key[] {
    // a terminal that lost the end of a paste would hold the user for ever
    if (this.#paste !== undefined && bytes.length === 1 && bytes[0] === 3) {
      this.#paste = undefined;
      this.#rest = '';
      return [named('C-c')];
    }
    this.#rest += this.#utf8.decode(bytes, { stream: true });
    const keys: Key[] = [];
    while (this.#rest !== '' && this.#step(keys, false));
    return keys;
  }

  /** Nothing followed in time: the escape was a key of its own. */
  flush(): Key[] {
    const keys: Key[] = [];
    if (this.#paste === undefined) while (this.#rest !== '' && this.#step(keys, true));
    return keys;
  }

  /** Takes one key off the front. False when more bytes are needed, which never is so at the `end`. */
  #step(keys: Key[], end: boolean): boolean {
    if (this.#paste !== undefined) return this.#pasted(keys);
    const rest = this.#rest;
    const code = rest.charCodeAt(0);
    if (code === 27) return this.#escape(keys, end);
    if (isControl(code)) {
      keys.push(named(controlName(code)));
      this.#rest = rest.slice(1);
      return true;
    }
    const stop = rest.search(/[\x00-\x1f\x7f]/);
    const text = stop < 0 ? rest : rest.slice(0, stop);
    keys.push({ type: 'text', text });
    this.#rest = rest.slice(text.length);
    return true;
  }

  #pasted(keys: Key[]): boolean {
    const all = this.#rest;
    const end = all.indexOf(PASTE_END);
    if (end < 0) {
      // the marker itself may be split: keep what could be its beginning
      const keep = Math.min(all.length, PASTE_END.length - 1);
      this.#paste += all.slice(0, all.length - keep);
      this.#rest = all.slice(all.length - keep);
      return false;
    }
    keys.push({ type: 'paste', text: (this.#paste + all.slice(0, end)).replace(/\r\n?/g, '\n') });
    this.#paste = undefined;
    this.#rest = all.slice(end + PASTE_END.length);
    return true;
  }

  #escape(keys: Key[], end: boolean): boolean {
    const rest = this.#rest;
    const take = (length: number, key: Key | undefined): boolean => {
      this.#rest = rest.slice(length);
      if (key !== undefined) keys.push(key);
      return true;
    };
    if (rest.length === 1) return end && take(1, named('Escape'));
    const next = rest[1] as string;
    if (next === '\x1b') return take(1, named('Escape'));
    if (next === '[' || next === 'O') {
      if (rest.length === 2) return end && take(2, named(`M-${next}`));
      if (next === 'O') {
        const final = rest[2] as string;
        const name = LETTERS[final]?.replace('S-', 'C-');
        return take(3, name === undefined ? undefined : named(name));
      }
      return this.#csi(rest, end, take);
    }
    const point = rest.codePointAt(1) as number;
    const char = String.fromCodePoint(point);
    return take(1 + char.length, named(`M-${isControl(point) ? controlName(point) : char}`.replace('M-C-', 'C-M-')));
  }

  #csi(rest: string, end: boolean, take: (length: number, key: Key | undefined) => boolean): boolean {
    if (rest[2] === '[') {
      // the Linux console's F1 to F5
      if (rest.length < 4) return end && take(rest.length, undefined);
      return take(4, named(`F${rest.charCodeAt(3) - 64}`));
    }
    const whole = /^\x1b\[([0-9;:<=>?]*)[ -/]*([@-~])/.exec(rest);
    if (whole === null) {
      const partial = /^\x1b\[[0-9;:<=>?]*[ -/]*/.exec(rest) as RegExpExecArray;
      // broken off by something that cannot be part of it: drop the beginning, keep the rest
      if (partial[0].length < rest.length || end) return take(partial[0].length, undefined);
      return false;
    }
    const [all, parameters = '', final = ''] = whole;
    if (final === '~' && parameters === '200') {
      this.#paste = '';
      return take(all.length, undefined);
    }
    return take(all.length, csiKey(parameters, final));
  }
}

/** What DIGEST-MD5 says in a message: `name=value` pairs between commas (RFC 2831, 7.1). */

/** The values of each name, in order; undefined when the text is not made of such pairs. */
export type Directives = ReadonlyMap<string, readonly string[]>;

const MOST = 32;
const TOKEN = /[^\s,="\\()<>@;:/[\]?{}]/;
const BARE = /[^\s,"]/;

/**
 * Names are told apart without regard to case. Bytes beyond ASCII are UTF-8 when the message says `charset=utf-8`, else
 * ISO 8859-1.
 */
export function readDirectives(message: Uint8Array): Directives | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const read = parse(bytes.toString('latin1'));
  if (read?.get('charset')?.[0]?.toLowerCase() !== 'utf-8') return read;
  return parse(bytes.toString('utf8'));
}

/** The one value of a name; undefined when there is none, or more than one. */
export function only(directives: Directives, name: string): string | undefined {
  const values = directives.get(name);
  return values?.length === 1 ? values[0] : undefined;
}

function parse(text: string): Map<string, string[]> | undefined {
  const all = new Map<string, string[]>();
  let at = 0;
  let count = 0;
  const run = (kind: RegExp): string => {
    const from = at;
    while (at < text.length && kind.test(text[at] as string)) at++;
    return text.slice(from, at);
  };
  for (;;) {
    // empty elements are allowed in such a list
    run(/[\s,]/);
    if (at === text.length) return all;
    const name = run(TOKEN).toLowerCase();
    run(/\s/);
    if (name === '' || text[at++] !== '=' || ++count > MOST) return undefined;
    run(/\s/);
    const quoted = text[at] === '"';
    const value = quoted ? unquote() : run(BARE);
    if (value === undefined || (!quoted && value === '')) return undefined;
    run(/\s/);
    if (at < text.length && text[at] !== ',') return undefined;
    const before = all.get(name);
    if (before === undefined) all.set(name, [value]);
    else before.push(value);
  }

  function unquote(): string | undefined {
    let value = '';
    for (at++; at < text.length; at++) {
      if (text[at] === '"') {
        at++;
        return value;
      }
      if (text[at] === '\\') at++;
      value += text[at] ?? '';
    }
    return undefined;
  }
}

/** A value between quotes, as {@link readDirectives} takes it apart again. */
export const quote = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;

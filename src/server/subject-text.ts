/** Names as operators write them into ACLs: which of them Java (`new X500Principal(text)`) takes for the name of a subject. */

const WORDS = new Set(
  'CN C L S ST O OU T IP STREET DC DNQUALIFIER DNQ SURNAME GIVENNAME INITIALS GENERATION EMAIL EMAILADDRESS UID SERIALNUMBER'.split(
    ' ',
  ),
);
/** What may stand behind a backslash, in quotes and elsewhere. */
const ESCAPED = { quoted: ',=\n+<>#;\\"', plain: ',=\n+<>#;\\" ' } as const;
/** What may not stand without one. */
const BARE = ',+<>;"';
const HEX = /^[0-9a-fA-F]$/;
/** Nobody's name is longer, and what reads it is not to be kept busy. */
const LONGEST = 4096;

export function isSubjectName(text: string): boolean {
  if (text === '') return true;
  if (text.length > LONGEST) return false;
  return parts(text, ',;').every((part) => parts(part, '+').every(isPair));
}

/** Cut at these, where they are neither escaped nor in quotes. */
function parts(text: string, at: string): string[] {
  const out: string[] = [];
  let from = 0;
  let quotes = 0;
  let opened = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const isEscaped: boolean = opened;
    opened = char === '\\' && !isEscaped;
    if (isEscaped) continue;
    if (char === '"') quotes++;
    if (!at.includes(char) || quotes === 1) continue;
    out.push(text.slice(from, i));
    from = i + 1;
    quotes = 0;
  }
  out.push(text.slice(from));
  return out;
}

function isPair(text: string): boolean {
  const equals = text.indexOf('=');
  if (equals < 0 || !isType(text.slice(0, equals))) return false;
  const value = text.slice(equals + 1).replace(/^[ \n]+/, '');
  if (value === '') return true;
  if (value[0] === '#') return isBytes(value.slice(1));
  return value[0] === '"' ? isQuoted(value) : isPlain(value);
}

function isType(text: string): boolean {
  const word = trimmed(text).toUpperCase();
  if (WORDS.has(word)) return true;
  const number = word.startsWith('OID.') ? word.slice(4) : word;
  if (!/^\d+(\.\d+)+$/.test(number)) return false;
  const [first = 0, second = 0] = number.split('.').map(Number);
  return first < 2 ? second < 40 : first === 2;
}
/** As Java's `trim`: whatever is no more than a space. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) <= 32) from++;
  while (to > from && text.charCodeAt(to - 1) <= 32) to--;
  return text.slice(from, to);
}

/** One value in DER, in hexadecimal. */
function isBytes(text: string): boolean {
  if (text.length < 4 || text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) return false;
  const bytes = Buffer.from(text, 'hex');
  const length = bytes[1] as number;
  if (length < 0x80) return bytes.length === 2 + length;
  const count = length & 0x7f;
  return count > 0 && count < 4 && bytes.length > 2 + count && bytes.length === 2 + count + bytes.readUIntBE(2, count);
}

/** A backslash at `at`: how many characters it and what belongs to it are; 0 when it may not stand there. */
function escapeAt(text: string, at: number, allowed: string): number {
  const next = text[at + 1];
  if (next === undefined) return 0;
  if (HEX.test(next)) return HEX.test(text[at + 2] ?? '') ? 3 : 0;
  return allowed.includes(next) ? 2 : 0;
}
function isQuoted(text: string): boolean {
  for (let at = 1; at < text.length; ) {
    if (text[at] === '"') return /^[ \n]*$/.test(text.slice(at + 1));
    const step = text[at] === '\\' ? escapeAt(text, at, ESCAPED.quoted) : 1;
    if (step === 0) return false;
    at += step;
  }
  return false;
}
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const char = text[at] as string;
    const step = char === '\\' ? escapeAt(text, at, ESCAPED.plain) : BARE.includes(char) ? 0 : 1;
    if (step === 0) return false;
    at += step;
  }
  return true;
}

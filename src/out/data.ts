import { gunzipSync, inflateSync } from 'node:zlib';

/** Bytes of a node as text. */
export const isText = (bytes: Uint8Array): boolean => {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/**
 * Text from elsewhere must not drive the terminal: control characters other than newline and TAB, and those that turn the
 * direction of text, are shown as `\\u001b` and `\\u202e`, as in JSON, instead of being sent.
 */
export const visible = (text: string): string =>
  text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** {@link visible}, in one line. */
export const visibleLine = (text: string): string => visible(text).replace(/\n/g, '\\n');

/** `00000000  68 65 6c 6c 6f  |hello|`, sixteen bytes a line, or eight where the screen is too narrow for that. */
export function hexdump(bytes: Uint8Array, width = 80): string[] {
  const each = width < 78 ? 8 : 16;
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += each) {
    const part = bytes.subarray(at, at + each);
    const digits = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...part].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${digits.padEnd(3 * each - 1)}  |${text}|`);
  }
  return lines;
}

/** JSON objects and arrays, written out for reading; undefined for anything else. Numbers keep their digits. */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const pretty = JSON.stringify(value, null, 2);
    // a number or a repeated key that a round trip changes must be shown as it is stored
    return JSON.stringify(value) === squeeze(text) ? pretty : undefined;
  } catch {
    return undefined;
  }
}

/** JSON without the blanks between its words. */
const squeeze = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (found) => (found.startsWith('"') ? found : ''));

/** What packed data unpacks to at most, bytes: a person reads it. */
const MOST_UNPACKED = 16 * 1024 * 1024;

/** Text that was stored packed; undefined: it was not, or is no text. */
export function unpack(bytes: Uint8Array): { readonly kind: 'gzip' | 'zlib'; readonly data: Uint8Array } | undefined {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const isZlib = bytes[0] === 0x78 && (0x7800 + (bytes[1] ?? 0)) % 31 === 0;
  if (!isGzip && !isZlib) return undefined;
  try {
    const data = (isGzip ? gunzipSync : inflateSync)(bytes, { maxOutputLength: MOST_UNPACKED });
    return isText(data) ? { kind: isGzip ? 'gzip' : 'zlib', data } : undefined;
  } catch {
    return undefined; // it only began like it
  }
}

const LINE = '+--------+-------------------------------------------------+----------------+';
const HEAD = `         +-------------------------------------------------+
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |`;

/** Bytes as Netty shows them, sixteen a row; nothing for none. */
export function hexdumpText(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const digits = part.map((byte) => ` ${byte.toString(16).padStart(2, '0')}`).join('');
    const text = part.map((byte) => (byte <= 0x1f || byte >= 0x7f ? '.' : String.fromCharCode(byte))).join('');
    rows.push(`|${at.toString(16).padStart(8, '0')}|${digits.padEnd(48)} |${text.padEnd(16)}|`);
  }
  return [HEAD, LINE, ...rows, LINE].join('\n');
}

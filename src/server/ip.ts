/** Addresses as ACLs of scheme `ip` mean them: four or sixteen bytes and a number of leading bits. */

/** The bytes of an IPv4 or IPv6 text, or undefined. Strict: no short forms of IPv4. */
export function ipBytes(text: string): Uint8Array | undefined {
  if (text.includes(':')) return v6Bytes(text);
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const out = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = parts[i] as string;
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    out[i] = Number(part);
  }
  return out;
}

function v6Bytes(text: string): Uint8Array | undefined {
  const zone = text.indexOf('%');
  let body = zone < 0 ? text : text.slice(0, zone);
  const lastColon = body.lastIndexOf(':');
  const tail = body.slice(lastColon + 1);
  if (tail.includes('.')) {
    const four = ipBytes(tail);
    if (four === undefined) return undefined;
    const hex = (at: number): string => (((four[at] as number) << 8) | (four[at + 1] as number)).toString(16);
    body = `${body.slice(0, lastColon + 1)}${hex(0)}:${hex(2)}`;
  }
  const halves = body.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const left = groups(halves[0] as string);
  const right = halves.length === 2 ? groups(halves[1] as string) : [];
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...left, ...new Array<string>(Math.max(0, missing)).fill('0'), ...right];
  const out = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    const group = all[i] as string;
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    out[2 * i] = value >> 8;
    out[2 * i + 1] = value & 0xff;
  }
  return out;
}

/** `address`, or `address/bits`, as an ACL may hold it. */
export function isIpPattern(pattern: string): boolean {
  const [address = '', bits, more] = pattern.split('/');
  if (more !== undefined) return false;
  const bytes = ipBytes(address);
  if (bytes === undefined) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bytes.length * 8);
}

/** True when the first bits of `address` are those of `pattern`; different families never match. */
export function matchesIp(address: string, pattern: string): boolean {
  const [base = '', bits] = pattern.split('/');
  const want = ipBytes(base);
  const have = ipBytes(address);
  if (want === undefined || have === undefined || want.length !== have.length) return false;
  let left = bits === undefined ? want.length * 8 : Number(bits);
  for (let i = 0; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((want[i] as number) & mask) !== ((have[i] as number) & mask)) return false;
  }
  return true;
}

/** As Java prints a peer's address: IPv4 (mapped ones too) dotted, IPv6 in full, without zeros folded. */
export function javaAddress(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  const bytes = ipBytes(plain);
  if (bytes === undefined || bytes.length === 4) return plain;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
  return groups.join(':');
}

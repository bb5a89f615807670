/** One thing in a PEM file: what it calls itself, and it with its first and last line. */
export interface PemBlock {
  readonly label: string;
  readonly text: string;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';
const LABEL = /^[A-Z0-9 ]{1,64}$/;

/** What stands in a PEM file, in order (RFC 7468; text around is left out). Takes a time that its length bounds, whatever stands in it. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let end = -1;
  for (let at = text.indexOf(BEGIN); at >= 0; ) {
    const from = at + BEGIN.length;
    // no two beginnings look for one end
    if (end < from) end = text.indexOf(END, from);
    if (end < 0) break;
    const label = labelAt(text, from);
    const last = end + END.length + label.length + DASHES.length;
    const isOne = label !== '' && text.slice(end + END.length, last) === label + DASHES;
    if (isOne) blocks.push({ label, text: text.slice(at, last) });
    at = text.indexOf(BEGIN, isOne ? last : from);
  }
  return blocks;
}
/** Empty where no label stands. */
function labelAt(text: string, from: number): string {
  const head = text.slice(from, from + 64 + DASHES.length);
  const label = head.slice(0, Math.max(0, head.indexOf(DASHES)));
  return LABEL.test(label) ? label : '';
}

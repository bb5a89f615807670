/** Bytes that are meant to be text: what is not UTF-8 is told, for what it would become says nothing of what it was. */
import { isUtf8 } from 'node:buffer';
import { type Failure, usage } from './failure.ts';

/** For lines of commands. */
export const BYTES_HINT = "bytes that are not text are given as @FILE, as @- or as $'\\xHH'";
const NEWLINE = 10;

export const notText = (where: string, hint?: string): Failure => usage(`${where}: not UTF-8 text`, hint);

/** The text; `name` is what errors call it. @throws Failure (2) with the line that is none */
export function textOf(bytes: Buffer, name: string, hint?: string): string {
  if (isUtf8(bytes)) return bytes.toString();
  const { line } = firstBad(bytes);
  throw notText(`${name}:${line}`, hint);
}

/** The text of a script as it comes, in whole lines: those before one that is no text are given first. @throws Failure (2) */
export async function* textLines(input: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  let [before, pending]: [number, Buffer[]] = [0, []];
  let isFirst = true;
  const text = (bytes: Buffer): string => {
    const whole = bytes.toString();
    const out = isFirst ? whole.replace(/^\ufeff/, '') : whole;
    isFirst = false;
    return out;
  };
  async function* checked(bytes: Buffer): AsyncGenerator<string> {
    if (isUtf8(bytes)) {
      yield text(bytes);
      return;
    }
    const { line, at } = firstBad(bytes);
    if (at > 0) yield text(bytes.subarray(0, at));
    throw notText(`${name}:${before + line}`, BYTES_HINT);
  }
  for await (const piece of input) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    pending.push(end === 0 ? chunk : chunk.subarray(0, end));
    if (end === 0) continue;
    const whole = Buffer.concat(pending);
    pending = [chunk.subarray(end)];
    yield* checked(whole);
    before += countLines(whole);
  }
  const rest = Buffer.concat(pending);
  if (rest.length > 0) yield* checked(rest);
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The first line that is no text: its number, and where it begins. */
function firstBad(bytes: Buffer): { readonly line: number; readonly at: number } {
  for (let line = 1, at = 0; ; line++) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0 || !isUtf8(bytes.subarray(at, newline))) return { line, at };
    at = newline + 1;
  }
}

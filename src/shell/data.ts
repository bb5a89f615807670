import { readFileSync } from 'node:fs';
import { fileWords } from '../base/file-words.ts';
import type { Arg, Data } from './command.ts';
import { Failure, usage } from './failure.ts';
import { showCount } from './units.ts';

/** Where `@-` reads from. */
export type StdinReader = () => Uint8Array;

/**
 * The bytes a data word stands for: its text as UTF-8, `@FILE`, `@-` for standard input, `@@TEXT` for a text that starts
 * with one `@`. Quoted words are always text.
 * @throws Failure (2) when the file cannot be read
 */
export function dataOf(arg: Arg, stdin: StdinReader): Uint8Array {
  if (arg.bytes !== undefined) return arg.bytes;
  if (arg.quote !== 'none' || !arg.text.startsWith('@')) return Buffer.from(arg.text);
  if (arg.text.startsWith('@@')) return Buffer.from(arg.text.slice(1));
  const file = arg.text.slice(1);
  if (file === '-' || isStdin(file)) return stdin();
  return readDataFile(file, `write @@${file} if the text itself starts with @`);
}

/** The system's names of standard input: who reads it is asked, whatever it is called. */
export const isStdin = (file: string): boolean => /^\/(?:dev\/(?:stdin|fd\/0)|proc\/self\/fd\/0)$/.test(file);

/** @throws Failure (2) */
export function readDataFile(file: string, hint?: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usage(`cannot read ${file === '' ? 'a file without a name' : file}: ${fileWords(error)}`, hint);
  }
}

/** Text given in base64 or hexadecimal, decoded. @throws Failure (2) */
export function decodeData(data: Data, encoding: { base64?: boolean; hex?: boolean }): Data {
  if (data === null || (encoding.base64 !== true && encoding.hex !== true)) return data;
  if (encoding.base64 && encoding.hex) throw usage('data cannot be both base64 and hexadecimal');
  const text = Buffer.from(data).toString('latin1').replace(/\s/g, '');
  if (encoding.hex) {
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(text))
      throw usage('not hexadecimal data', 'write two digits for each byte: 68656c6c6f');
    return Buffer.from(text, 'hex');
  }
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1)
    throw usage('not base64 data');
  return Buffer.from(text, 'base64');
}

/** What a server takes by default in one request (jute.maxbuffer), bytes. */
export const REQUEST_LIMIT = 1_048_575;
/** And what is sent at most to a server that was set to take more, bytes. */
export const FORCED_LIMIT = 64 << 20;
const OVERHEAD = 512;

/** Servers do not take it unless they are set to. */
export const isTooLarge = (path: string, data: Data | string | undefined): boolean =>
  (data?.length ?? 0) + Buffer.byteLength(path) + OVERHEAD > REQUEST_LIMIT;

/** A server that holds it was set to take more. */
export const isBeyondDefault = (data: Data): boolean => (data?.length ?? 0) > REQUEST_LIMIT;

/** Says before sending what a server would answer by hanging up. `canForce`: --force-size sends it. @throws Failure (19) */
export function checkSize(path: string, data: Data, { canForce = false } = {}): void {
  if (!isTooLarge(path, data)) return;
  throw new Failure(19, 'TooLarge', `too large for one request: ${showCount(data?.length ?? 0)} bytes for ${path}`, {
    path,
    hint: `servers take requests up to ${showCount(REQUEST_LIMIT)} bytes (jute.maxbuffer)${canForce ? '; --force-size sends it all the same' : ''}`,
  });
}

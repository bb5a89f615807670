/** Files that profiles name: a certificate, the place of a secret. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { usage } from './failure.ts';

const FILE = 'file:';

/** The whole name of a file, since a profile is used from any folder. `option` is what named it. @throws Failure (2) when it cannot be read */
export function keptFile(file: string, option: string): string {
  const whole = resolve(file);
  try {
    if (statSync(whole).isDirectory()) throw Object.assign(new Error(whole), { code: 'EISDIR' });
  } catch (error) {
    throw usage(`${option}: cannot read ${file === '' ? 'a file without a name' : file}: ${fileWords(error)}`);
  }
  return whole;
}

/** The same of `file:F`; whatever else says where a secret is stays. @throws Failure (2) */
export const keptReference = (text: string, option: string): string =>
  text.startsWith(FILE) ? FILE + keptFile(text.slice(FILE.length), option) : text;

/** What was written into the configuration by hand is beside it. */
export const besideConfig = (configFile: string, file: string): string => resolve(dirname(configFile), file);

/** The same of `file:F`. */
export const referenceBeside = (configFile: string, text: string): string =>
  text.startsWith(FILE) ? FILE + besideConfig(configFile, text.slice(FILE.length)) : text;

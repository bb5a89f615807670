import { HIDDEN } from '../base/secret.ts';
import { isAuthKey } from '../server/config-auth.ts';
import { isIdle } from '../server/config-idle.ts';
import { isKey, KEYS, listedKey, plainKey, type Row } from '../server/config-keys.ts';
import { isMemberKey } from '../server/config-members.ts';
import { parseProperties, type Setting } from '../server/config-text.ts';
import { shellWords } from './jvm-flags.ts';
import type { Env } from './settings.ts';

export const MASK = HIDDEN;
/** Names of what must not be shown, whoever gave them: passwords, digests of them, keys. */
const SECRET =
  /password(?!path)|passwd|passphrase|secret(?!file)|superdigest|credential|token|private.?key|sasl\.jaas/i;

/** Whether a setting, a property or a variable holds a secret, by its name. */
export function isSecret(name: string): boolean {
  const key = plainKey(name);
  return (Object.hasOwn(KEYS, key) && (KEYS[key as keyof typeof KEYS] as Row).secret === true) || SECRET.test(key);
}

/** Of a setting that is unknown here nobody knows what it holds: what is shown are those that are known, and no secrets. */
function isShown(name: string): boolean {
  const key = listedKey(plainKey(name));
  return !isSecret(name) && (isKey(key) || isMemberKey(key) || isAuthKey(key) || isIdle(key));
}

/** A value that says where a secret is, or is too short or common to be looked for in a text, hides nothing. */
const LEAST = 4;
const isCommon = (value: string): boolean =>
  value.length < LEAST || /^(?:true|false|yes|no|none|\d{1,5})$/i.test(value);

/** All secrets of the settings and the environment of a server, so that no text of ours holds one. */
export function secretsIn(settings: readonly Setting[], env: Env): string[] {
  const found = settings.filter(({ key }) => isSecret(key)).map(({ value }) => value);
  for (const [name, value = ''] of Object.entries(env)) {
    if (isSecret(name)) found.push(value);
    if (/JVMFLAGS$|_OPTS$/.test(name))
      for (const word of shellWords(value)) {
        const match = /^-D([^=]+)=([\s\S]*)$/.exec(word);
        if (match !== null && isSecret(match[1] as string)) found.push(match[2] as string);
      }
  }
  return [...new Set(found)].filter((value) => !isCommon(value)).sort((a, b) => b.length - a.length);
}

/** A text without these secrets. */
export const without = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((rest, secret) => rest.replaceAll(secret, MASK), text);

/** A file in properties syntax, its comments left out (a password is soon commented out), secrets and what may be one masked. */
export function maskedFile(text: string, file: string, secrets: readonly string[]): string {
  const lines = parseProperties(text, file).map(({ key, value }) => `${key}=${isShown(key) ? value : MASK}`);
  return without([...lines, ''].join('\n'), secrets);
}

import { readFileSync } from 'node:fs';

/** The version in package.json, read once it is asked for. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

import { readFileSync } from 'node:fs';

/** The version in package.json, read once it is asked for. This file runs from `dist/src/platform` and within `dist/bin`. */
export function packageVersion(): string {
  for (const place of ['../../../package.json', '../../package.json'])
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'zoosh' && version !== undefined) return version;
    } catch {
      // not there, or another's
    }
  throw new Error('the package.json of zoosh is missing: install it again');
}

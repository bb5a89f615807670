/** How answers of words and of the admin server are held against each other: by ZooKeeper's names, and what kind of thing each value is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Figures, addresses, dates and folders as what they are; what stands between stays. */
export const shape = (text: string): string =>
  text
    // ours lists where clients are served, too
    .replace(/(:(?:participant|observer));\S+/g, '$1')
    .replace(/^Zookeeper version: .*$/m, 'Zookeeper version: V')
    .replace(/[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4}/g, 'DATE')
    .replace(/=[^=\n]*\/(version-2|zoosh-1)$/gm, '=FOLDER')
    .replace(/\/(3\.?80-[a-z]+|3\.?10-[a-z]+|[a-z]+)(\/[a-z]+)?(?=\n|$)/gm, '/PATH')
    .replace(/0x[0-9a-f]+/g, 'HEX')
    .replace(/version=[0-9a-f]+$/, 'version=N')
    .replace(/-?\d+\.\d+(?:\.\d+\.\d+)?|-?\d+/g, 'N');
/** Lines that repeat, in no particular order, once. */
export const lines = (text: string): string[] => [...new Set(shape(text).split('\n'))].sort();

/** What docs/compatibility.md says is left out of mntr, as names with `*`. */
export function leftOut(): RegExp[] {
  const text = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8');
  const [, table = ''] = /Left out of `mntr`[\s\S]*?\n\n([\s\S]*?)\n\n/.exec(text) ?? [];
  const names = [...table.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]);
  return names.map(
    ([, name = '']) => new RegExp(`^(?:(?:avg|min|max|cnt|sum|p50|p95|p99|p999)_)?${name.replaceAll('*', '.*')}$`),
  );
}
export const keysOf = (text: string): string[] => [...text.matchAll(/^zk_(\S+)\t/gm)].map(([, key = '']) => key);

export const plural = (line: string): string => line.replace(/^[\d N]+ expire/, 'N expire');

/** Names, and of what kind each value is; of a list the first, of objects named by ids and paths one. */
export function form(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [form(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const entries = Object.entries(value).map(([key, each]) => {
    if (key === 'digests') return [key, 'list'];
    return [/^\d+$|^\//.test(key) ? 'ID' : key, form(each)];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

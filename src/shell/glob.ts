import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { Failure, usage } from './failure.ts';

const MAX_ALTERNATIVES = 1000;

/** `{a,b}` written out, nested ones too. Braces without a comma are themselves. */
export function expandBraces(pattern: string): string[] {
  const open = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (open === null) return [pattern];
  const before = pattern.slice(0, open.index);
  const after = pattern.slice(open.index + open[0].length);
  const out = (open[1] as string).split(',').flatMap((each) => expandBraces(before + each + after));
  if (out.length > MAX_ALTERNATIVES) throw usage(`the pattern stands for more than ${MAX_ALTERNATIVES} names`);
  return [...new Set(out)];
}

/** One level's pattern (`*`, `?`, `[abc]`, `[!a]`) to a test of a name. */
export function matcher(pattern: string): (name: string) => boolean {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const unit = pattern[i] as string;
    if (unit === '*') source += '.*';
    else if (unit === '?') source += '.';
    else if (unit === '[') {
      const close = pattern.indexOf(']', i + 2);
      if (close < 0) source += '\\[';
      else {
        const body = pattern
          .slice(i + 1, close)
          .replace(/[\\\]^]/g, '\\$&')
          .replace(/^!/, '^');
        source += `[${body}]`;
        i = close;
      }
    } else source += unit.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  let test: RegExp;
  try {
    test = new RegExp(`^${source}$`, 'su');
  } catch {
    throw usage(`not a pattern: ${pattern}`, 'a range in brackets goes from the lower to the higher character');
  }
  return (name) => test.test(name);
}

const isPattern = (part: string): boolean => /[*?[]/.test(part);

/**
 * The paths that `pattern` (absolute) stands for, sorted. A node whose name is the pattern itself wins. `**` is any
 * depth; `/zookeeper` is entered only when named.
 * @throws Failure (10) when there is none
 */
export async function expandGlob(client: Client, pattern: string, signal: AbortSignal): Promise<string[]> {
  if (await client.exists(pattern, { signal })) return [pattern];
  const found = new Set<string>();
  for (const each of expandBraces(pattern)) {
    const parts = each.split('/').filter((part) => part !== '');
    if (!parts.some(isPattern)) {
      if (await client.exists(each, { signal })) found.add(each);
    } else await descend('/', parts);
  }
  if (found.size === 0) throw new Failure(10, 'NoNode', `nothing matches ${pattern}`, { path: pattern });
  return [...found].sort();

  async function descend(base: string, parts: readonly string[]): Promise<void> {
    const [part, ...rest] = parts;
    if (part === undefined) {
      if (base !== '/') found.add(base);
      return;
    }
    if (!isPattern(part)) {
      const path = joinPath(base, part);
      if (rest.length > 0) return descend(path, rest);
      if (await client.exists(path, { signal })) found.add(path);
      return;
    }
    const matches = part === '**' ? () => true : matcher(part);
    if (part === '**') await descend(base, rest);
    const names = (await childrenOf(base)).filter((name) => !(base === '/' && name === 'zookeeper') && matches(name));
    for (const name of names) await descend(joinPath(base, name), part === '**' ? parts : rest);
  }
  async function childrenOf(path: string): Promise<string[]> {
    try {
      return (await client.getChildren(path, { signal })).children;
    } catch (error) {
      if (error instanceof KeeperError && error.code === 'NoNode') return []; // it went away meanwhile
      throw error;
    }
  }
}

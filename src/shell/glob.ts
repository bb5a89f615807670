import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { Failure, usage } from './failure.ts';
import { unmasked } from './masked.ts';
import { skipsOwn } from './own-nodes.ts';

const MAX_ALTERNATIVES = 1000;

/** `{a,b}` written out, nested ones too. Braces without a comma are themselves. */
export function expandBraces(pattern: string): string[] {
  // of the commas none may be either half's: that would be tried over and over
  const open = /\{([^{},]*(?:,[^{},]*)+)\}/.exec(pattern);
  if (open === null) return [pattern];
  const before = pattern.slice(0, open.index);
  const after = pattern.slice(open.index + open[0].length);
  const out = (open[1] as string).split(',').flatMap((each) => expandBraces(before + each + after));
  if (out.length > MAX_ALTERNATIVES) throw usage(`the pattern stands for more than ${MAX_ALTERNATIVES} names`);
  return [...new Set(out)];
}

/** A character by its code point, any number of characters, any one, or one of a class. */
type Step = number | '*' | '?' | RegExp;

/**
 * One level's pattern (`*`, `?`, `[abc]`, `[!a]`) to a test of a name. Names and data come from others, so it takes a time that
 * grows with their length and no faster, which an expression with several `.*` does not.
 */
export function matcher(pattern: string): (name: string) => boolean {
  const steps: Step[] = [];
  for (let i = 0; i < pattern.length; i += widthAt(pattern, i)) {
    const point = unmasked(pattern.slice(i, i + widthAt(pattern, i))).codePointAt(0) as number;
    const unit = pattern[i] as string;
    const close = unit === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (close >= 0) {
      steps.push(classOf(pattern, pattern.slice(i + 1, close)));
      i = close;
    } else if (unit === '*' || unit === '?') {
      if (unit === '?' || steps.at(-1) !== '*') steps.push(unit);
    } else steps.push(point);
  }
  return (name) => fits(steps, name);
}

function classOf(pattern: string, body: string): RegExp {
  const inner = unmasked(body)
    .replace(/[\\\]^]/g, '\\$&')
    .replace(/^!/, '^');
  try {
    return new RegExp(`^[${inner}]$`, 'su');
  } catch {
    throw usage(`not a pattern: ${pattern}`, 'a range in brackets goes from the lower to the higher character');
  }
}

const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
const isStep = (step: Step | undefined, point: number): boolean =>
  step === point || step === '?' || (step instanceof RegExp && step.test(String.fromCodePoint(point)));

/** What does not fit behind a `*` is tried one character further on; what stands before it is never looked at again. */
function fits(steps: readonly Step[], text: string): boolean {
  let [at, step, star, from] = [0, 0, -1, 0];
  while (at < text.length) {
    if (steps[step] === '*') {
      star = step++;
      from = at;
    } else if (isStep(steps[step], text.codePointAt(at) as number)) {
      at += widthAt(text, at);
      step++;
    } else if (star >= 0) {
      from += widthAt(text, from);
      at = from;
      step = star + 1;
    } else return false;
  }
  if (steps[step] === '*') step++;
  return step === steps.length;
}

const isPattern = (part: string): boolean => /[*?[]/.test(part);

/**
 * The paths that `pattern` (absolute) stands for, sorted. A node whose name is the pattern itself wins. `**` is any
 * depth; `/zookeeper` is entered only when named.
 * @throws Failure (10) when there is none
 */
export async function expandGlob(client: Client, pattern: string, signal: AbortSignal): Promise<string[]> {
  const literal = unmasked(pattern);
  if (await client.exists(literal, { signal })) return [literal];
  const skips = skipsOwn(client, '/');
  const found = new Set<string>();
  for (const each of expandBraces(pattern)) {
    const parts = each.split('/').filter((part) => part !== '');
    if (!parts.some(isPattern)) {
      const path = unmasked(each);
      if (await client.exists(path, { signal })) found.add(path);
    } else await descend('/', parts);
  }
  if (found.size === 0) throw new Failure(10, 'NoNode', `nothing matches ${literal}`, { path: literal });
  return [...found].sort();

  async function descend(base: string, parts: readonly string[]): Promise<void> {
    const [part, ...rest] = parts;
    if (part === undefined) {
      if (base !== '/') found.add(base);
      return;
    }
    if (!isPattern(part)) {
      const path = joinPath(base, unmasked(part));
      if (rest.length > 0) return descend(path, rest);
      if (await client.exists(path, { signal })) found.add(path);
      return;
    }
    const matches = part === '**' ? () => true : matcher(part);
    if (part === '**') await descend(base, rest);
    const names = (await childrenOf(base)).filter((name) => matches(name) && !skips(joinPath(base, name)));
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

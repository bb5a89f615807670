/** What a subtree holds, for the plan that is shown before it is changed. */
import type { Client, Stat } from '../client/api.ts';
import { plural, showBytes, showCount } from './units.ts';
import { walkNodes } from './walk.ts';

export interface Survey {
  readonly count: number;
  /** Of data. */
  readonly bytes: number;
  readonly ephemerals: number;
  /** Sessions that own them, ours left out. */
  readonly owners: number;
  /** Children of the root with the most below them, the largest first. */
  readonly largest: readonly { readonly path: string; readonly count: number }[];
  readonly names: readonly string[];
  /** Some from all over it. */
  readonly sample: readonly string[];
}

export interface SurveyOptions {
  readonly signal: AbortSignal;
  readonly inflight: number;
  readonly skip?: ((path: string) => boolean) | undefined;
  readonly seen?: (count: number) => void;
}

/** What some nodes come to, wherever they are. */
export class Tally {
  count = 0;
  bytes = 0;
  ephemerals = 0;
  readonly #own: bigint;
  readonly #owners = new Set<bigint>();

  /** `own`: the session that asks. */
  constructor(own: bigint) {
    this.#own = own;
  }
  add({ dataLength, ephemeralOwner }: Stat): void {
    this.count++;
    this.bytes += dataLength;
    if (ephemeralOwner === 0n) return;
    this.ephemerals++;
    if (ephemeralOwner !== this.#own) this.#owners.add(ephemeralOwner);
  }
  /** Sessions other than ours. */
  get owners(): number {
    return this.#owners.size;
  }
  /** Lines of a plan for these nodes, some of whose paths are `names`. */
  lines(names: readonly string[]): string[] {
    const more = this.count > names.length ? '  ...' : '';
    return [
      `${plural(this.count, 'node')}, ${showBytes(this.bytes)}`,
      ...(names.length > 0 ? [`  ${names.join('  ')}${more}`] : []),
      ...ephemeralLines(this),
    ];
  }
}

const LARGEST = 5;
const NAMES = 10;
const SAMPLE = 5;

/** Some of many, about as far from each other, without knowing how many there will be. */
class Spread {
  #kept: string[] = [];
  #count = 0;
  /** One of so many is kept. */
  #stride = 1;

  add(path: string): void {
    if (this.#count++ % this.#stride !== 0) return;
    this.#kept.push(path);
    if (this.#kept.length < 4 * SAMPLE) return;
    this.#kept = this.#kept.filter((_, at) => at % 2 === 0);
    this.#stride *= 2;
  }
  /** Without `known`. */
  some(known: readonly string[]): string[] {
    const left = this.#kept.filter((path) => !known.includes(path));
    const step = Math.max(1, left.length / SAMPLE);
    return Array.from({ length: Math.min(SAMPLE, left.length) }, (_, at) => left[Math.floor(at * step)] as string);
  }
}

/** @throws KeeperError NoNode for the root */
export async function survey(client: Client, root: string, options: SurveyOptions): Promise<Survey> {
  const tally = new Tally(client.sessionId);
  const names: string[] = [];
  const spread = new Spread();
  const tops: { path: string; count: number }[] = [];
  let top = { path: root, count: 0 };
  const settle = (): void => {
    if (top.count < 2) return;
    tops.push(top);
    tops.sort((a, b) => b.count - a.count).splice(LARGEST);
  };
  for await (const { path, depth, stat } of walkNodes(client, root, options)) {
    tally.add(stat);
    options.seen?.(tally.count);
    if (names.length < NAMES) names.push(path);
    if (depth > 0) spread.add(path);
    if (depth === 1) {
      settle();
      top = { path, count: 0 };
    }
    if (depth >= 1) top.count++;
  }
  settle();
  const { count, bytes, ephemerals, owners } = tally;
  const sample = spread.some(tops.map(({ path }) => path));
  return { count, bytes, ephemerals, owners, largest: tops, names, sample };
}

/** Lines of a plan. */
export function surveyLines(root: string, found: Survey): string[] {
  const { count, bytes, largest, names, sample } = found;
  const isAll = 1 + largest.length + sample.length >= count;
  return [
    `${plural(count, 'node')}, ${showBytes(bytes)} at and below ${root}`,
    ...(largest.length > 0
      ? [
          `  largest  ${largest.map((each) => `${each.path} (${showCount(each.count)})`).join('  ')}`,
          `  such as  ${sample.join('  ')}${isAll ? '' : '  ...'}`,
        ]
      : names.length > 1
        ? [`  ${names.slice(1).join('  ')}${count > names.length ? '  ...' : ''}`]
        : []),
    ...ephemeralLines(found),
  ];
}

function ephemeralLines({ ephemerals, owners }: Pick<Survey, 'ephemerals' | 'owners'>): string[] {
  if (ephemerals === 0) return [];
  if (owners === 0) return [`  ${plural(ephemerals, 'ephemeral node')} of this session`];
  const belong = ephemerals === 1 ? 'is ephemeral and belongs' : 'are ephemeral and belong';
  return [`  ${showCount(ephemerals)} ${belong} to ${plural(owners, 'live session')}`];
}

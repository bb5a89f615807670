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

/** @throws KeeperError NoNode for the root */
export async function survey(client: Client, root: string, options: SurveyOptions): Promise<Survey> {
  const tally = new Tally(client.sessionId);
  const names: string[] = [];
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
    if (depth === 1) {
      settle();
      top = { path, count: 0 };
    }
    if (depth >= 1) top.count++;
  }
  settle();
  const { count, bytes, ephemerals, owners } = tally;
  return { count, bytes, ephemerals, owners, largest: tops, names };
}

/** Lines of a plan. */
export function surveyLines(root: string, found: Survey): string[] {
  const { count, bytes, largest, names } = found;
  return [
    `${plural(count, 'node')}, ${showBytes(bytes)} at and below ${root}`,
    ...(largest.length > 0
      ? [`  largest  ${largest.map((each) => `${each.path} (${showCount(each.count)})`).join('  ')}`]
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

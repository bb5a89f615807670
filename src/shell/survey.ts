/** What a subtree holds, for the plan that is shown before it is changed. */
import type { Client } from '../client/api.ts';
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

const LARGEST = 5;
const NAMES = 10;

/** @throws KeeperError NoNode for the root */
export async function survey(client: Client, root: string, options: SurveyOptions): Promise<Survey> {
  let [count, bytes, ephemerals] = [0, 0, 0];
  const owners = new Set<bigint>();
  const names: string[] = [];
  const tops: { path: string; count: number }[] = [];
  let top = { path: root, count: 0 };
  const settle = (): void => {
    if (top.count < 2) return;
    tops.push(top);
    tops.sort((a, b) => b.count - a.count).splice(LARGEST);
  };
  for await (const { path, depth, stat } of walkNodes(client, root, options)) {
    options.seen?.(++count);
    bytes += stat.dataLength;
    if (stat.ephemeralOwner !== 0n) {
      ephemerals++;
      if (stat.ephemeralOwner !== client.sessionId) owners.add(stat.ephemeralOwner);
    }
    if (names.length < NAMES) names.push(path);
    if (depth === 1) {
      settle();
      top = { path, count: 0 };
    }
    if (depth >= 1) top.count++;
  }
  settle();
  return { count, bytes, ephemerals, owners: owners.size, largest: tops, names };
}

/** Lines of a plan. */
export function surveyLines(root: string, { count, bytes, ephemerals, owners, largest, names }: Survey): string[] {
  return [
    `${plural(count, 'node')}, ${showBytes(bytes)} at and below ${root}`,
    ...(largest.length > 0
      ? [`  largest  ${largest.map((each) => `${each.path} (${showCount(each.count)})`).join('  ')}`]
      : names.length > 1
        ? [`  ${names.slice(1).join('  ')}${count > names.length ? '  ...' : ''}`]
        : []),
    ...(ephemerals > 0
      ? [
          owners === 0
            ? `  ${plural(ephemerals, 'ephemeral node')} of this session`
            : `  ${showCount(ephemerals)} ${ephemerals === 1 ? 'is ephemeral and belongs' : 'are ephemeral and belong'} to ${plural(owners, 'live session')}`,
        ]
      : []),
  ];
}

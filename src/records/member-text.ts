import type { Config, Member } from './txns.ts';

/** `server.N=` line of a member, as ZooKeeper writes it: the role once, the client address where one is known. */
const serverLine = ({ sid, role, addresses, client }: Member): string =>
  `server.${sid}=${addresses.join('|')}:${role}${client === null ? '' : `;${client}`}`;

/** Server, group and weight lines in the order of /zookeeper/config: each kind by number. */
function linesInOrder(members: readonly Member[]): string[] {
  const sorted = members.toSorted((a, b) => a.sid - b.sid);
  const groups = new Map<number, number[]>();
  const weights: string[] = [];
  for (const { sid, group, weight } of sorted) {
    if (group === undefined) continue;
    groups.set(group, [...(groups.get(group) ?? []), sid]);
    weights.push(`weight.${sid}=${weight ?? 1}`);
  }
  return [
    ...sorted.map(serverLine),
    ...[...groups].sort(([a], [b]) => a - b).map(([group, sids]) => `group.${group}=${sids.join(':')}`),
    ...weights,
  ];
}

/** Server, group and weight lines, sorted as text: the form of a dynamic file, and of what a member compares and keeps. */
export const memberLines = (members: readonly Member[]): string[] => linesInOrder(members).sort();

/**
 * The text of /zookeeper/config: the members, and last the version, the zxid of the record that carries this config, in
 * hexadecimal; no newline at the end. Empty for a server alone, which has no addresses.
 */
export function configText({ members }: Config, zxidHi: number, zxidLo: number): string {
  if (members.some(({ addresses }) => addresses.length === 0)) return '';
  const version = ((BigInt(zxidHi) << 32n) | BigInt(zxidLo >>> 0)).toString(16);
  return [...linesInOrder(members), `version=${version}`].join('\n');
}

/** The text of the dynamic file that a member writes: no version inside, no newline at the end. */
export const dynamicText = ({ members }: Config): string => memberLines(members).join('\n');

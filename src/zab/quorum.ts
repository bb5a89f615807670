import type { Config, Member } from '../records/txns.ts';

/** A member under the incarnation it acts with; only the listed incarnation of a voter counts (foundations.md 13.8). */
export interface Voice {
  readonly sid: number;
  readonly incarnation: string;
}

const weightOf = (member: Member): number => member.weight ?? 1;
const speaksAs = (member: Member, { sid, incarnation }: Voice): boolean =>
  member.role === 'participant' && member.sid === sid && member.incarnation === incarnation;

/**
 * True when `voices` are a quorum of `config`, each under the incarnation listed for it: more than half of the weight in more
 * than half of the groups, which without groups is a majority. A voter without a known incarnation stays in the denominator.
 */
export function isQuorum(config: Config, voices: readonly Voice[]): boolean {
  let weight = 0;
  let heard = 0;
  for (const member of config.members) {
    if (member.role !== 'participant') continue;
    if (member.group !== undefined) return isQuorumOfGroups(config, voices);
    weight += weightOf(member);
    if (hears(voices, member)) heard += weightOf(member);
  }
  return heard * 2 > weight;
}
function hears(voices: readonly Voice[], member: Member): boolean {
  for (const voice of voices) if (speaksAs(member, voice)) return true;
  return false;
}
function isQuorumOfGroups(config: Config, voices: readonly Voice[]): boolean {
  const groups = new Map<number, { total: number; heard: number }>();
  for (const member of config.members) {
    if (member.role !== 'participant') continue;
    const key = member.group ?? 0;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { total: 0, heard: 0 }));
    group.total += weightOf(member);
    if (hears(voices, member)) group.heard += weightOf(member);
  }
  let all = 0;
  let won = 0;
  for (const { total, heard } of groups.values()) {
    if (total === 0) continue; // a group without weight has no say
    all++;
    if (heard * 2 > total) won++;
  }
  return won * 2 > all;
}

/** True when `voices` are a quorum of every one of `configs` (foundations.md 13.7); of none at all they are no quorum. */
export function isQuorumOfAll(configs: readonly Config[], voices: readonly Voice[]): boolean {
  return configs.length > 0 && configs.every((config) => isQuorum(config, voices));
}

/**
 * How many of `voices` may be lost, whichever they are, and the rest are still a quorum of every one of `configs`; -1 when they
 * are none now. What is looked for is the cheapest way to end it: the heaviest voters of the groups that fall first.
 */
export const slackOf = (configs: readonly Config[], voices: readonly Voice[]): number =>
  configs.length === 0 ? -1 : Math.min(...configs.map((config) => fallsAfter(config, voices) - 1));
/** The fewest voices whose loss leaves no quorum; 0 when there is none. */
function fallsAfter(config: Config, voices: readonly Voice[]): number {
  const groups = new Map<number, { total: number; heard: number[] }>();
  for (const member of config.members) {
    if (member.role !== 'participant' || weightOf(member) === 0) continue;
    const key = member.group ?? 0;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { total: 0, heard: [] }));
    group.total += weightOf(member);
    if (hears(voices, member)) group.heard.push(weightOf(member));
  }
  const costs = [...groups.values()].map(costOf).sort((a, b) => a - b);
  const won = costs.filter((cost) => cost > 0);
  const most = Math.floor(costs.length / 2); // groups that may be won without being a quorum of them
  return won.slice(0, Math.max(0, won.length - most)).reduce((sum, cost) => sum + cost, 0);
}
/** How many of a group's voters must go before the rest are no majority of its weight. */
function costOf({ total, heard }: { total: number; heard: readonly number[] }): number {
  let left = heard.reduce((sum, weight) => sum + weight, 0);
  let cost = 0;
  for (const weight of heard.toSorted((a, b) => b - a)) {
    if (left * 2 <= total) break;
    left -= weight;
    cost++;
  }
  return cost;
}

/** True when `voice` is a voter of one of `configs` under the incarnation listed there. */
export const counts = (configs: readonly Config[], voice: Voice): boolean =>
  configs.some(({ members }) => members.some((member) => speaksAs(member, voice)));

/** True when `voice` counts and has weight somewhere: one without never leads. */
export const canLead = (configs: readonly Config[], voice: Voice): boolean =>
  configs.some(({ members }) => members.some((member) => weightOf(member) > 0 && speaksAs(member, voice)));

/** True when `voice` is the only voter of `config`. */
export const isSole = ({ members }: Config, voice: Voice): boolean =>
  members.every((member) => member.role !== 'participant' || speaksAs(member, voice)) &&
  members.some((member) => speaksAs(member, voice));

/** The server ids of all voters of `configs`, each once, listed incarnation or none. */
export function votersOf(configs: readonly Config[]): number[] {
  const sids = new Set<number>();
  for (const { members } of configs) for (const { sid, role } of members) if (role === 'participant') sids.add(sid);
  return [...sids];
}

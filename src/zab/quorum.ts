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

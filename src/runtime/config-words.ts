import type { Config, Member } from '../records/txns.ts';

const list = (sids: readonly number[]): string => sids.join(', ');
const roleOf = ({ role }: Member): string => (role === 'participant' ? 'a voter' : 'an observer');

/** Who belongs to an ensemble, a clause. */
export function membersOf({ members }: Config): string {
  const voters = members.filter(({ role }) => role === 'participant').map(({ sid }) => sid);
  const observers = members.filter(({ role }) => role !== 'participant').map(({ sid }) => sid);
  const also = observers.length === 0 ? '' : `, observers ${list(observers)}`;
  return `voters ${list(voters)}${also}`;
}

/** What a config record changed, clauses; none when it says what the one before did. */
export function changesOf(before: Config, after: Config): string[] {
  const said: string[] = [];
  const earlier = new Map(before.members.map((member) => [member.sid, member]));
  for (const member of after.members) {
    const { sid, incarnation, role } = member;
    const was = earlier.get(sid);
    earlier.delete(sid);
    if (was === undefined) said.push(`server ${sid} joins as ${roleOf(member)}`);
    else if (was.role !== role) said.push(`server ${sid} is ${roleOf(member)} now`);
    else if (was.incarnation === null && incarnation !== null) said.push(`server ${sid} is admitted`);
    else if (was.incarnation !== incarnation) said.push(`server ${sid} is admitted with a new directory`);
    else if (JSON.stringify(was) !== JSON.stringify(member)) said.push(`the line of server ${sid} is another`);
  }
  return [...said, ...[...earlier.keys()].map((sid) => `server ${sid} belongs to it no longer`)];
}

/** A voter as another member sees it: not met, met as what is listed, or met with another directory. */
export type Sight = 'away' | 'here' | 'other';
/** Why nobody leads, a sentence; undefined where those who are here could elect somebody. */
export function noQuorum(
  config: Config,
  sightOf: (member: Member) => Sight,
  isQuorum: (voices: readonly { readonly sid: number; readonly incarnation: string }[]) => boolean,
): string | undefined {
  const voters = config.members.filter(({ role }) => role === 'participant');
  const seen = (which: Sight): Member[] => voters.filter((member) => sightOf(member) === which);
  const here = seen('here').flatMap(({ sid, incarnation }) => (incarnation === null ? [] : [{ sid, incarnation }]));
  if (isQuorum(here)) return undefined;
  const [away, other] = [seen('away'), seen('other')].map((members) => list(members.map(({ sid }) => sid)));
  const said = [
    ...(away === '' ? [] : [`voters not met: ${away}`]),
    ...(other === '' ? [] : [`without the history that they had, and so without a vote: ${other}`]),
  ];
  return `no quorum, and so no leader: ${said.join('; ')}. Of ${list(voters.map(({ sid }) => sid))} only ${list(here.map(({ sid }) => sid)) || 'none'} can vote. Start those that are missing with the directories they had; where too many are lost for good, zoosh server accept-loss goes on with what one of them holds`;
}

/** What /zookeeper/config and lists of members say. */

/** One `server.N=` line. */
export interface MemberLine {
  readonly id: string;
  readonly isObserver: boolean;
  /** The whole line. */
  readonly text: string;
}

/** `4=h:1:2;3` is meant as `server.4=h:1:2;3`. */
export const withPrefix = (line: string): string => (/^\d+\s*=/.test(line) ? `server.${line}` : line);

export const listed = (texts: readonly string[]): string[] =>
  texts
    .flatMap((text) => text.split(','))
    .map((each) => each.trim())
    .filter((each) => each !== '');

/** The server lines among `lines`, by id, the later of two with one id. */
export function membersIn(lines: readonly string[]): Map<string, MemberLine> {
  const members = new Map<string, MemberLine>();
  for (const text of lines) {
    const [, id, spec = ''] = /^server\.(\d+)\s*=(.*)$/.exec(text) ?? [];
    if (id !== undefined) members.set(id, { id, isObserver: /:observer\s*(;|$)/i.test(spec), text });
  }
  return members;
}

/** `voters 1 2 3, quorum 2; observers 4`. In groups, how many are a quorum depends on who they are. */
export function outlineOf(members: ReadonlyMap<string, MemberLine>, hasGroups: boolean): string {
  const sorted = [...members.values()].sort((a, b) => Number(a.id) - Number(b.id));
  const ids = (observers: boolean): string[] =>
    sorted.filter(({ isObserver }) => isObserver === observers).map(({ id }) => id);
  const voters = ids(false);
  const observers = ids(true);
  const quorum = hasGroups ? 'in groups' : `quorum ${Math.floor(voters.length / 2) + 1}`;
  return [
    voters.length === 0 ? 'no voters' : `voters ${voters.join(' ')}, ${quorum}`,
    ...(observers.length > 0 ? [`observers ${observers.join(' ')}`] : []),
  ].join('; ');
}

/** Who comes, goes and moves. */
export function changesOf(
  before: ReadonlyMap<string, MemberLine>,
  after: ReadonlyMap<string, MemberLine>,
): readonly string[] {
  const lines: string[] = [];
  for (const { id, text } of before.values()) if (!after.has(id)) lines.push(`- ${text}`);
  for (const { id, text } of after.values()) {
    const old = before.get(id);
    if (old === undefined) lines.push(`+ ${text}`);
    else if (old.text !== text) lines.push(`~ ${text}`);
  }
  return lines;
}

import { KEEPER_CODES } from '../base/errors.ts';
import { MAX_ADDRESS, MAX_ADDRESSES, MAX_MEMBERS } from '../records/limits.ts';
import { memberLines } from '../records/member-text.ts';
import type { Config, Member } from '../records/txns.ts';
import { isQuorum, type Voice } from '../zab/quorum.ts';
import { membership } from './config-members.ts';
import { addressesOf, isAnyHost, isLoopback, isServerId, parseServerLine } from './config-servers.ts';
import { ConfigError, parseAssignment, parseProperties, type Setting } from './config-text.ts';

/** As it comes off the wire: comma lists, null for what is not given; `curConfigId` -1 means any. */
export interface ReconfigRequest {
  readonly joiningServers: string | null;
  readonly leavingServers: string | null;
  /** Separated by commas or newlines; the two lists above are ignored beside it. */
  readonly newMembers: string | null;
  readonly curConfigId: bigint;
}
/** What a request to change the members is judged by. */
export interface ReconfigView {
  readonly enabled: boolean;
  /** The last config of the log, and the zxid of its record; undefined on a server alone. */
  readonly last: { readonly config: Config; readonly version: bigint } | undefined;
  /** That config is not known to be committed. */
  readonly inProgress: boolean;
  /** Then two voters must be left. */
  readonly standaloneEnabled: boolean;
  readonly multiAddress: boolean;
  /** Who is connected and has everything, this leader too, as participant or observer. */
  readonly synced: readonly Voice[];
  /** The session may write /zookeeper/config. */
  readonly mayWrite: boolean;
  /** Members know each other by nothing, and nobody said that this is meant: they have to stay on one machine. */
  readonly trustsAnyone?: boolean | undefined;
}

/** Of a group's number and a voter's weight. */
const MAX_SHARE = 0x7fff_ffff;
const {
  ReconfigDisabled,
  Unimplemented,
  ReconfigInProgress,
  BadVersion,
  BadArguments,
  MarshallingError,
  NewConfigNoQuorum,
  NoAuth,
} = KEEPER_CODES;

/**
 * The config that a request asks for, or ZooKeeper's number of why not. The order of checks is the order in which errors win
 * (semantics.md 17). A voter that stays where it is keeps its incarnation, which admission alone changes; one that observed, is
 * new or moves has that under which it is connected, or none.
 */
export function decideReconfig(request: ReconfigRequest, view: ReconfigView): Config | number {
  const { last } = view;
  if (!view.enabled) return ReconfigDisabled;
  if (last === undefined) return Unimplemented;
  if (view.inProgress) return ReconfigInProgress;
  if (request.curConfigId !== -1n && request.curConfigId !== last.version) return BadVersion;
  const members = nextMembers(request, last.config, view);
  if (typeof members === 'number') return members;
  const voters = members.filter(({ role }) => role === 'participant').length;
  if (voters < (view.standaloneEnabled ? 2 : 1)) return BadArguments;
  const next: Config = { ...last.config, members: members.map((each) => named(each, last.config, view.synced)) };
  if (!isQuorum(next, view.synced)) return NewConfigNoQuorum;
  if (!view.mayWrite) return NoAuth;
  return isTaken(next) && !(view.trustsAnyone && reachesBeyond(next)) ? next : BadArguments;
}

/** Limits of ours: ZooKeeper takes any long as an id. What members could not tell each other is in no record. */
const isTaken = ({ members }: Config): boolean =>
  members.length <= MAX_MEMBERS &&
  members.every(
    ({ sid, addresses, client, group = 0, weight = 0 }) =>
      isServerId(sid) &&
      addresses.length <= MAX_ADDRESSES &&
      [...addresses, client ?? ''].every((each) => Buffer.byteLength(each) <= MAX_ADDRESS) &&
      [group, weight].every((each) => each >= 0 && each <= MAX_SHARE),
  );
/** As a start refuses it, of which each member would learn at its next. Every address is none that is beyond this machine. */
const reachesBeyond = ({ members }: Config): boolean =>
  members.some((member) => {
    const { quorum, election } = addressesOf(member);
    return [...quorum, ...election].some(({ host }) => !isLoopback(host) && !isAnyHost(host));
  });

function nextMembers(request: ReconfigRequest, config: Config, view: ReconfigView): readonly Member[] | number {
  try {
    return request.newMembers === null
      ? changedMembers(request, config, view.multiAddress)
      : wholeMembers(request.newMembers, view);
  } catch (error) {
    if (error instanceof ConfigError) return BadArguments;
    throw error;
  }
}

/** All members anew, as the lines of a dynamic file. */
function wholeMembers(text: string, { multiAddress, standaloneEnabled }: ReconfigView): readonly Member[] | number {
  const settings = parseProperties(text.replaceAll(',', '\n'), 'newMembers');
  const lines: Setting[] = [];
  for (const setting of settings) {
    const [, kind, id = ''] = /^(server|group|weight)\.(.*)$/.exec(setting.key) ?? [];
    if (kind === undefined && setting.key !== 'version') return BadArguments;
    // ZooKeeper trips over these before it looks for what is wrong with them
    if (kind === undefined && !/^[+-]?[0-9a-f]{1,16}$/i.test(setting.value)) return MarshallingError;
    if (kind === undefined) continue;
    if (!isLong(id) || (kind === 'weight' && !isLong(setting.value))) return MarshallingError;
    lines.push(setting);
  }
  const { members } = membership(lines, multiAddress, true);
  const voters = members.filter(({ role }) => role === 'participant').length;
  if (voters === 0 && (members.length > 0 || !standaloneEnabled)) return MarshallingError;
  if (voters === 1 && members.length > 1 && standaloneEnabled) return MarshallingError;
  return members;
}

/** The members without those that leave, and with those that join; one that joins again is replaced. */
function changedMembers(request: ReconfigRequest, config: Config, multiAddress: boolean): readonly Member[] | number {
  if (config.members.some(({ group }) => group !== undefined)) return BadArguments;
  const left = new Set<number>();
  for (const leaving of listed(request.leavingServers)) {
    if (!isLong(leaving)) return MarshallingError;
    left.add(Number(leaving));
  }
  const lines = new Map<number, Setting>();
  for (const line of memberLines(config.members.filter(({ sid }) => !left.has(sid)))) {
    const setting = parseAssignment(line, 'member');
    lines.set(idOf(setting.key), setting);
  }
  for (const joining of listed(request.joiningServers)) {
    const [key = '', value, ...more] = joining.split('=').map((part) => part.trim());
    if (value === undefined || more.length > 0) return BadArguments;
    if (!isLong(key.slice(key.lastIndexOf('.') + 1))) return MarshallingError;
    const setting: Setting = { key: `server.${idOf(key)}`, value, from: { option: 'joiningServers' } };
    const { client, secureClient } = parseServerLine(setting, multiAddress, true);
    if (client === undefined && secureClient === undefined) return BadArguments;
    lines.set(idOf(key), setting);
  }
  return membership([...lines.values()], true, true).members;
}

const listed = (text: string | null): string[] =>
  (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
const isLong = (text: string): boolean => /^[+-]?\d{1,18}$/.test(text);
const idOf = (key: string): number => Number(key.slice(key.lastIndexOf('.') + 1));

function named(member: Member, { members }: Config, synced: readonly Voice[]): Member {
  const before = members.find(({ sid }) => sid === member.sid);
  const stays = before !== undefined && before.addresses.join('|') === member.addresses.join('|');
  const connected = synced.find(({ sid }) => sid === member.sid)?.incarnation ?? null;
  const listed = stays ? before.incarnation : null;
  // an observer that has just come with another directory is admitted as that next: listed as what it was, it would have no vote
  const incarnation = before?.role === 'participant' ? (listed ?? connected) : (connected ?? listed);
  return { ...member, incarnation };
}

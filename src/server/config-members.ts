import type { Member } from '../records/txns.ts';
import {
  type Address,
  isAnyHost,
  isLoopback,
  memberOf,
  parseServerLine,
  type ServerLine,
  showHost,
} from './config-servers.ts';
import { ConfigError, parseProperties, type Setting, showOrigin } from './config-text.ts';

/** Servers, and the votes they have, as server, group and weight lines name them. */
export interface Membership {
  /** Ascending by id. */
  readonly servers: readonly ServerLine[];
  /** The same as members of a config record; nobody's incarnation is known. */
  readonly members: readonly Member[];
}

/** A line about who belongs to the ensemble. */
export const isMemberKey = (key: string): boolean => /^(server|group|weight)\./.test(key);

/**
 * Reads server, group and weight lines (of two with one key the later counts) and checks that they fit together; `anyId`: also
 * servers with ids that none can have. @throws ConfigError
 */
export function membership(settings: readonly Setting[], multiAddress: boolean, anyId = false): Membership {
  const lines = new Map(settings.map((setting) => [setting.key, setting]));
  const servers = new Map<number, ServerLine>();
  for (const setting of lines.values()) {
    if (!setting.key.startsWith('server.')) continue;
    const line = parseServerLine(setting, multiAddress, anyId);
    const twin = servers.get(line.id);
    if (twin !== undefined)
      throw wrong(setting, `server ${line.id} has another line, ${showOrigin(twin.from.from)}`, 'remove one of them');
    servers.set(line.id, line);
  }
  const sorted = [...servers.values()].sort((a, b) => a.id - b.id);
  refuseTwins(sorted);
  const shares = sharesOf([...lines.values()], servers);
  return { servers: sorted, members: sorted.map((line) => ({ ...memberOf(line), ...shares.get(line.id) })) };
}

const wrong = ({ key, from }: Setting, what: string, remedy: string): ConfigError =>
  new ConfigError(what, remedy, { key, from });

/** Two servers cannot listen at one place. A host that stands for every address is another machine's in each line. */
function refuseTwins(servers: readonly ServerLine[]): void {
  const taken = new Map<string, ServerLine>();
  for (const line of servers) {
    const own = [...line.quorum, ...line.election].filter(({ host }) => !isAnyHost(host));
    const { client } = line;
    // each machine has a loopback of its own, and clients are often served on that alone
    if (client !== undefined && !isAnyHost(client.host) && !isLoopback(client.host)) own.push(client);
    for (const text of new Set(own.map(show))) {
      const other = taken.get(text);
      if (other !== undefined)
        throw wrong(
          line.from,
          `server ${line.id} and server ${other.id} have one address, ${text}`,
          'give each server a host or ports of its own',
        );
      taken.set(text, line);
    }
  }
}
const show = ({ host, port }: Address): string => `${showHost(host)}:${port}`;

type Share = Required<Pick<Member, 'group' | 'weight'>>;

/** Group and weight of each voter; empty without groups. */
function sharesOf(settings: readonly Setting[], servers: ReadonlyMap<number, ServerLine>): ReadonlyMap<number, Share> {
  const groups = new Map<number, number>();
  const weights = new Map<number, number>();
  const named = (setting: Setting, text: string): number => {
    const line = /^\d{1,3}$/.test(text) ? servers.get(Number(text)) : undefined;
    if (line === undefined)
      throw wrong(setting, `${setting.key}=${setting.value} names server ${text}, which has no line`, 'name voters');
    if (line.role === 'observer')
      throw wrong(setting, `${setting.key}=${setting.value} counts server ${text}, an observer`, 'name voters only');
    return line.id;
  };
  for (const setting of settings) {
    const [kind, text = ''] = setting.key.split('.', 2);
    if (kind === 'group') {
      if (!/^\d{1,9}$/.test(text)) throw wrong(setting, `${setting.key} has no number`, 'write group.N=ID:ID:ID');
      for (const each of setting.value.split(':')) {
        const sid = named(setting, each.trim());
        if (groups.has(sid))
          throw wrong(setting, `server ${sid} is in group ${groups.get(sid)} and group ${text}`, 'name it in one');
        groups.set(sid, Number(text));
      }
    } else if (kind === 'weight') {
      if (!/^\d{1,9}$/.test(setting.value))
        throw wrong(
          setting,
          `${setting.key}=${setting.value} is no weight`,
          'write weight.ID=N, 1 without such a line',
        );
      weights.set(named(setting, text), Number(setting.value));
    }
  }
  const shares = new Map<number, Share>();
  const first = settings.find(({ key }) => !key.startsWith('server.'));
  if (first === undefined) return shares;
  for (const { id, role } of servers.values()) {
    if (role === 'observer') continue;
    const group = groups.get(id);
    if (group === undefined)
      throw wrong(first, `server ${id} is in no group`, 'with group or weight lines every voter belongs to one group');
    shares.set(id, { group, weight: weights.get(id) ?? 1 });
  }
  if (shares.size > 0 && [...shares.values()].every(({ weight }) => weight === 0))
    throw wrong(first, 'no server has a weight', 'give at least one voter a weight above 0');
  return shares;
}

/**
 * The lines of a dynamic file, which holds who belongs to the ensemble and nothing else, and the zxid of the config that it
 * was written from: the hexadecimal end of its name, 0n without one. @throws ConfigError
 */
export function parseDynamicFile(
  text: string,
  file: string,
): { readonly settings: readonly Setting[]; readonly version: bigint } {
  const settings = parseProperties(text, file);
  for (const setting of settings) {
    if (setting.key === 'version')
      throw wrong(setting, 'a dynamic file with a version inside', 'its name ends in the version: remove the line');
    if (!isMemberKey(setting.key))
      throw wrong(setting, `${setting.key} in a dynamic file`, 'it holds server, group and weight lines only');
  }
  const end = /\.([0-9a-f]{1,16})$/i.exec(file)?.[1];
  return { settings, version: end === undefined ? 0n : BigInt(`0x${end}`) };
}

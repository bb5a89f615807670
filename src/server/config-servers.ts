import type { Member } from '../records/txns.ts';
import { ConfigError, type Setting } from './config-text.ts';
import { ipBytes, javaAddress } from './ip.ts';

/** A host and a port; an IPv6 address comes without its brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One `server.N=` line. */
export interface ServerLine {
  readonly id: number;
  readonly quorum: readonly Address[];
  readonly election: readonly Address[];
  readonly role: 'participant' | 'observer';
  readonly client: Address | undefined;
  /** Where clients are served by TLS. */
  readonly secureClient: Address | undefined;
  readonly from: Setting;
}

const FORM =
  'write server.N=HOST:QUORUMPORT:ELECTIONPORT[:participant|observer][;[[HOST:]CLIENTPORT][;[HOST:]SECURECLIENTPORT]]';

/** Session ids hold the number of the server in one byte, and with 255 in it an owner is no session but a time to live. */
export const isServerId = (id: number): boolean => id >= 1 && id <= 254;

/**
 * Reads `server.N=host:quorum:election[:role][|…][;[client][;secureClient]]`; refuses what ZooKeeper refuses, and ids that no server can have
 * unless `anyId`. @throws ConfigError
 */
export function parseServerLine(setting: Setting, multiAddress: boolean, anyId = false): ServerLine {
  const { key, value, from } = setting;
  const fail = (what: string, remedy = FORM): never => {
    throw new ConfigError(`${key}=${value} ${what}`, remedy, { key, from });
  };
  const idText = key.slice('server.'.length);
  const id = Number(idText);
  const isId = anyId ? /^[+-]?\d+$/.test(idText) : /^\d{1,3}$/.test(idText) && isServerId(id);
  if (!isId) fail('has no server id from 1 to 254', FORM);
  const [members = '', client, secureClient, ...more] = value.split(';');
  if (more.length > 0) fail('has more than two places for clients');

  const quorum: Address[] = [];
  const election: Address[] = [];
  let role: 'participant' | 'observer' | undefined;
  const addresses = members.split('|');
  if (addresses.length > 1 && !multiAddress) {
    fail('names several addresses', 'set multiAddress.enabled=true, or name one');
  }
  for (const each of addresses) {
    const parts = splitHost(each.trim());
    if (parts === undefined || parts.length < 3 || parts.length > 4) return fail('is not a server line');
    const [host = '', quorumPort = '', electionPort = '', given] = parts;
    if (host === '') fail('names no host');
    const first = portOf(quorumPort) ?? fail(`has no quorum port where ${quorumPort} stands`);
    const second = portOf(electionPort) ?? fail(`has no election port where ${electionPort} stands`);
    if (first === second) fail('uses one port twice', 'the quorum port and the election port must differ');
    quorum.push({ host, port: first });
    election.push({ host, port: second });
    if (given === undefined) continue; // the canonical form gives the role once, after the last address
    const word = given.trim().toLowerCase();
    if (word !== 'participant' && word !== 'observer') {
      return fail(`has an unknown role ${given}`, 'write participant or observer');
    }
    if (role !== undefined && role !== word) fail('gives its addresses different roles', 'give all of them one role');
    role = word;
  }
  return {
    ...{ id, quorum, election, role: role ?? 'participant', from: setting },
    ...{ client: clientOf(client, fail), secureClient: clientOf(secureClient, fail) },
  };
}

function clientOf(text: string | undefined, fail: (what: string) => never): Address | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const parts = splitHost(text.trim());
  const [host, port] = parts?.length === 1 ? ['0.0.0.0', parts[0]] : [parts?.[0], parts?.[1]];
  const number = portOf(port ?? '');
  if (host === undefined || host === '' || number === undefined || (parts?.length ?? 0) > 2) {
    return fail(`has no client address where ${text} stands`);
  }
  return { host, port: number };
}

/** Splits at colons, but not inside the brackets of an IPv6 address; undefined when a bracket stays open. */
function splitHost(text: string): string[] | undefined {
  if (!text.startsWith('[')) return text.split(':');
  const end = text.indexOf(']');
  if (end < 0 || (end + 1 < text.length && text[end + 1] !== ':')) return undefined;
  return end + 1 === text.length ? [text.slice(1, end)] : [text.slice(1, end), ...text.slice(end + 2).split(':')];
}

const portOf = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;

/** A host as it stands in canonical lines: IPv6 in brackets and in full, as Java writes it. */
export const showHost = (host: string): string => {
  const plain = host.includes(':') ? javaAddress(host) : host;
  return plain.includes(':') ? `[${plain}]` : plain;
};
/** Listens on, or stands for, every address of its machine. */
export const isAnyHost = (host: string): boolean => host === '0.0.0.0' || javaAddress(host) === '0:0:0:0:0:0:0:0';
/** Reaches this machine only. */
export const isLoopback = (host: string): boolean => {
  const plain = javaAddress(host);
  const bytes = ipBytes(plain);
  return plain === 'localhost' || plain === '0:0:0:0:0:0:0:1' || (bytes?.length === 4 && bytes[0] === 127);
};

/**
 * A server line as a member of a config record. Each of `addresses` is `host:quorumPort:electionPort`, `client` is
 * `host:port`, `host:port;host:port` or `;host:port` (the second by TLS), hosts as {@link showHost} gives them; sorted by host, as ZooKeeper does. Nobody's incarnation is known.
 */
export function memberOf(line: ServerLine): Member {
  const { id: sid, role, quorum, election, client, secureClient } = line;
  const shown = [client, secureClient].map((at) => (at === undefined ? '' : `${showHost(at.host)}:${at.port}`));
  const addresses = quorum
    .map(({ host, port }, i) => ({ host, text: `${showHost(host)}:${port}:${(election[i] as Address).port}` }))
    .sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0))
    .map(({ text }) => text);
  return {
    ...{ sid, role, incarnation: null, addresses },
    client: shown.join(';').replace(/;$/, '') || null,
  };
}

/** Where a member of a config record serves clients: plainly, and by TLS alone. */
export function clientsOf({ client }: Pick<Member, 'client'>): {
  readonly plain: Address | undefined;
  readonly secure: Address | undefined;
} {
  const [plain, secure] = (client ?? '').split(';').map((text): Address | undefined => {
    const [host, port] = splitHost(text) ?? [];
    const number = portOf(port ?? '');
    return host === undefined || number === undefined ? undefined : { host, port: number };
  });
  return { plain, secure };
}

/** Where a member of a config record listens for other servers. One of a server alone has no addresses. */
export function addressesOf({ addresses }: Pick<Member, 'addresses'>): {
  readonly quorum: readonly Address[];
  readonly election: readonly Address[];
} {
  const parts = addresses.map((text) => splitHost(text) ?? []);
  const at = (which: 1 | 2): Address[] =>
    parts.flatMap((part) => {
      const port = portOf(part[which] ?? '');
      return part[0] === undefined || port === undefined ? [] : [{ host: part[0], port }];
    });
  return { quorum: at(1), election: at(2) };
}

import { ConfigError, type Setting } from './config-text.ts';

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
  readonly from: Setting;
}

const FORM = 'write server.N=HOST:QUORUMPORT:ELECTIONPORT[:participant|observer][;[HOST:]CLIENTPORT]';

/** Reads `server.N=host:quorum:election[:role][|…][;client]`; refuses what ZooKeeper refuses. */
export function parseServerLine(setting: Setting, multiAddress: boolean): ServerLine {
  const { key, value, from } = setting;
  const fail = (what: string, remedy = FORM): never => {
    throw new ConfigError(`${key}=${value} ${what}`, remedy, { key, from });
  };
  const idText = key.slice('server.'.length);
  const id = Number(idText);
  if (!/^\d{1,3}$/.test(idText) || id < 1 || id > 255) fail('has no server id from 1 to 255', FORM);
  const [members = '', client, ...more] = value.split(';');
  if (more.length > 0) fail('names a secure client port', 'leave out what follows the second semicolon');

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
    const [host = '', quorumPort = '', electionPort = '', given = 'participant'] = parts;
    const first = portOf(quorumPort) ?? fail(`has no quorum port where ${quorumPort} stands`);
    const second = portOf(electionPort) ?? fail(`has no election port where ${electionPort} stands`);
    if (first === second) fail('uses one port twice', 'the quorum port and the election port must differ');
    const word = given.toLowerCase();
    if (word !== 'participant' && word !== 'observer') {
      return fail(`has an unknown role ${given}`, 'write participant or observer');
    }
    if (role !== undefined && role !== word) fail('gives its addresses different roles', 'give all of them one role');
    role = word;
    quorum.push({ host, port: first });
    election.push({ host, port: second });
  }
  return { id, quorum, election, role: role ?? 'participant', client: clientOf(client, fail), from: setting };
}

function clientOf(text: string | undefined, fail: (what: string) => never): Address | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const parts = splitHost(text.trim());
  const [host, port] = parts?.length === 1 ? ['0.0.0.0', parts[0]] : [parts?.[0], parts?.[1]];
  const number = portOf(port ?? '');
  if (host === undefined || number === undefined || (parts?.length ?? 0) > 2) {
    return fail(`has no client address where ${text} stands`);
  }
  return { host, port: number };
}

/** Splits at colons, but not inside the brackets of an IPv6 address; undefined when a bracket stays open. */
function splitHost(text: string): string[] | undefined {
  if (!text.startsWith('[')) return text.split(':');
  const end = text.indexOf(']');
  if (end < 0 || (end + 1 < text.length && text[end + 1] !== ':')) return undefined;
  return [text.slice(1, end), ...text.slice(end + 2).split(':')];
}

const portOf = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;

import { pathFault } from '../base/path.ts';

/** A server as the user named it; resolved to addresses at each attempt. */
export interface Server {
  readonly host: string;
  readonly port: number;
}

/** What a connect string says. `chroot` is '' or a valid path that is put before every path. */
export interface ConnectString {
  readonly servers: readonly Server[];
  readonly chroot: string;
}

/** A connect string that cannot be understood; the message names the part and what would be right. */
export class ConnectStringError extends Error {
  override readonly name = 'ConnectStringError';
  readonly code = 'ConnectStringError';
}

export const DEFAULT_PORT = 2181;
const MAX_SERVERS = 1000;

/** `host:port`, with brackets around an IPv6 address. */
export const showServer = ({ host, port }: Server): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/**
 * Reads `host[:port][,host[:port]...][/chroot]`. Ports default to 2181; IPv6 addresses stand in brackets.
 * @throws ConnectStringError
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/');
  const hosts = (slash < 0 ? text : text.slice(0, slash)).trim();
  const chroot = slash < 0 ? '' : text.slice(slash).trim();
  if (hosts === '') throw new ConnectStringError(`'${text}' names no server; write host:port, e.g. 127.0.0.1:2181`);
  const names = hosts.split(',');
  if (names.length > MAX_SERVERS) throw new ConnectStringError(`more than ${MAX_SERVERS} servers`);
  const servers = names.map((name) => parseServer(name.trim(), text));
  if (chroot === '' || chroot === '/') return { servers, chroot: '' };
  const fault = pathFault(chroot);
  if (fault !== undefined) throw new ConnectStringError(`chroot '${chroot}': ${fault}`);
  return { servers, chroot };
}

function parseServer(name: string, whole: string): Server {
  if (name === '') throw new ConnectStringError(`'${whole}' has an empty place between commas`);
  if (name.startsWith('[')) {
    const close = name.indexOf(']');
    if (close < 0) throw new ConnectStringError(`'${name}': the bracket of the IPv6 address is not closed`);
    const host = name.slice(1, close);
    const rest = name.slice(close + 1);
    if (!host.includes(':')) throw new ConnectStringError(`'${name}': only IPv6 addresses stand in brackets`);
    if (rest === '') return { host, port: DEFAULT_PORT };
    if (!rest.startsWith(':')) throw new ConnectStringError(`'${name}': after the bracket only :port may follow`);
    return { host, port: parsePort(rest.slice(1), name) };
  }
  const colon = name.indexOf(':');
  if (colon < 0) return { host: checkHost(name), port: DEFAULT_PORT };
  if (name.indexOf(':', colon + 1) >= 0)
    throw new ConnectStringError(`'${name}': write an IPv6 address in brackets, [address]:port`);
  return { host: checkHost(name.slice(0, colon)), port: parsePort(name.slice(colon + 1), name) };
}

function checkHost(host: string): string {
  if (host === '') throw new ConnectStringError('a port without a host; write host:port');
  if (/[\s@\\?#]/.test(host)) throw new ConnectStringError(`'${host}' is not a host name`);
  return host;
}

function parsePort(digits: string, name: string): number {
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65535) throw new ConnectStringError(`'${name}': the port is a number from 1 to 65535`);
  return port;
}

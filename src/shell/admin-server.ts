/** ZooKeeper's AdminServer: the same answers as four-letter words, over HTTP, where those are not allowed. */

import { isIPv6 } from 'node:net';
import { isDigestScheme } from '../base/digest-schemes.ts';
import type { Credential } from '../client/api.ts';
import type { Server } from '../client/connect-string.ts';
import { usage } from './failure.ts';

/** `admin.serverPort` of a server that was not told another. */
export const ADMIN_PORT = 8080;
const ANSWER_MS = 2000;

/** @throws Failure (2) */
export function adminPortOf(port: number | undefined): number {
  if (port === undefined) return ADMIN_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usage(`--admin-port is from 1 to 65535, not ${port}`);
  return port;
}

export interface AdminReply {
  readonly values: Readonly<Record<string, unknown>>;
  /** Its clock when it answered, as HTTP tells it: ms since 1970, to the second; undefined: it does not say. */
  readonly date: number | undefined;
}

/** What asking needs of a command: who asks, and until when. */
export interface Asking {
  readonly signal: AbortSignal;
  readonly session: { readonly credentials: readonly Credential[] };
}

/** What it answers to a word, without the frame around it. Undefined: there is none, or it does not say. */
export async function adminAnswer(
  word: string,
  server: Server,
  port: number,
  asking: Asking,
): Promise<AdminReply['values'] | undefined> {
  const reply = await adminReply(word, server, port, asking);
  return reply === 'refused' ? undefined : reply?.values;
}

/** The same, and when that was by its clock. `refused`: it tells this only to those who log in. */
export async function adminReply(
  word: string,
  server: Server,
  port: number,
  { signal, session }: Asking,
): Promise<AdminReply | 'refused' | undefined> {
  const first = await asked(word, server, port, signal);
  // by plain HTTP a password leaves this machine for nobody
  const logins = first === 'refused' && isLoopback(server.host) ? session.credentials : [];
  for (const { scheme, auth } of logins) {
    if (!isDigestScheme(scheme)) continue;
    const reply = await asked(word, server, port, signal, `${scheme} ${Buffer.from(auth).toString()}`);
    if (reply !== 'refused') return reply;
  }
  return first;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.[\d.]+$/.test(host);

async function asked(
  word: string,
  { host }: Server,
  port: number,
  signal: AbortSignal,
  login?: string,
): Promise<AdminReply | 'refused' | undefined> {
  const address = isIPv6(host) ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${address}:${port}/commands/${word}`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      redirect: 'error',
      ...(login !== undefined && { headers: { authorization: login } }),
    });
    if (response.status === 401 || response.status === 403) return 'refused';
    if (!response.ok) return undefined;
    const date = Date.parse(response.headers.get('date') ?? '');
    // session ids do not fit into a number
    const text = (await response.text()).replace(/("session_id"\s*:\s*)(-?\d+)/g, '$1"$2"');
    const { command, error, ...values } = JSON.parse(text) as Record<string, unknown>;
    if (typeof command !== 'string' || error !== null) return undefined;
    return { values, date: Number.isNaN(date) ? undefined : date };
  } catch {
    signal.throwIfAborted();
    return undefined; // nobody there, or somebody else
  }
}

/** Names and values one below the other; what is inside others is named after them: `a.b`. */
export function flattened(values: Readonly<Record<string, unknown>>, above = ''): [string, string][] {
  return Object.entries(values).flatMap(([name, value]): [string, string][] => {
    const own = above === '' ? name : `${above}.${name}`;
    return value !== null && typeof value === 'object'
      ? flattened(value as Record<string, unknown>, own)
      : [[own, value === null ? '-' : String(value)]];
  });
}

import { isDigestScheme } from '../base/digest-schemes.ts';
import { KEEPER_CODES } from '../base/errors.ts';
import type { Reader } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import { type AuthOptions, authenticate } from './auth.ts';
import type { ClientConnection } from './connection.ts';
import type { Outbox } from './outbox.ts';
import { claimedScheme, claimedUser, type RefusedLogin } from './refused-login.ts';
import { begin, finish, header } from './reply.ts';
import { SaslLogin } from './sasl-login.ts';

const { AuthFailed, SessionClosedRequireAuth } = KEEPER_CODES;

/** What a login needs of the server. */
export interface LoginContext {
  readonly outbox: Outbox;
  readonly options: { readonly auth: AuthOptions };
  random(count: number): Uint8Array;
  /** Whoever is between here and this address could read a password that came from there. */
  readInClear(ip: string): void;
  /** A login proved nothing. */
  refuseLogin(login: RefusedLogin): void;
  /** Ends a connection after the bytes it is owed. */
  end(connection: ClientConnection): void;
}

const told = ({ ip, session }: ClientConnection, scheme: string | null, user: string | undefined): RefusedLogin => ({
  door: 'client',
  ip,
  session: session === 0n ? undefined : session,
  scheme: scheme === null ? undefined : claimedScheme(scheme),
  user,
});

/** A credential, as `addauth` sends it. */
export function logIn(server: LoginContext, connection: ClientConnection, xid: number, from: Reader): void {
  const { outbox, options } = server;
  const to = outbox.to(connection);
  let proved: readonly { scheme: string; id: string }[] | undefined;
  let scheme: string | null = null;
  let user: string | undefined;
  try {
    const credential = OPERATIONS.auth.request.read(from);
    const { auth } = credential;
    scheme = credential.scheme;
    proved = authenticate(scheme, auth as Buffer | null, connection.ip, options.auth, connection.secure);
    if (scheme !== null) user = claimedUser(scheme, auth);
  } catch (fault) {
    if (!(fault instanceof ProtocolError)) throw fault;
  }
  const isProved = proved !== undefined && connection.prove(proved);
  header(to, xid, 0, 0, isProved ? 0 : AuthFailed);
  outbox.sent(connection);
  if (!isProved) {
    server.refuseLogin(told(connection, scheme, user));
    connection.refused = true;
    return server.end(connection);
  }
  if (scheme !== null && isDigestScheme(scheme) && !connection.secure) server.readInClear(connection.ip);
}

/** One token of a login by SASL; without users to log in as, nothing is said and the client goes on. */
export function logInBySasl(server: LoginContext, connection: ClientConnection, xid: number, from: Reader): void {
  const { outbox, options } = server;
  const { sasl, enforced } = options.auth;
  let reply: Buffer | null = null;
  let err = 0;
  if (sasl !== undefined) {
    let token: Uint8Array | null;
    try {
      token = OPERATIONS.sasl.request.read(from).token;
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      return server.end(connection);
    }
    connection.sasl ??= new SaslLogin();
    const step = connection.sasl.step(token, sasl, (count) => server.random(count));
    reply = step.reply;
    const compulsory = enforced?.has('sasl') === true;
    const failed = step.failed || !connection.prove(step.proved);
    if (failed) server.refuseLogin(told(connection, 'sasl', step.claimed));
    if (failed && (compulsory || !sasl.allowFailed)) err = compulsory ? SessionClosedRequireAuth : AuthFailed;
  }
  const to = outbox.to(connection);
  const at = begin(to, xid, 0, 0, err);
  to.buffer(reply);
  finish(to, at);
  outbox.sent(connection);
  if (err === 0) return;
  connection.refused = true;
  server.end(connection);
}

import { showCount } from '../base/counts.ts';
import { KeeperError, reasonOf } from '../base/errors.ts';
import { ConnectError, MultiError, RequestError } from '../client/api.ts';
import { ConnectStringError } from '../client/connect-string.ts';
import type { Risk } from './command.ts';
import { EXIT_OF_KEEPER, type ExitCode, UNKNOWN_OUTCOME } from './exit-codes.ts';
import { deciderOf, isOfLarge } from './failed-request.ts';
import { largeReplyOf } from './large-reply.ts';

export interface FailureDetails {
  /** What to do about it, one line. */
  readonly hint?: string | undefined;
  readonly path?: string | undefined;
  /** Further lines shown as they are: one per host that could not be reached. */
  readonly lines?: readonly string[];
  readonly cause?: unknown;
  /** It was told where it happened, and needs no second telling. */
  readonly told?: boolean;
}

/** Why a line did not do what it says: an exit code, a code for programs, one sentence, at most one hint. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exit: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;
  readonly path: string | undefined;
  readonly lines: readonly string[];
  readonly told: boolean;
  constructor(exit: ExitCode, code: string, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.exit = exit;
    this.code = code;
    this.hint = details.hint;
    this.path = details.path;
    this.lines = details.lines ?? [];
    this.told = details.told === true;
  }
}

/** The line cannot be read as it stands; nothing was sent. */
export const usage = (message: string, hint?: string): Failure => new Failure(2, 'Usage', message, { hint });

/** The first of several that were told as they came: it ends what went on behind them. */
export const toldAlready = ({ exit, code, message }: Failure): Failure =>
  new Failure(exit, code, message, { told: true });

/** A safety rule says no. */
export const refused = (message: string, hint: string, path?: string): Failure =>
  new Failure(30, 'Refused', `refused: ${message}`, { hint, path });

/** What makes a shell read-only, each of which may be it. */
export const READ_ONLY_HINT = "leave out --read-only, ZOOSH_READ_ONLY=1, or the profile's readOnly";

/** Under -n, for what changes something and cannot show what. */
export const cannotShow = (name: string): Failure =>
  refused(`a dry run cannot show what ${name} would do`, 'leave out -n, --dry-run');

/**
 * Anything thrown, as a failure with its exit code. `risk` is that of the command: a broken change has an unknown outcome, and
 * so has a command that breaks off after one of its changes was `lost`.
 */
export function failureOf(error: unknown, risk: Risk | 'lost' = 'read'): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof KeeperError) return keeperFailure(error, risk);
  if (error instanceof MultiError) {
    return new Failure(EXIT_OF_KEEPER[error.code], error.code, error.message, { path: error.path, cause: error });
  }
  if (error instanceof ConnectError) {
    const lines = error.hosts.map(({ host, reason }) => `${host}: ${reason}`);
    return new Failure(3, 'ConnectFailed', 'no server could be reached', {
      lines,
      hint: hintOf(error.hosts.map(({ reason }) => reason)),
      cause: error,
    });
  }
  if (error instanceof ConnectStringError) return usage(error.message, 'write host:port,host:port/chroot');
  if (isAbort(error)) {
    const hint =
      risk === 'lost' ? 'a change was under way, and may have been made: look before trying again' : undefined;
    return new Failure(130, 'Interrupted', 'interrupted', { cause: error, hint });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new Failure(70, 'Unexpected', `unexpected failure: ${text}`, {
    hint: 'this is a bug; --verbose prints where it happened',
    cause: error,
  });
}

const REACH: readonly (readonly [RegExp, string])[] = [
  [/TLS required/, '--tls, or tls of the profile, speaks TLS'],
  [/does not speak TLS/, 'leave out --tls, or name the port that speaks it'],
  [/^TLS: /, '--tls-ca, --tls-cert and --tls-key name the certificates'],
  [
    /is not serving/,
    'status HOST:PORT asks one whether it has a quorum; over TLS it may want a certificate: --tls-cert and --tls-key',
  ],
];
/** What to do where nobody could be reached. */
const hintOf = (reasons: readonly string[]): string =>
  REACH.find(([pattern]) => reasons.some((reason) => pattern.test(reason)))?.[1] ??
  'are they started, and is the address right? status HOST:PORT asks one of them';

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

function keeperFailure(error: KeeperError, risk: Risk | 'lost'): Failure {
  const path = error.path;
  if (error instanceof RequestError && error.fault === 'tooLarge')
    return new Failure(19, 'TooLarge', `too large for one request: ${error.message}`, { path, cause: error });
  const reply = largeReplyOf(error);
  if (risk !== 'read' && UNKNOWN_OUTCOME.has(error.code)) {
    return new Failure(6, error.code, `outcome unknown: ${reasonOf(error.code)}${path ? `: ${path}` : ''}`, {
      path,
      hint: isOfLarge(error)
        ? 'look at the node; a server hangs up on what is larger than its jute.maxbuffer, and its log says so'
        : reply !== undefined
          ? `look at the node; a reply of ${showCount(reply.bytes)} bytes was beyond --max-reply`
          : 'look at the node before trying again',
      cause: error,
    });
  }
  if (reply !== undefined)
    return new Failure(
      19,
      'ReplyTooLarge',
      `the reply is too large: ${showCount(reply.bytes)} bytes, and --max-reply is ${showCount(reply.limit)}${reply.path === undefined ? '' : `: ${reply.path}`}`,
      { path: reply.path, hint: `--max-reply ${sizeFor(reply.bytes)}, before the command, takes it`, cause: error },
    );
  const decider = deciderOf(error);
  if (error.code === 'NoAuth' && decider !== undefined)
    return new Failure(14, 'NoAuth', `not permitted by the ACL of ${decider}: ${path}`, {
      path,
      hint: HINTS.NoAuth,
      cause: error,
    });
  const broke = `the connection broke before a reply came${path === undefined ? '' : `: ${path}`}`;
  // of a read it is all the same whether it was done
  const message = error.code === 'ConnectionLoss' ? broke : error.message;
  return new Failure(EXIT_OF_KEEPER[error.code], error.code, message, {
    path,
    hint: HINTS[error.code],
    cause: error,
  });
}

/** A size that holds it, as one types it. */
const sizeFor = (bytes: number): string =>
  bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)}k` : `${Math.ceil(bytes / (1 << 20))}M`;

const HINTS: Partial<Record<KeeperError['code'], string>> = {
  NodeExists: 'set changes its data; put makes a node or changes it',
  InvalidAcl: 'auth: means who presented a password, which addauth does; a digest is user:hash, which acl digest makes',
  NoChildrenForEphemerals: 'create it beside the ephemeral node, or below a persistent one',
  QuotaExceeded: 'quota ls shows limits and what is used; setquota changes a limit',
  AuthFailed: 'the server does not take this credential, or does not know its scheme',
  SessionClosedRequireAuth: '--auth or the profile gives a credential from the beginning',
  ConnectionLoss: 'try again: a new connection is looked for',
  OperationTimeout: '--op-timeout or settings op-timeout gives it more time',
  ThrottledOp: 'try again in a moment',
  RequestTimeout: 'try again in a moment',
  SessionMoved: 'try again in a moment',
  SystemError: 'the log of the server says why',
  DataInconsistency: 'the log of the server says where',
  EphemeralOnLocalSession: 'with localSessionsUpgradingEnabled=true servers make such a session a global one',
  Unimplemented: '4lw srvr tells its version',
  ReconfigInProgress: 'try again when it is done; config shows the members',
  ReconfigDisabled: 'reconfigEnabled=true in the zoo.cfg of every server allows it',
  NewConfigNoQuorum: 'start the new members first; status shows who is up',
  UnknownSession: 'the next command begins a new session',
  NotEmpty: 'deleteall deletes a node and all below it',
  NoAuth: 'addauth presents a credential; whoami shows those of this session',
  BadVersion: 'it has another version now; stat shows which',
  NotReadOnly: 'the server has lost its quorum; it only answers reads',
  Closing: 'nothing was sent; connect begins a new session',
  SessionExpired: 'the next command begins a new session; ephemeral nodes of the old one are gone',
  NoWatcher: 'watches lists those there are',
};

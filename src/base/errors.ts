/** Every way an operation can be refused. The numbers are ZooKeeper's, so they can cross the wire. */
export const KEEPER_CODES = {
  SystemError: -1,
  RuntimeInconsistency: -2,
  DataInconsistency: -3,
  ConnectionLoss: -4,
  MarshallingError: -5,
  Unimplemented: -6,
  OperationTimeout: -7,
  BadArguments: -8,
  UnknownSession: -12,
  NewConfigNoQuorum: -13,
  ReconfigInProgress: -14,
  ApiError: -100,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidCallback: -113,
  InvalidAcl: -114,
  AuthFailed: -115,
  Closing: -116,
  Nothing: -117,
  SessionMoved: -118,
  NotReadOnly: -119,
  EphemeralOnLocalSession: -120,
  NoWatcher: -121,
  RequestTimeout: -122,
  ReconfigDisabled: -123,
  SessionClosedRequireAuth: -124,
  QuotaExceeded: -125,
  ThrottledOp: -127,
} as const;
export type KeeperCode = keyof typeof KEEPER_CODES;

const REASONS = {
  SystemError: 'the server failed',
  RuntimeInconsistency: 'not tried, since another part of the transaction failed',
  DataInconsistency: 'the server found its data inconsistent',
  ConnectionLoss: 'the connection broke before a reply came; it may or may not have been done',
  MarshallingError: 'the server could not read the request',
  Unimplemented: 'this server does not offer that operation',
  OperationTimeout: 'no answer in time',
  BadArguments: 'the arguments are not valid',
  UnknownSession: 'the session is not known',
  NewConfigNoQuorum: 'no quorum of the new configuration is connected and up to date',
  ReconfigInProgress: 'another reconfiguration is in progress',
  ApiError: 'the request was refused',
  NoNode: 'node does not exist',
  NoAuth: 'not permitted by the ACL',
  BadVersion: 'the version given is not the current one',
  NoChildrenForEphemerals: 'an ephemeral node cannot have children',
  NodeExists: 'node already exists',
  NotEmpty: 'node has children',
  SessionExpired: 'the session has expired',
  InvalidCallback: 'invalid callback',
  InvalidAcl: 'the ACL is not valid',
  AuthFailed: 'authentication failed',
  Closing: 'the client is closing',
  Nothing: 'nothing to process',
  SessionMoved: 'the session moved to another server',
  NotReadOnly: 'a server in read-only mode cannot change anything',
  EphemeralOnLocalSession: 'a local session cannot own ephemeral nodes',
  NoWatcher: 'no such watch',
  RequestTimeout: 'the request timed out',
  ReconfigDisabled: 'reconfiguration is disabled on this server',
  SessionClosedRequireAuth: 'the server requires authentication',
  QuotaExceeded: 'a quota is exceeded',
  ThrottledOp: 'the server is overloaded and dropped the request',
} as const satisfies Record<KeeperCode, string>; // a new code does not compile without its reason

const BY_NUMBER = new Map<number, KeeperCode>(
  (Object.entries(KEEPER_CODES) as [KeeperCode, number][]).map(([name, number]) => [number, name]),
);

/** The name of a wire error code; unknown numbers become SystemError, since other servers may invent some. */
export const codeOfNumber = (number: number): KeeperCode => BY_NUMBER.get(number) ?? 'SystemError';

/** What a code means, for people. */
export const reasonOf = (code: KeeperCode): string => REASONS[code];

/** A refusal the caller can act on. `code` is stable and for programs; the message is for people and may change. */
export class KeeperError extends Error {
  override readonly name = 'KeeperError';
  readonly code: KeeperCode;
  readonly path: string | undefined;
  constructor(code: KeeperCode, path?: string, options?: ErrorOptions) {
    super(path === undefined ? REASONS[code] : `${REASONS[code]}: ${path}`, options);
    this.code = code;
    this.path = path;
  }
  /** ZooKeeper's number of the code. */
  get number(): number {
    return KEEPER_CODES[this.code];
  }
}

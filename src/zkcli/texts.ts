/** What zkCli prints: usage, errors, events. */
import { type KeeperCode, KeeperError } from '../base/errors.ts';
import { ConnectError, type WatchEvent } from '../client/api.ts';

/** Whose texts: those of 3.8.0 or of 3.10. */
export type ZkVersion = '3.8' | '3.10';

/** Every command with its usage; where the versions differ, 3.8 first. */
const USAGE: Readonly<Record<string, string | readonly [string | undefined, string]>> = {
  addWatch:
    'addWatch [-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE',
  addauth: 'addauth scheme auth',
  close: 'close ',
  config: 'config [-c] [-w] [-s]',
  connect: 'connect host:port',
  create: 'create [-s] [-e] [-c] [-t ttl] path [data] [acl]',
  delete: 'delete [-v version] path',
  deleteall: 'deleteall path [-b batch size]',
  delquota: 'delquota [-n|-b|-N|-B] path',
  exit: [undefined, 'exit '],
  get: ['get [-s] [-w] path', 'get [-s] [-w] [-b] [-x] path'],
  getAcl: 'getAcl [-s] path',
  getAllChildrenNumber: 'getAllChildrenNumber path',
  getEphemerals: 'getEphemerals path',
  history: 'history ',
  listquota: 'listquota path',
  ls: 'ls [-s] [-w] [-R] path',
  printwatches: 'printwatches on|off',
  quit: 'quit ',
  reconfig:
    'reconfig [-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
  redo: 'redo cmdno',
  removewatches: 'removewatches path [-c|-d|-a] [-l]',
  set: ['set [-s] [-v version] path data', 'set path data [-s] [-v version] [-b]'],
  setAcl: 'setAcl [-s] [-v version] [-R] path acl',
  setquota: 'setquota -n|-b|-N|-B val path',
  stat: 'stat [-w] path',
  sync: 'sync path',
  version: 'version ',
  whoami: 'whoami ',
};

/** Lines below the usage of a command that is called wrongly, since 3.9.3. */
const OPTION_LISTS: Readonly<Record<string, readonly string[]>> = {
  get: [
    ' -b   Output data in base64 format',
    ' -s   Print znode stats additionally',
    ' -w   Watch for changes on the znode',
    ' -x   Output data in hexdump format',
    '',
  ],
  set: [
    ' -b         Supply data in base64 format',
    ' -s         Print znode stats additionally',
    ' -v <arg>   Set with an expected version',
    '',
  ],
};

/** Usage of a command; undefined when that version has none of the name. */
export function usageLine(name: string, version: ZkVersion): string | undefined {
  const said = Object.hasOwn(USAGE, name) ? USAGE[name] : undefined;
  if (said === undefined || typeof said === 'string') return said;
  return said[version === '3.8' ? 0 : 1];
}

/** What a wrong call prints. */
export function usageText(name: string, version: ZkVersion): string {
  const list = version === '3.8' ? [] : (OPTION_LISTS[name] ?? []);
  return [usageLine(name, version) ?? name, ...list].join('\n');
}

/** All commands, as an unknown one prints them. */
export function usageOfAll(version: ZkVersion): string {
  const lines = Object.keys(USAGE).flatMap((name) => usageLine(name, version) ?? []);
  return [
    'ZooKeeper -server host:port -client-configuration properties-file cmd args',
    ...lines.map((line) => `\t${line}`),
  ].join('\n');
}

/** Java's names of the codes, where they are not ours. */
const CODE_TEXTS: Partial<Record<KeeperCode, string>> = {
  NewConfigNoQuorum: 'NewConfigNoQuorum',
  InvalidAcl: 'InvalidACL',
  NotEmpty: 'Directory not empty',
  NoWatcher: 'No such watcher',
  SessionExpired: 'Session expired',
  SessionMoved: 'Session moved',
  InvalidCallback: 'Invalid callback',
  NotReadOnly: 'Not a read-only call',
  EphemeralOnLocalSession: 'Ephemeral node on local session',
  ReconfigDisabled: 'Reconfig is disabled',
  RequestTimeout: 'RequestTimeout',
  SessionClosedRequireAuth: 'Session closed because client failed to authenticate',
  QuotaExceeded: 'Quota has exceeded',
  ThrottledOp: 'Op throttled due to high load',
  NoChildrenForEphemerals: 'NoChildrenForEphemerals',
  Closing: 'Session expired',
};

/** `KeeperErrorCode = NoNode for /x`. */
export const javaMessage = (code: KeeperCode, path: string | undefined): string =>
  `KeeperErrorCode = ${CODE_TEXTS[code] ?? code}${path === undefined || path === '' ? '' : ` for ${path}`}`;

/** Errors with a sentence of their own; the path follows. */
const SENTENCES: Partial<Record<KeeperCode, string>> = {
  NoNode: 'Node does not exist: ',
  NoChildrenForEphemerals: 'Ephemerals cannot have children: ',
  NodeExists: 'Node already exists: ',
  NotEmpty: 'Node not empty: ',
  NotReadOnly: 'Not a read-only call: ',
  InvalidAcl: 'Acl is not valid : ',
  NoAuth: 'Insufficient permission : ',
  BadArguments: 'Arguments are not valid : ',
  BadVersion: 'version No is not valid : ',
  QuotaExceeded: 'Quota has exceeded : ',
};

/** The sentence on standard error. `path`: that of the command. */
export function errorText(error: unknown, path: string | undefined, version: ZkVersion): string {
  if (error instanceof ConnectError) return javaMessage('ConnectionLoss', path);
  if (!(error instanceof KeeperError)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'ReconfigInProgress')
    return 'Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)';
  if (error.code === 'NewConfigNoQuorum')
    return `No quorum of new config is connected and up-to-date with the leader of last ${version === '3.8' ? 'commmitted' : 'committed'} config - try invoking reconfiguration after new servers are connected and synced`;
  const sentence = SENTENCES[error.code];
  const where = error.path ?? path;
  return sentence === undefined ? javaMessage(error.code, where) : sentence + (where ?? '');
}

/** A block of an event on standard output. */
const block = (line: string): string => `\nWATCHER::\n\n${line}\n`;

export function eventText({ type, path, zxid }: WatchEvent, version: ZkVersion): string {
  const end = version === '3.8' ? '' : ` zxid: ${zxid ?? -1n}`;
  return block(`WatchedEvent state:SyncConnected type:${type} path:${path}${end}`);
}

export const sessionEventText = (state: string, version: ZkVersion): string =>
  block(`WatchedEvent state:${state} type:None path:null${version === '3.8' ? '' : ' zxid: -1'}`);

/** What Java says of a path that no server would take; undefined for a good one. */
export function pathFaultText(path: string, isSequential = false): string | undefined {
  const text = isSequential ? `${path}1` : path;
  if (text === '') return 'Path length must be > 0';
  if (!text.startsWith('/')) return 'Path must start with / character';
  if (text.length > 1 && text.endsWith('/')) return 'Path must not end with / character';
  let reason: string | undefined;
  let at = 1;
  for (; at < text.length && reason === undefined; at++) {
    const [before, unit, next] = [text[at - 1], text[at] as string, text[at + 1]];
    const code = unit.charCodeAt(0);
    const ends = next === undefined || next === '/';
    if (code === 0) reason = `null character not allowed @${at}`;
    else if (unit === '/' && before === '/') reason = `empty node name specified @${at}`;
    else if (unit === '.' && ends && (before === '/' || (before === '.' && text[at - 2] === '/')))
      reason = `relative paths not allowed @${at}`;
    else if (code < 0x20 || (code > 0x7e && code < 0xa0) || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0)
      reason = `invalid character @${at}`;
  }
  return reason === undefined ? undefined : `Invalid path string "${path}" caused by ${reason}`;
}

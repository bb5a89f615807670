import { isUint8Array } from 'node:util/types';
import { type Acl, type Credential, type OpOptions, RequestError } from './api.ts';

/**
 * What a program without types may hand to the client in place of what is declared. Each check is passed by the right kind at the
 * cost of one comparison, and refuses what is left before anything is queued: a frame cannot be written from it.
 */

/** The kind of a value in words; never the value, which may be somebody's secret. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return 'text';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = value.constructor?.name ?? '';
  return name === '' || name === 'Object' ? 'an object' : `${/^(?:[AEIO]|U(?!int))/.test(name) ? 'an' : 'a'} ${name}`;
}

/** Refuses an argument: which one, what is taken, what came. */
export function refuse(name: string, wanted: string, came: unknown, path?: unknown, shown = kindOf(came)): never {
  throw new RequestError('invalid', `${name}: ${wanted} is wanted, not ${shown}`, textOrNone(path));
}
const textOrNone = (path: unknown): string | undefined => (typeof path === 'string' ? path : undefined);

/** Bytes, whichever realm they are from. */
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array || isUint8Array(value);

/** Data as bytes; text becomes UTF-8. @throws RequestError */
export function bytesOf(data: unknown, path?: string): Uint8Array | null {
  if (typeof data === 'string') return Buffer.from(data);
  if (data === null || isBytes(data)) return data;
  return refuse('data', 'text, bytes (a Uint8Array) or null', data, path);
}

/** @throws RequestError when it cannot be presented, whatever the server says */
export function checkCredential({ scheme, auth }: Credential): void {
  if (typeof scheme !== 'string') refuse('scheme', 'text', scheme);
  if (typeof auth !== 'string' && !isBytes(auth)) refuse('auth', 'text or bytes (a Uint8Array)', auth);
}

/** A number as it is; of everything else the kind. */
const numberOrKind = (value: unknown): string => {
  if (typeof value === 'number') return String(value);
  return typeof value === 'bigint' ? `${value}n` : kindOf(value);
};

/** @throws RequestError when it is none of the words */
export function refuseWord(name: string, words: readonly string[], came: unknown, path?: unknown): never {
  const shown = typeof came === 'string' ? JSON.stringify(came.slice(0, MOST_SHOWN)) : kindOf(came);
  return refuse(name, `one of ${words.join(', ')}`, came, path, shown);
}
const MOST_SHOWN = 40;

/** Version, permissions: what the wire has 32 bits for. @throws RequestError */
export function checkInt32(name: string, value: unknown, path?: unknown): void {
  if (typeof value !== 'number' || (value | 0) !== value)
    refuse(name, 'an integer of 32 bits', value, path, numberOrKind(value));
}
/** The version of a change that is no part of a multi. @throws RequestError */
export function versionOf(version: number, path: string): number {
  checkInt32('version', version, path);
  return version;
}
/** @throws RequestError */
export function checkText(name: string, value: unknown, path?: unknown): void {
  if (typeof value !== 'string') refuse(name, 'text', value, path);
}
/** @throws RequestError */
export function checkFunction(name: string, value: unknown, path?: unknown): void {
  if (typeof value !== 'function') refuse(name, 'a function', value, path);
}
/** @throws RequestError */
export function checkObject(name: string, value: unknown, path?: unknown): void {
  if (typeof value !== 'object' || value === null) refuse(name, 'an object', value, path);
}
/** @throws RequestError unless it is true, false or left out */
export function checkFlag(name: string, value: unknown, path?: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') refuse(name, 'true or false', value, path);
}

/** What every operation takes beside its own options. @throws RequestError */
export function checkOptions(options: OpOptions | null, path?: unknown): void {
  if (options === null) return;
  checkObject('options', options, path);
  const { signal, maxRequestBytes: most } = options;
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
    refuse('signal', 'an AbortSignal', signal, path);
  if (most !== undefined && !(typeof most === 'number' && most > 0))
    refuse('maxRequestBytes', 'a number above 0', most, path, numberOrKind(most));
}

/** ACL entries as the wire has them. @throws RequestError */
export function wireAcl(acl: readonly Acl[], path: string): { perms: number; id: { scheme: string; id: string } }[] {
  if (!Array.isArray(acl)) refuse('acl', 'a list of { perms, scheme, id }', acl, path);
  return acl.map((entry, at) => {
    const where = `acl: entry ${at + 1}`;
    if (typeof entry !== 'object' || entry === null) refuse(where, '{ perms, scheme, id }', entry, path);
    const { perms, scheme, id } = entry;
    checkInt32(`${where}: perms`, perms, path);
    checkText(`${where}: scheme`, scheme, path);
    checkText(`${where}: id`, id, path);
    return { perms, id: { scheme, id } };
  });
}

/** A change of the members as the wire has it. @throws RequestError */
export function wireReconfig(change: { joining?: string; leaving?: string; members?: string; version?: bigint }) {
  checkObject('change', change);
  const textOf = (name: 'joining' | 'leaving' | 'members'): string | null => {
    const text = change[name] ?? null;
    if (text !== null) checkText(name, text);
    return text;
  };
  const version = change.version ?? -1n;
  if (typeof version !== 'bigint' || BigInt.asIntN(64, version) !== version)
    refuse('version', 'a bigint of 64 bits', version, undefined, numberOrKind(version));
  return {
    joiningServers: textOf('joining'),
    leavingServers: textOf('leaving'),
    newMembers: textOf('members'),
    curConfigId: version,
  };
}

/** What `make` makes of each of several operations; what it refuses is told with the number of the operation, from 1. */
export function eachOperation<O, T>(ops: readonly O[], make: (op: O) => T): T[] {
  if (!Array.isArray(ops)) refuse('ops', 'a list', ops);
  const all: T[] = [];
  try {
    for (const op of ops) {
      if (typeof op !== 'object' || op === null)
        throw new RequestError('invalid', `an object is wanted, not ${kindOf(op)}`, undefined);
      all.push(make(op));
    }
  } catch (error) {
    if (error instanceof RequestError) error.message = `operation ${all.length + 1}: ${error.message}`;
    throw error;
  }
  return all;
}

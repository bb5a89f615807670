import { isUint8Array } from 'node:util/types';
import { type Credential, RequestError } from './api.ts';

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

/** Runs a check of one operation of several: what it refuses is told with its number, from 1. */
export function ofOperation<T>(at: number, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof RequestError) error.message = `operation ${at + 1}: ${error.message}`;
    throw error;
  }
}

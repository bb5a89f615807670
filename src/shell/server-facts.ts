import { parseConnectString } from '../client/connect-string.ts';
import type { FourLetterOptions } from '../client/four-letter.ts';
import { isForbidden, statusIn } from './members.ts';

/** What a server says of itself to whoever asks. */
export interface ServerFacts {
  /** `host:port` */
  readonly server: string;
  /** `leader`, `follower`, `observer`, `standalone`, `read-only`; undefined: it does not say. */
  readonly role: string | undefined;
  /** `3.8.0` */
  readonly version: string | undefined;
}

const ANSWER_MS = 1000;

/** Asks a server with the word srvr, without a session. Undefined when it does not answer or may not. */
export async function factsOf(
  server: string,
  word: (word: string, options: FourLetterOptions) => Promise<string>,
): Promise<ServerFacts | undefined> {
  const [at] = parseConnectString(server).servers;
  if (at === undefined) return undefined;
  try {
    const answer = await word('srvr', { ...at, timeoutMs: ANSWER_MS });
    if (isForbidden(answer)) return undefined;
    const { role, version } = statusIn(answer, '');
    return { server, role, version };
  } catch {
    return undefined;
  }
}

/** Whether a version is that one or a later one; false for what is no version. */
export function isAtLeast(version: string | undefined, major: number, minor: number): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  if (first === undefined) return false;
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}

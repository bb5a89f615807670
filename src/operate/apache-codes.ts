import { DataDirError } from '../runtime/start.ts';
import { StartError } from '../runtime/start-error.ts';
import { ConfigError } from '../server/config-text.ts';

/** Exit codes of Apache's server: what a script that calls it by its name switches on. */
const UNEXPECTED = 1;
const INVALID = 2;
const NO_DATA_DIR = 3;
const NO_QUORUM_PORT = 14;

/** The exit code that Apache's server has for what ended ours. */
export function apacheCode(error: unknown): number {
  // 3.8 and newer find out late that nobody lists the server, and call it unexpected
  if (error instanceof ConfigError)
    return error.key === 'myid' && /no line server\.\d/.test(error.message) ? UNEXPECTED : INVALID;
  if (error instanceof DataDirError) return NO_DATA_DIR;
  if (error instanceof StartError) {
    if (error.exitCode === 43) return INVALID;
    if (/\(server\.\d+\)/.test(error.message)) return NO_QUORUM_PORT;
    // an address for clients is looked up while zoo.cfg is read there
    return /does not resolve/.test(error.message) ? INVALID : UNEXPECTED;
  }
  return UNEXPECTED;
}

const SENTENCES: ReadonlyMap<number, string> = new Map([
  [INVALID, 'Invalid config'],
  [NO_DATA_DIR, 'Unable to access datadir'],
]);
/** What Apache's server says on standard error before anything else, for scripts that look for it. */
export const apacheSentence = (code: number): string =>
  `${SENTENCES.get(code) ?? 'Unexpected exception'}, exiting abnormally\n`;

import { createHash } from 'node:crypto';
import { explainStart, UsageError } from './start-failures.ts';

const USAGE = `usage: zoosh digest USER:PASSWORD...
Prints USER:PASSWORD->USER:HASH, as DigestAuthenticationProvider of Apache ZooKeeper does: the right side is what an ACL of the
scheme digest holds, and DigestAuthenticationProvider.superDigest. In a shell of many users  acl digest USER  asks instead.`;

/** `zoosh digest ...`. Returns the exit code. */
export function runDigest(args: readonly string[]): number {
  try {
    if (args.includes('--help') || args.includes('-h')) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    if (args.length === 0) throw new UsageError('digest: USER:PASSWORD is missing');
    for (const text of args) if (!text.includes(':')) throw new UsageError(`digest: ${text} is no USER:PASSWORD`);
    for (const text of args) process.stdout.write(`${text}->${text.slice(0, text.indexOf(':'))}:${hashOf(text)}\n`);
    return 0;
  } catch (error) {
    return explainStart(error, USAGE);
  }
}
const hashOf = (text: string): string => createHash('sha1').update(text).digest('base64');

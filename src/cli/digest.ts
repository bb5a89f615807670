import { createHash } from 'node:crypto';
import { DIGEST_HASHES } from '../base/digest-schemes.ts';
import { meant } from './options.ts';
import { explainStart, UsageError } from './start-failures.ts';
import { showUsage } from './width.ts';

const USAGE = `usage: zoosh digest [--sha256] USER:PASSWORD...
Prints USER:PASSWORD->USER:HASH, as DigestAuthenticationProvider of Apache ZooKeeper does: the right side is what an ACL of the
scheme digest holds, and DigestAuthenticationProvider.superDigest. At the prompt, acl digest USER asks for it unseen.
--sha256: for the scheme digest256, and digest256.superDigest.`;

/** `zoosh digest ...`. Returns the exit code. */
export function runDigest(args: readonly string[]): number {
  try {
    if (args.includes('--help') || args.includes('-h')) {
      showUsage(USAGE);
      return 0;
    }
    const scheme = args.includes('--sha256') ? 'digest256' : 'digest';
    const logins = args.filter((text) => text !== '--sha256');
    if (logins.length === 0) throw new UsageError('digest: USER:PASSWORD is missing');
    for (const text of logins)
      if (!text.includes(':'))
        throw new UsageError(
          text.startsWith('--')
            ? `unknown option ${text}${meant(text, ['sha256'])}`
            : `digest: ${text} is not USER:PASSWORD`,
        );
    for (const text of logins)
      process.stdout.write(`${text}->${text.slice(0, text.indexOf(':'))}:${hashOf(text, scheme)}\n`);
    return 0;
  } catch (error) {
    return explainStart(error, USAGE);
  }
}
const hashOf = (text: string, scheme: string): string =>
  createHash(DIGEST_HASHES[scheme] ?? '')
    .update(text)
    .digest('base64');

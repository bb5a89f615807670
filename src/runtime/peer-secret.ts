import { createHash, hkdfSync } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileWords } from '../base/file-words.ts';
import { isLoopback } from '../server/config-servers.ts';
import { ConfigError } from '../server/config-text.ts';
import { MAKE_SECRET, refuseOpenPeers } from '../server/config-trust.ts';

/** Bytes a secret has at least. */
export const LEAST_SECRET = 32;
const MAX_FILE = 4096;
/** Two, while one is being replaced. */
const MOST_SECRETS = 2;

/** A secret of the ensemble. Prints as `***`. */
export class PeerSecret {
  readonly #key: Buffer;
  /** Names this secret without telling it: 8 hexadecimal digits. */
  readonly id: string;
  constructor(secret: Uint8Array) {
    if (secret.length < LEAST_SECRET) throw new RangeError(`a secret of ${secret.length} bytes`);
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'zoosh peer secret', 32));
    this.id = createHash('sha256').update('zoosh peer secret id').update(this.#key).digest('hex').slice(0, 8);
  }
  /** The key that both ends must hold, 32 bytes. */
  key(): Buffer {
    return this.#key;
  }
  toString(): string {
    return '***';
  }
  toJSON(): string {
    return '***';
  }
}

/** How servers know each other. */
export type PeerTrust =
  | { readonly kind: 'secret'; readonly secrets: readonly PeerSecret[]; readonly warnings: readonly string[] }
  | { readonly kind: 'plain'; readonly warnings: readonly string[] };

/**
 * Decides how the servers at `hosts` (those of every member, this one's own included) trust each other, reading
 * `secretFile` if there is one: base64, one secret a line, two while one is replaced; lines that begin with # are skipped.
 * @throws ConfigError (43) when servers beyond loopback would take anyone's word, or the file is of no use
 */
export async function peerTrust(options: {
  readonly hosts: readonly string[];
  readonly secretFile: string | undefined;
  readonly insecure: boolean;
}): Promise<PeerTrust> {
  const { hosts, secretFile, insecure } = options;
  if (secretFile !== undefined) return readSecrets(secretFile);
  refuseOpenPeers(hosts, false, insecure);
  if (hosts.every(isLoopback)) return { kind: 'plain', warnings: [] };
  return {
    kind: 'plain',
    warnings: [
      `peer.insecure=true: whoever reaches the peer ports of this server can join the ensemble and change its data`,
    ],
  };
}

async function readSecrets(file: string): Promise<PeerTrust> {
  const fail = (what: string, remedy = `make one with \`${MAKE_SECRET}\``): never => {
    throw new ConfigError(`peer.secretFile=${file} ${what}`, remedy, { key: 'peer.secretFile' });
  };
  let bytes: Buffer;
  let mode: number;
  try {
    const found = await stat(file);
    if (!found.isFile() || found.size > MAX_FILE) return fail('is no file of secrets');
    mode = found.mode;
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return fail(`cannot be read: ${fileWords(error)}`);
  }
  if ((mode & 0o022) !== 0) fail('can be written by others than its owner', `chmod 600 ${file}`);
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0 || lines.length > MOST_SECRETS) return fail(`holds ${lines.length} secrets, not one or two`);
  const secrets = lines.map((line) => {
    const secret = Buffer.from(line, 'base64');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(line)) return fail('is not base64, one secret a line');
    if (secret.length < LEAST_SECRET)
      return fail(`holds a secret of ${secret.length} bytes; at least ${LEAST_SECRET} are needed`);
    return new PeerSecret(secret);
  });
  const warnings = (mode & 0o044) === 0 ? [] : [`peer.secretFile=${file} can be read by others than its owner`];
  return { kind: 'secret', secrets, warnings };
}

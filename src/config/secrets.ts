import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileWords } from '../base/file-words.ts';

/** A secret cannot be had; the message says which and why, never what it is. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Tells whether `text` says where a secret is instead of being one. */
export const isReference = (text: string): boolean => /^(?:env|file|cmd):/.test(text);

/**
 * The secret behind `env:VAR`, `file:F` (last newline taken off) or `cmd:CMD` (run by the shell, 30 s at most); other
 * text is the secret itself.
 * @throws SecretError
 */
export function revealSecret(text: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const [kind, rest] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  if (!isReference(text)) return text;
  if (kind === 'env') {
    const value = env[rest];
    if (value === undefined || value === '')
      throw new SecretError(`the environment variable ${rest} is not set`, `export ${rest}=... before zoosh starts`);
    return value;
  }
  try {
    const found =
      kind === 'file'
        ? readFileSync(rest, 'utf8')
        : execFileSync('/bin/sh', ['-c', rest], {
            encoding: 'utf8',
            timeout: 30_000,
            stdio: ['ignore', 'pipe', 'inherit'],
          });
    return found.replace(/\r?\n$/, '');
  } catch (error) {
    const { code, status } = error as NodeJS.ErrnoException & { status?: number };
    throw new SecretError(
      kind === 'file'
        ? `${rest} cannot be read: ${fileWords(error)}`
        : `the command for a credential failed (${status ?? code}): ${rest}`,
    );
  }
}

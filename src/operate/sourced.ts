import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from './settings.ts';

/** Files of the configuration folder that Apache's scripts, and Debian's, run within themselves. */
export const SOURCED = ['environment', 'zookeeper-env.sh', 'java.env'];
const DEADLINE_MS = 10_000;

/**
 * The environment after the shell files of a configuration folder: each is run by the shell, as ZooKeeper's scripts do, and
 * what it sets counts, exported or not. Without such files the environment as it is. `failed` says what a file complained of.
 */
export function sourcedEnv(configDir: string, env: Env): { readonly env: Env; readonly failed: readonly string[] } {
  const failed: string[] = [];
  let now = env;
  for (const name of SOURCED) {
    const file = join(configDir, name);
    if (!existsSync(file)) continue;
    // the files are written for bash; what they print is not for us
    const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';
    const ran = spawnSync(shell, ['-c', 'set -a; . "$1" >&2; env -0', 'sh', file], {
      env: now as NodeJS.ProcessEnv,
      encoding: 'utf8',
      timeout: DEADLINE_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (ran.status !== 0 || ran.error !== undefined) {
      failed.push(
        `${file} fails: ${ran.error?.message ?? (ran.stderr.trim().split('\n').at(-1) || `status ${ran.status}`)}`,
      );
      continue;
    }
    now = Object.fromEntries(
      ran.stdout
        .split('\0')
        .filter((line) => line.includes('='))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }
  return { env: now, failed };
}

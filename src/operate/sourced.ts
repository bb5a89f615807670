import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Env } from './settings.ts';

/** Files of the configuration folder that Apache's scripts, and Debian's, run within themselves. */
const SOURCED = ['environment', 'zookeeper-env.sh', 'java.env'];
/** What Debian's zookeeperd reads behind `environment`, for the configuration of the system alone. */
const DEBIAN = { configDir: '/etc/zookeeper/conf', defaults: '/etc/default/zookeeper' };
const DEADLINE_MS = 10_000;

/**
 * The environment after the shell files of a configuration folder: each is run by the shell, as ZooKeeper's scripts do, and
 * what it sets counts, exported or not. Without such files the environment as it is. `failed` says what a file complained of.
 */
export function sourcedEnv(
  configDir: string,
  env: Env,
  system: typeof DEBIAN = DEBIAN,
): { readonly env: Env; readonly failed: readonly string[] } {
  const failed: string[] = [];
  const files = SOURCED.map((name) => join(configDir, name));
  if (resolve(configDir) === system.configDir) files.splice(1, 0, system.defaults);
  let now = env;
  for (const file of files) {
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

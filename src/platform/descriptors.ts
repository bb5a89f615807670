import { readFileSync } from 'node:fs';

let most: number | undefined;
/** Files and sockets that this process may have open at once (RLIMIT_NOFILE); undefined where the system does not say. */
export function mostDescriptors(): number | undefined {
  try {
    most ??= Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
  return Number.isNaN(most) ? undefined : most;
}

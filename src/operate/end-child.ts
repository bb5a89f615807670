import type { ChildProcess } from 'node:child_process';

/** How long one that was told to end may take before it is killed, ms. */
const GRACE_MS = 2000;

/** Ends a process that this one started, by SIGTERM first; resolves once it is gone. */
export function endChild(child: ChildProcess, graceMs = GRACE_MS): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

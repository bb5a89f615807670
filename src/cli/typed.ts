import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** So long is waited for `ps`, ms. */
const PS_MS = 2000;

let isTyped: boolean | undefined;

/**
 * Whether a person typed this: standard input and error are terminals, and a job-control shell started us, so that this
 * process leads its own group. A script's children belong to the script's group.
 */
export function isTypedByPerson(): boolean {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  // where neither tells, as on Windows, the terminal has to do as evidence
  isTyped ??= (groupInProc() ?? groupByPs() ?? process.pid) === process.pid;
  return isTyped;
}

/** Number of this process's group; undefined where there is no /proc. */
export const groupInProc = (): number | undefined => statOf()?.[2];
/** Behind the name of the program: state, parent, group, session, terminal, the group in its foreground. */
function statOf(): readonly number[] | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return undefined;
  }
}
/** The terminal is another job's, `top &`: who changes it is stopped. Where that cannot be told it is ours. */
export function isInBackground(): boolean {
  const [, , group, , , foreground] = statOf() ?? [];
  return group !== foreground;
}

/** The same by a program that systems without /proc have; undefined where it is not. */
export function groupByPs(): number | undefined {
  const { stdout, status } = spawnSync('ps', ['-o', 'pgid=', '-p', String(process.pid)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: PS_MS,
  });
  const group = /^\s*(\d+)\s*$/.exec(stdout ?? '');
  return status !== 0 || group === null ? undefined : Number(group[1]);
}

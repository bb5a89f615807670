import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';

/** What a program gets to end in once its parent is gone, s. */
const GRACE_S = 1;

/** In the environment of a program on a leash: which. */
const VARIABLE = 'ZOOSH_LEASH';

/**
 * Reads from the parent: the number of the program, then a word, and all is well; the end without one, and the parent was
 * killed. Then the program and all below it are told to end, and killed after the grace. Processes are found in /proc, or by
 * ps where there is none. A parent that was killed before it could say the number may have begun the program: where there
 * is /proc it is known by its environment ($1).
 */
const WATCH = `
trap '' HUP INT QUIT TERM
read -r first && read -r word && exit 0
all() {
  if [ -r /proc/self/stat ]; then
    for stat in /proc/[0-9]*/stat; do
      { read -r line < "$stat"; } 2>/dev/null || continue
      pid=\${stat#/proc/}
      rest=\${line##*) }
      set -- $rest
      echo "$2 \${pid%/stat}"
    done
  else
    ps -A -o ppid= -o pid=
  fi
}
below() {
  all | while read -r parent pid; do
    if [ "$parent" = "$1" ]; then echo "$pid"; below "$pid"; fi
  done
}
left=${GRACE_S}0
while [ -z "$first" ] && [ "$left" -gt 0 ]; do
  for environ in $(grep -ls "$1" /proc/[0-9]*/environ); do
    pid=\${environ#/proc/}
    first="$first \${pid%/environ}"
  done
  [ -n "$first" ] || sleep 0.1 || sleep 1
  left=$((left - 1))
done
found=
for pid in $first; do found="$found $pid $(below "$pid")"; done
[ -n "$found" ] || exit 0
kill -TERM $found
left=${GRACE_S}0
while [ "$left" -gt 0 ] && kill -0 $found; do sleep 0.1 || sleep 1; left=$((left - 1)); done
kill -KILL $found
`;

/** A program that ends with this process, however that ends. */
export interface ChildLeash {
  /** Stands in the environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** It has begun; undefined: it could not. */
  holds(pid: number | undefined): void;
  /** It has ended by itself. */
  free(): void;
}

/**
 * Watches over a program that is about to begin, from a process of its own, so that it ends with this one even when that is
 * killed. The program itself knows nothing of it: its streams, its group and its terminal are what they were.
 */
export function makeLeash(): ChildLeash {
  if (process.platform === 'win32') return { env: {}, holds() {}, free() {} };
  const mark = randomUUID();
  const { [VARIABLE]: _, ...env } = process.env; // it is on no leash itself
  const watcher = spawn('/bin/sh', ['-c', WATCH, 'sh', `${VARIABLE}=${mark}`], {
    cwd: '/',
    env,
    // signals of the terminal are for the program, not for who watches it
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {}); // without it the program is as it was
  watcher.stdin.on('error', () => {});
  watcher.unref();
  return {
    env: { [VARIABLE]: mark },
    holds: (pid) => void (pid === undefined ? watcher.stdin.end('0\nfree\n') : watcher.stdin.write(`${pid}\n`)),
    free: () => void watcher.stdin.end('free\n'),
  };
}

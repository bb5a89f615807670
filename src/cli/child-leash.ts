import { spawn } from 'node:child_process';

/** What a program gets to end in once its parent is gone, s. */
const GRACE_S = 1;

/**
 * Reads from the parent: a word, and all is well; the end without one, and the parent was killed. Then the program ($1) and
 * all below it are told to end, and killed after the grace. Processes are found in /proc, or by ps where there is none.
 */
const WATCH = `
trap '' HUP INT QUIT TERM
read -r word && exit 0
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
found="$1 $(below "$1")"
kill -TERM $found
left=${GRACE_S}0
while [ "$left" -gt 0 ] && kill -0 $found; do sleep 0.1 || sleep 1; left=$((left - 1)); done
kill -KILL $found
`;

/** A program that ends with this process, however that ends. */
export interface ChildLeash {
  /** It has ended by itself. */
  free(): void;
}

/**
 * Watches over a program from a process of its own, so that it ends with this one even when that is killed. The program
 * itself knows nothing of it: its streams, its group and its terminal are what they were.
 */
export function leashChild(pid: number | undefined): ChildLeash {
  if (pid === undefined || process.platform === 'win32') return { free() {} };
  const watcher = spawn('/bin/sh', ['-c', WATCH, 'sh', String(pid)], {
    cwd: '/',
    // signals of the terminal are for the program, not for who watches it
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {}); // without it the program is as it was
  watcher.stdin.on('error', () => {});
  watcher.unref();
  return { free: () => void watcher.stdin.end('free\n') };
}

import { spawnSync } from 'node:child_process';

/** Namespaces of a user where users have them, else those of root. */
const NAMESPACES = spawnSync('unshare', ['-Urm', 'true']).status === 0 ? '-Urm' : '-m';
/** A command of a member whose data directory is a small file system of its own; no root is needed where users have namespaces. */
export const onSmallDisk = (id: number, folder: string, command: readonly string[], mb = 8): string[] => [
  'unshare',
  NAMESPACES,
  'sh',
  '-c',
  `mount -t tmpfs -o size=${mb}m tmpfs "$1" && echo ${id} > "$1/myid" && shift && exec "$@"`,
  'sh',
  folder,
  ...command,
];

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** Where Linux tells of control groups. */
const LINUX = { own: '/proc/self/cgroup', root: '/sys/fs/cgroup' };

/** Files with limits of version 2 and of version 1, whose groups lie below a folder of the controller's name. */
const LIMITS = { v2: ['memory.max', 'memory.high'], v1: ['memory.limit_in_bytes'] };

const textIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return ''; // no such group, or none that may be read: it limits nothing that is known
  }
};

/**
 * The least limit on memory of the control group of this process and of those above it (a pod's, a slice's), bytes;
 * undefined where nothing is limited. A container that sees only its own group has it at the root.
 */
export function groupLimit({ own, root }: typeof LINUX = LINUX): number | undefined {
  let least: number | undefined;
  for (const line of textIn(own).split('\n')) {
    const [, controllers, path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined) continue;
    const isV1 = controllers.split(',').includes('memory');
    if (!isV1 && controllers !== '') continue;
    const top = isV1 ? join(root, 'memory') : root;
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; depth--)
      for (const name of isV1 ? LIMITS.v1 : LIMITS.v2) {
        const text = textIn(join(top, ...parts.slice(0, depth), name));
        if (/^\d+$/.test(text)) least = Math.min(least ?? Number.POSITIVE_INFINITY, Number(text));
      }
  }
  return least;
}

/** What the system, or a control group, lets this process have, bytes. Node knows its own group alone, and some soft limits besides. */
export function systemMemory(limit = groupLimit()): number {
  const all = totalmem();
  return Math.min(limit ?? all, process.constrainedMemory() || all, all);
}

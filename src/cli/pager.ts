/** Long results for people go through a pager, so that their beginning is seen. */
import { spawn } from 'node:child_process';
import type { TerminalHolder } from './ask.ts';

/** What to run: `ZOOSH_PAGER`, `PAGER`, else less; undefined when the user wants none. */
export function pagerOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const said = env.ZOOSH_PAGER ?? (env.PAGER || undefined);
  if (said === undefined) return 'less -FRX';
  return said === '' || said === 'cat' ? undefined : said;
}

/** Shows `bytes` through `command`; false when it could not be run. The terminal is its own meanwhile. */
export function page(command: string, bytes: Uint8Array, holder: TerminalHolder | undefined): Promise<boolean> {
  holder?.pause();
  return new Promise<boolean>((resolve) => {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'] });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code !== 127 && code !== 126));
    child.stdin.on('error', () => {}); // whoever has seen enough leaves
    child.stdin.end(bytes);
  }).finally(() => holder?.resume());
}

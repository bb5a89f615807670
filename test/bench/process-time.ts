/** How long programs take from the start of their process to its end. */
import { spawn } from 'node:child_process';

/** ms. */
export async function timeOf(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  await new Promise<void>((resolve, reject) =>
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')} ended with ${code}`)))),
  );
  return performance.now() - began;
}

export const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1] as number;

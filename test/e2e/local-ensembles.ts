import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockPorts, isFree } from '../../src/ensemble/ports.ts';
import type { EnsembleView } from '../../src/shell/ensembles.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { BIN, type Ran, zoosh } from './cli.ts';

/** A user's files of its own for the tests of one file; its ensembles are destroyed at the end. */
export const home = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
/** What programs take for the system's temporary folder. */
export const temporary = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
export const env = { ZOOSH_HOME: home, TMPDIR: temporary };
/** Where the ensembles of that user lie. */
export const folder = join(home, 'data', 'ensembles');
after(async () => {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) await run('-y', 'ensemble', 'destroy', name);
  for (const each of [home, temporary]) rmSync(each, { recursive: true, force: true });
});
export const run = (...args: string[]): Promise<Ran> => zoosh(args, '', env);
export async function good(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  assert.equal(code, 0, `zoosh ${args.join(' ')}: ${stderr}`);
  return stdout;
}
/** What a member that is slow to answer, or has just been succeeded, keeps from being done. */
const PASSES = /has no \w+(?: \w+)? now|no answer in \d+ ms/;
/** As `good`, and again while it cannot be done yet. */
export const insist = (...args: string[]): Promise<string> =>
  until(`zoosh ${args.join(' ')} can be done`, async () => {
    const { code, stdout, stderr } = await run(...args);
    if (code !== 0 && PASSES.test(stderr)) return undefined;
    assert.equal(code, 0, `zoosh ${args.join(' ')}: ${stderr}`);
    return { stdout };
  }).then(({ stdout }) => stdout);
export const view = async (name: string): Promise<EnsembleView> => {
  const { stdout, stderr } = await run('-o', 'json', 'ensemble', 'status', name, '--digest');
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as EnsembleView;
};
export async function until<T>(
  what: string | (() => string),
  look: () => Promise<T | undefined | false>,
  ms = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    // looked at once more when it is too late: this process may have stood still, and all it waited for be there
    if (performance.now() > end) {
      const late = await look();
      if (late !== undefined && late !== false) return late;
      throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(100);
  }
}
export const allEqual = (name: string): Promise<EnsembleView> =>
  until('all members are up, whole, and follow one leader with one digest', async () => {
    const found = await view(name);
    const digests = new Set(found.members.map(({ digest }) => digest));
    const isWhole = found.members.every(({ state, repair }) => state === 'up' && repair === undefined);
    return isWhole && found.quorum && found.serving === found.voters && digests.size === 1 && found;
  });
export const base = (): Promise<number> => ownBlock('127.0.0.1', 10);
export async function portsFree(first: number, count: number): Promise<void> {
  for (const port of blockPorts(first, count)) await until(`port ${port} is free`, () => isFree('127.0.0.1', port));
}
/** Starts the binary and leaves it running; `out` and `err` fill up. */
export function begin(args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off', LANG: 'C.UTF-8', ...env },
  });
  const text = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    text.out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text.err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, text, ended };
}

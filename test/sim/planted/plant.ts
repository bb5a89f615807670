import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Planted } from './patches.ts';

const DIST = fileURLToPath(new URL('../../../', import.meta.url));

/** The text with the mistake in it. @throws when the place is not there, or there twice */
export function patched({ id, file, find, put }: Omit<Planted, 'about'>): string {
  const text = readFileSync(join(DIST, 'src', file), 'utf8');
  // layout does not count
  const words = find.trim().split(/\s+/);
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g');
  const found = text.match(pattern)?.length ?? 0;
  if (found !== 1) throw new Error(`${id}: its place stands ${found} times in ${file}`);
  return text.replace(pattern, () => put);
}

export interface Found {
  readonly found: boolean;
  readonly text: string;
}
function run(script: string, args: readonly string[]): Promise<Found> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ found: code !== 0, text })));
}

/** A copy of what was compiled, into which one mistake after another is put. */
export class Copy implements Disposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'zoosh-planted-'));
  /** `parts` of what was compiled. */
  constructor(parts: readonly string[] = ['src', 'test/sim']) {
    for (const part of parts) cpSync(join(DIST, part), join(this.folder, 'dist', part), { recursive: true });
    // it runs what is not bundled, so that mistakes are in it
    mkdirSync(join(this.folder, 'bin'));
    const main =
      "import { main } from '../dist/src/cli/main.js';\nprocess.exitCode = await main(process.argv.slice(2));\n";
    writeFileSync(join(this.folder, 'bin/zoosh.js'), main);
    for (const whole of ['node_modules', 'test']) symlinkSync(join(DIST, '..', whole), join(this.folder, whole));
    writeFileSync(join(this.folder, 'package.json'), readFileSync(join(DIST, '../package.json')));
  }
  private path(file: string): string {
    return join(this.folder, 'dist', file);
  }
  private async with<T>(bug: Omit<Planted, 'about'>, use: () => Promise<T>): Promise<T> {
    const target = this.path(`src/${bug.file}`);
    writeFileSync(target, patched(bug));
    try {
      return await use();
    } finally {
      writeFileSync(target, readFileSync(join(DIST, 'src', bug.file)));
    }
  }
  /** Runs a script of the copy, with the mistake in it. Whether it found something, and what it said. */
  async look(bug: Omit<Planted, 'about'>, script: string, args: readonly string[]): Promise<Found> {
    return this.with(bug, () => run(this.path(script), args));
  }
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

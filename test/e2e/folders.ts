/** Folders of tests, and what an Apache server left in one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenFiles } from '../apache/memory-disk.ts';

/** Gone when disposed. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  in(...names: readonly string[]): string {
    return join(this.path, ...names);
  }
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The data directory of an Apache server in `into`, all of its files but as `change` has them. Returns `into`. */
export function apacheData(into: string, change: (files: Map<string, Buffer>) => void = () => {}): string {
  const files = goldenFiles();
  files.delete('dump.json');
  change(files);
  mkdirSync(join(into, 'version-2'), { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(into, 'version-2', name), bytes);
  return into;
}

/** Curator: Debian's jars, and programs of ours that are compiled against them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const JARS = [
  'curator-recipes',
  'curator-framework',
  'curator-client',
  'zookeeper',
  'zookeeper-jute',
  'guava',
  'slf4j-api',
  'slf4j-nop',
];

/** A folder with the classes of sources in test/interop; gone when disposed. */
export class CuratorProgram implements Disposable {
  readonly #classes = mkdtempSync(join(tmpdir(), 'zoosh-curator-'));
  /** The class path: what was compiled, and Curator. */
  get paths(): string {
    return [this.#classes, ...JARS.map((name) => `/usr/share/java/${name}.jar`)].join(':');
  }
  compile(...sources: readonly string[]): void {
    const files = sources.map((name) => `test/interop/${name}.java`);
    const words = ['-nowarn', '-Xlint:-deprecation', '-d', this.#classes, '-cp', this.paths, ...files];
    execFileSync('javac', words, { stdio: 'inherit' });
  }
  [Symbol.dispose](): void {
    rmSync(this.#classes, { recursive: true, force: true });
  }
}

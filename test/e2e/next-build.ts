/** A build that pretends to be another version: a copy of what was compiled, with higher numbers in it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patched } from '../sim/planted/plant.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where a number stands, and what it is raised to. */
export interface Raised {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}
/** It speaks one feature level more, and the present one still. */
export const SPEAKS_MORE: readonly Raised[] = [
  {
    file: 'records/peer-frame.js',
    find: 'export const PEER_LEVEL = 4;',
    put: 'export const PEER_LEVEL = 5;',
  },
];
/** It speaks the next level only. */
export const SPEAKS_NEXT_ONLY: readonly Raised[] = [
  ...SPEAKS_MORE,
  { file: 'runtime/peer-hello.js', find: 'export const LEAST_LEVEL = 1;', put: 'export const LEAST_LEVEL = 5;' },
];
/** It is of before there were local sessions: their requests are nothing to it. */
export const SPEAKS_FIRST: readonly Raised[] = [
  {
    file: 'records/peer-frame.js',
    find: 'export const PEER_LEVEL = 4;',
    put: 'export const PEER_LEVEL = 1;',
  },
  { file: 'records/peer-messages.js', find: 'LOCALREQUEST: { code: 58, fields: requestFields },', put: '' },
];
/** It writes what the present one cannot read, once an operator has said that there is no way back. */
export const WRITES_NEXT: Readonly<Record<string, Raised>> = {
  identity: {
    file: 'storage/identity.js',
    find: 'export const IDENTITY_FORMAT = 1;',
    put: 'export const IDENTITY_FORMAT = 2;',
  },
  log: { file: 'records/log-record.js', find: 'export const LOG_FORMAT = 1;', put: 'export const LOG_FORMAT = 2;' },
  snapshot: { file: 'storage/snapshot-format.js', find: 'const FORMAT = 1;', put: 'const FORMAT = 2;' },
  state: { file: 'tree/snapshot.js', find: 'const FORMAT = 2;', put: 'const FORMAT = 3;' },
  transaction: { file: 'records/txns.js', find: 'export const FORMAT = 1;', put: 'export const FORMAT = 2;' },
};

export class NextBuild implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'zoosh-next-'));
  constructor(version: string, raised: readonly Raised[]) {
    cpSync(join(ROOT, 'dist/src'), join(this.folder, 'dist/src'), { recursive: true });
    for (const each of raised)
      writeFileSync(join(this.folder, 'dist/src', each.file), patched({ id: each.put, ...each }));
    mkdirSync(join(this.folder, 'bin'));
    writeFileSync(
      join(this.folder, 'bin/zoosh.js'),
      "import { main } from '../dist/src/cli/main.js';\nprocess.exitCode = await main(process.argv.slice(2));\n",
    );
    const about = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify({ ...about, version }));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
  }
  get bin(): string {
    return join(this.folder, 'bin/zoosh.js');
  }
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

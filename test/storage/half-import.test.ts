/** A directory beside which an import has not ended is never served as an empty tree. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../src/platform/disk.ts';
import { openStorage } from '../../src/storage/open.ts';

function place() {
  const root = mkdtempSync(join(tmpdir(), 'zoosh-half-'));
  const open = async (): Promise<void> => {
    const storage = await openStorage({
      ...{ disk: nodeDisk, dataDir: join(root, 'data'), logDir: join(root, 'log'), sid: 1, forceSync: false },
      ...{ random: { below: () => 0, bytes: (count) => randomBytes(count) }, zeroAheadBytes: 0 },
      ...{ ignoreApacheData: false, onSnapshotChunk: () => {}, onSnapshotEnd: () => {}, onEnvelope: () => {} },
    });
    await storage.close();
  };
  const make = (path: string): void => void mkdirSync(join(root, path), { recursive: true });
  return { root, open, make, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
const HALF =
  /zoosh-1\.importing is of an import or a restoration that is under way, or was cut off\. .*run that command again/;

test('a start beside a history that was not put in its place is refused', async () => {
  for (const path of ['data/zoosh-1.importing', 'data/zoosh-1.importing/zoosh-1', 'log/zoosh-1.importing/zoosh-1']) {
    using made = place();
    made.make('data');
    made.make('log');
    made.make(path);
    await assert.rejects(made.open(), HALF, path);
    rmSync(join(made.root, path.split('/').slice(0, 2).join('/')), { recursive: true });
    await made.open();
  }
});

test('what an import had not tidied up when its history was in its place refuses nothing', async () => {
  using made = place();
  made.make('data');
  made.make('log');
  await made.open();
  made.make('data/zoosh-1.importing');
  await made.open();
  made.make('log/zoosh-1.importing/zoosh-1');
  await assert.rejects(made.open(), HALF);
});

test('files of an Apache server with none of ours beside them are refused, with the command that imports them', async () => {
  using made = place();
  made.make('data/version-2');
  made.make('log');
  writeFileSync(join(made.root, 'data/version-2/snapshot.0'), '');
  await assert.rejects(made.open(), /zoosh import-apache \S+\/data imports it; to start with an empty tree/);
});

/** The disk port over node:fs, where it must not guess. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { DiskError } from '../../src/ports/disk.ts';
import { zoosh } from '../e2e/cli.ts';
import { ServerProcess } from '../e2e/process.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

test('what is not there is not there; what cannot be looked at is an error', async () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  symlinkSync('loop', join(home, 'loop'));
  assert.equal(await nodeDisk.exists(file), true);
  assert.equal(await nodeDisk.exists(join(home, 'none')), false);
  assert.equal(await nodeDisk.exists(join(home, 'none', 'none')), false);
  assert.equal(await nodeDisk.exists(join(file, 'none')), false);
  // root may look everywhere: a link to itself stands in for a folder that is not this user's, and for a disk that fails
  await assert.rejects(nodeDisk.exists(join(home, 'loop')), (error) => {
    assert.ok(error instanceof DiskError);
    assert.equal(error.message, `look at ${join(home, 'loop')}: its links lead in a circle (ELOOP)`);
    return true;
  });
});

test('a write that the system does in parts is whole, and one of which it does nothing fails', async () => {
  // what every importer of the module has, once it is told
  const fs = createRequire(import.meta.url)('node:fs') as { write: typeof import('node:fs').write };
  const { write } = fs;
  const path = join(home, 'parts');
  const file = await nodeDisk.open(path, { create: true });
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 255));
  let parts = 0;
  const inParts = (most: number) => {
    fs.write = ((fd: number, from: Uint8Array, at: number, length: number, to: number, done: never) => {
      parts++;
      write(fd, from, at, Math.min(length, most), to, done);
    }) as never;
    syncBuiltinESMExports();
  };
  try {
    inParts(700);
    await file.write(bytes, 3);
    assert.equal(parts, Math.ceil(bytes.length / 700));
    inParts(0);
    await assert.rejects(file.write(bytes, 0), { code: 'EIO' });
  } finally {
    fs.write = write;
    syncBuiltinESMExports();
  }
  await file.close();
  assert.deepEqual(readFileSync(path), Buffer.concat([Buffer.alloc(3), bytes]));
});

test('a log file that cannot be looked at is not taken for a lost one', async () => {
  await using server = await new ServerProcess().start();
  {
    await using client = await connect(server.hosts);
    await client.create('/kept');
  }
  assert.equal(await server.kill('SIGTERM'), 0);
  const data = join(server.folder, 'data');
  const ours = join(data, 'zoosh-1');
  const [log = ''] = readdirSync(ours).filter((name) => name.startsWith('log.'));
  mkdirSync(join(home, 'aside'));
  renameSync(join(ours, log), join(home, 'aside', log));
  symlinkSync(log, join(ours, log));
  const cannot = new RegExp(
    `the data directory cannot be used: look at \\S+/zoosh-1/${log}: .* \\(ELOOP\\)\\. Check that`,
  );
  await assert.rejects(
    server.start(),
    (error: Error) => /ended with 40/.test(error.message) && cannot.test(error.message),
  );
  const verified = await zoosh(['verify', data]);
  assert.match(verified.stdout + verified.stderr, /^UNREAD .*: its links lead in a circle$/m);
  rmSync(join(ours, log));
  renameSync(join(home, 'aside', log), join(ours, log));
  server.stderr = '';
  await server.start();
  await using client = await connect(server.hosts);
  assert.notEqual(await client.exists('/kept'), null);
});

/** What the tools of files say of files that are not what they are for, and of how sure they are. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zoosh } from './cli.ts';
import { apacheData, Folder } from './folders.ts';

const folder = new Folder();
after(() => folder[Symbol.dispose]());

test('of a log that was cut nobody knows what it lacks', async () => {
  const apache = folder.in('cut');
  apacheData(apache);
  const files = join(apache, 'version-2');
  const log = join(
    files,
    readdirSync(files)
      .filter((name) => name.startsWith('log.'))
      .sort()
      .at(-1) as string,
  );
  const size = readFileSync(log).findLastIndex((byte) => byte !== 0);
  truncateSync(log, size - 5);
  const cut = await zoosh(['verify', apache]);
  assert.match(
    cut.stdout,
    /that was never whole is left out; a server that is cut off while it writes leaves one that was acknowledged to nobody; a copy that was cut off may lack more\n/,
  );
  truncateSync(log, 0);
  const empty = await zoosh(['verify', apache]);
  assert.match(
    empty.stdout,
    /log\.[0-9a-f]+ is empty, as one is that was made just before its server ended; a copy may lack what is in it\n/,
  );
});

/** Where a process may not ask for the addresses of its machine (a service without AF_NETLINK, a strict seccomp profile). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isHere } from '../../src/commands/doctor-disk.ts';
import { readBeside } from '../../src/runtime/config-files.ts';
import { parseProperties } from '../../src/server/config.ts';

test('the name of the machine is left: by it a server line is still found, and what is elsewhere is not taken for here', (t) => {
  const refused = () => {
    throw Object.assign(new Error('uv_interface_addresses returned Unknown system error 97'), {
      code: 'ERR_SYSTEM_ERROR',
    });
  };
  t.mock.method(os, 'networkInterfaces', refused);
  syncBuiltinESMExports();
  const folder = mkdtempSync(join(os.tmpdir(), 'zoosh-test-'));
  try {
    const { here } = readBeside(parseProperties(`dataDir=${folder}\n`, 'zoo.cfg'));
    assert.deepEqual(here, [os.hostname().toLowerCase()]);
    assert.deepEqual(['localhost', os.hostname(), '10.1.2.3'].map(isHere), [true, true, false]);
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(folder, { recursive: true });
  }
});

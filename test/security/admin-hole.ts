/** CVE-2025-58457: who is given everything that a server holds. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupWriter } from '../../src/offline/backup-file.ts';
import { realClock } from '../../src/platform/clock.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { COMMANDS, startAdmin } from '../../src/runtime/admin/http.ts';
import { Control } from '../../src/runtime/control.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { PureWire } from './access/pure-wire.ts';

/** A right password, and whatever else may stand there. */
const SUPER = 'digest super:adminpass';
const NOBODY = [
  undefined,
  '',
  'digest',
  'digest mallory:x',
  'digest super:',
  'digest super:wrong',
  'digest super:xQJmxLMiHGwaqBvst5y6rkB6HQs=',
  'Digest super:adminpass',
  'digest super:adminpass x',
  'ip 127.0.0.1',
  'x509 CN=super',
  'world anyone',
  'auth super:adminpass',
  'super super:adminpass',
];
const WHAT = ['snapshot', 'snap', 'snapshot?streaming=true', 'restore', 'rest'];

/** Throws when somebody else gets it. */
export async function snapshotsForAdmins(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-cve-'));
  const wire = new PureWire();
  const { server } = wire.rig;
  const config = checkConfig(
    parseProperties(
      'dataDir=/data\nclientPort=1\nadmin.enableServer=true\nadmin.serverAddress=127.0.0.1\nadmin.serverPort=0\n',
      'zoo.cfg',
    ),
  );
  const file = join(folder, 'snapshot');
  writeFileSync(file, 'everything');
  let asked = 0;
  const snapshot = async () => {
    asked++;
    return { zxid: 1n, path: file, bytes: 10 };
  };
  const context = () => ({ server, config, snapshot, turn: () => {} });
  const admin = await startAdmin({
    ...{ config: config.admin, tls: undefined, health: { remark: undefined } as never },
    // whoever is turned away waits, which is not what this is about
    clock: { ...realClock, after: (_ms, run) => realClock.after(0, run) },
    context: context as never,
    cameInClear: () => {},
    logger: { info() {} },
  });
  const ask = async (what: string, authorization: string | undefined): Promise<[number, string]> => {
    const method = what.startsWith('rest') ? 'POST' : 'GET';
    const headers = { 'x-forwarded-for': '127.0.0.1', ...(authorization !== undefined && { authorization }) };
    const answer = await fetch(`http://127.0.0.1:${admin.port}/commands/${what}`, { method, headers });
    return [answer.status, await answer.text()];
  };
  try {
    for (const what of WHAT)
      for (const credentials of NOBODY) {
        const [status, text] = await ask(what, credentials);
        assert.ok(status === 401 || status === 403, `${what} by "${credentials}": ${status}`);
        assert.ok(!text.includes('everything'));
      }
    assert.equal(asked, 0);
    assert.deepEqual(await ask('snapshot', SUPER), [200, 'everything']);
    assert.equal((await ask('restore', SUPER))[0], 503);
    for (const { names, for: whom } of COMMANDS)
      if (names.some((name) => WHAT.includes(name))) assert.equal(whom, 'admins');
    // the other door, and the file that comes of it
    const path = join(folder, 'ctl');
    {
      await using _control = await Control.open(path, {} as never);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    }
    const mask = process.umask(0);
    try {
      const temp = join(folder, 'backup.tmp');
      const writer = await BackupWriter.create(nodeDisk, join(folder, 'backup'), temp);
      assert.equal(statSync(temp).mode & 0o777, 0o600);
      await writer.discard();
    } finally {
      process.umask(mask);
    }
  } finally {
    await admin.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

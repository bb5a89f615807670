import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../src/records/txns.ts';
import { readBeside } from '../../src/runtime/config-files.ts';
import { writeDynamicFile } from '../../src/runtime/dynamic-file.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { checkConfig, type EnsembleConfig, parseProperties } from '../../src/server/config.ts';

const config = (more: string[]): Config => ({
  members: [1, 2, 3].map((sid) => ({
    sid,
    role: 'participant' as const,
    incarnation: `i${sid}`,
    addresses: [`127.0.0.1:${20 + sid}:${30 + sid}`, ...more],
    client: `127.0.0.1:${40 + sid}`,
  })),
  maxTxnBytes: 1e6,
});

test('a member that wrote its files starts with them: same members, the version in the name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  try {
    const configFile = join(folder, 'zoo.cfg');
    const start = (): EnsembleConfig | undefined => {
      const settings = parseProperties(readFileSync(configFile, 'utf8'), configFile);
      return checkConfig(settings, readBeside(settings)).ensemble;
    };
    const first =
      `# ours\ndataDir=${folder}\ninitLimit=5\nsyncLimit=2\nclientPort=42\nclientPortAddress=127.0.0.1\n` +
      'server.1=127.0.0.1:21:31\nserver.2=127.0.0.1:22:32\nserver.3=127.0.0.1:23:33\n';
    writeFileSync(configFile, first);
    assert.throws(start, /myid is missing/);
    writeFileSync(join(folder, 'myid'), '2\n');
    assert.equal(start()?.linesVersion, 0n);

    await writeDynamicFile({ configFile, config: config([]), version: 0x100000001n, sid: 2 });
    const second = start();
    assert.equal(second?.linesVersion, 0x100000001n);
    assert.deepEqual(second?.own.client, { host: '127.0.0.1', port: 42 });
    assert.match(readFileSync(configFile, 'utf8'), /^# ours\n/);
    assert.equal(readFileSync(`${configFile}.bak`, 'utf8'), first);

    const later = { ...config([]), members: config([]).members.slice(0, 2) };
    await writeDynamicFile({ configFile, config: later, version: 0x200000007n, sid: 2 });
    assert.deepEqual([start()?.servers.length, start()?.linesVersion], [2, 0x200000007n]);
    assert.equal(readFileSync(`${configFile}.bak`, 'utf8'), first, 'what the operator wrote is kept');
    assert.deepEqual(readdirSync(folder).sort(), [
      ...['myid', 'zoo.cfg', 'zoo.cfg.bak', 'zoo.cfg.dynamic.100000001', 'zoo.cfg.dynamic.200000007'],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file beside zoo.cfg that cannot be read ends the start; one that is absent is for the check to judge', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-dynamic-'));
  try {
    const beside = (text: string, myid?: string) => readBeside(parseProperties(text, 'zoo.cfg'), myid);
    assert.deepEqual(beside(`dataDir=${folder}/none\ndynamicConfigFile=${folder}/none`), {
      myid: undefined,
      dynamic: undefined,
    });
    assert.throws(
      () => beside(`dynamicConfigFile=${folder}`),
      (error) => error instanceof StartError && error.exitCode === 43 && /EISDIR/.test(error.message),
    );
    assert.deepEqual(beside(`dataDir=${folder}`, '7').myid, { text: '7', from: { option: '--myid' } });
    writeFileSync(join(folder, 'myid'), '5');
    assert.deepEqual(beside(`zookeeper.dataDir=${folder}`).myid, {
      text: '5',
      from: { file: join(folder, 'myid'), line: 1 },
    });
    await assert.rejects(
      writeDynamicFile({ configFile: join(folder, 'zoo.cfg'), config: config([]), version: 1n, sid: 1 }),
      /ENOENT/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

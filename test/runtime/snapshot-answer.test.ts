/** Who asks for a snapshot is told whether there is one. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { type Disk, DiskError } from '../../src/ports/disk.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { ServerNode } from '../../src/runtime/node.ts';
import { REAL_PORTS } from '../../src/runtime/node-options.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

/** Its zxid as people write it. */
const taken = async (node: ServerNode): Promise<string> => `0x${(await node.snapshot()).zxid.toString(16)}`;

test('the zxid of a snapshot that was written, and the reason of one that was not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  let full = false;
  const disk: Disk = {
    ...REAL_PORTS.disk,
    open: async (path, options) => {
      if (full && path.includes('/snapshot.')) throw new DiskError('ENOSPC', path, 'open');
      return REAL_PORTS.disk.open(path, options);
    },
  };
  const config = checkConfig(
    parseProperties(`dataDir=${folder}\nclientPort=0\nclientPortAddress=127.0.0.1`, 'zoo.cfg'),
  );
  const options = { config, logger: { info() {}, warn() {}, error() {} } as unknown as Logger, onFailed: assert.fail };
  const node = new ServerNode(options, () => {}, { ...REAL_PORTS, disk });
  try {
    await using server = await node.start();
    await using client = await connect(`127.0.0.1:${server.port}`);
    const { stat } = await client.create('/a').then(() => client.get('/a'));
    const at = `0x${stat.czxid.toString(16)}`;
    assert.equal(await taken(node), at);
    const files = (): string[] => readdirSync(join(folder, 'zoosh-1')).filter((name) => name.startsWith('snapshot.'));
    assert.deepEqual(files(), [`snapshot.${at.slice(2)}`]);
    full = true;
    await client.create('/b');
    assert.equal(node.tally.snapshots.failed, 0);
    await assert.rejects(node.snapshot(), /^Error: no snapshot was written: .*ENOSPC/);
    assert.equal(node.tally.snapshots.failed, 1, 'snapshot_error_count');
    assert.equal(files().length, 1);
    full = false;
    const written = taken(node);
    // and who asks while one is under way gets one of their own
    await client.create('/c');
    const [first, second] = [await written, await taken(node)];
    assert.ok(BigInt(first) <= BigInt(second) && BigInt(second) > BigInt(at));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

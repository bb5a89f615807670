/** Settings of the log, on a real server: txnLogSizeLimitInKb, flushDelay and what belongs to it. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ServerProcess } from './process.ts';

/** Files of its directory whose names begin so. */
function filesOf(server: ServerProcess, beginning: string): string[] {
  const root = join(server.folder, 'data');
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => (name.split('/').at(-1) as string).startsWith(beginning) && statSync(join(root, name)).isFile());
}

test('txnLogSizeLimitInKb: the log goes on in another file, snapshots count what is in all of them, nothing is lost', async () => {
  await using server = await new ServerProcess(['txnLogSizeLimitInKb=64', 'snapSizeLimitInKb=1024'], 'info').start();
  const ROUNDS = 200;
  {
    await using client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
    for (let round = 0; round < ROUNDS; round++) await client.create(`/n${round}`, Buffer.alloc(8 << 10, round));
  }
  const files = filesOf(server, 'log.');
  // 1,600 KiB in files of some 64, one more where a snapshot began
  assert.ok(files.length >= 16 && files.length <= 30, files.join(' '));
  assert.match(server.stderr, /Snapshotting: /, 'what was logged in files before counts');
  await server.kill('SIGKILL');
  await server.start();
  await using client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
  assert.equal((await client.getChildren('/')).children.length, ROUNDS + 1);
  assert.equal((await client.get(`/n${ROUNDS - 1}`)).data?.[0], ROUNDS - 1);
});

test('flushDelay: a write alone waits for more, and not when it is enough by itself', async () => {
  const times: number[] = [];
  for (const more of ['maxBatchSize=1000', 'maxBatchSize=1', 'maxWriteQueuePollTime=0']) {
    await using server = await new ServerProcess(['flushDelay=900', more]).start();
    await using client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
    await client.create('/a');
    let quickest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      const before = performance.now();
      await client.set('/a', String(round));
      quickest = Math.min(quickest, performance.now() - before);
    }
    times.push(quickest);
  }
  // a third of the delay, since nothing else comes
  assert.ok((times[0] as number) >= 299, `${times}`);
  assert.ok((times[1] as number) < 299 && (times[2] as number) < 299, `${times}`);
});

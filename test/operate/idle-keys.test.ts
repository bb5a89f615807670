/** Keys of ZooKeeper that are accepted and do nothing: none without its reason in the documents. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isIdle } from '../../src/server/config-idle.ts';

const textOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8');

/** Those that an operator of ZooKeeper may rely on. */
const RELIED_ON =
  `connectToLearnerMasterLimit syncEnabled observer.syncEnabled snapshot.trust.empty digest.enabled db.autocreate
  jute.maxbuffer.extrasize tcpKeepAlive observer.election.DelayMs ssl.quorum.handshakeDetectionTimeoutMillis
  admin.restore.enabled serializeLastProcessedZxid.enabled closeSessionTxn.enabled snapshot.compression.method
  quorum.cnxn.threads.size snapshotSizeFactor`
    .trim()
    .split(/\s+/);
/** Those that do less than in ZooKeeper. */
const LESS = ['ssl.quorum.protocol', 'ssl.quorum.enabledProtocols', 'ssl.quorum.clientAuth', 'preAllocSize'];

test('each stands in the table of docs/compatibility.md, and its reason in docs/configuration.md', () => {
  const [, table = ''] = textOf('compatibility.md').split('\n### Keys of ZooKeeper without effect here\n');
  const reasons = textOf('configuration.md');
  for (const key of RELIED_ON) assert.ok(isIdle(key), `${key} has an effect`);
  for (const key of [...RELIED_ON, ...LESS]) {
    assert.ok(table.includes(`\`${key}\``), `${key} is not in the table`);
    assert.ok(reasons.includes(`\`${key}\``), `${key} has no reason`);
  }
  assert.ok(
    isIdle('quorum.auth.enableSasl') && table.includes('`quorum.auth.*`') && reasons.includes('`quorum.auth.*`'),
  );
});

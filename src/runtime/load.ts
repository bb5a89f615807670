import { PackReader } from '../records/pack.ts';
import { readEnvelope } from '../records/txns.ts';
import type { ServerConfig } from '../server/config.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/storage.ts';
import { apply, NO_SINK } from '../tree/apply.ts';
import { DataTree } from '../tree/data-tree.ts';
import { SnapshotLoader } from '../tree/snapshot.ts';
import type { ServerPorts } from './start.ts';

/** Bytes of zeros kept ahead of the log's end, at most. */
const ZERO_AHEAD = 4 * 1024 * 1024;

/**
 * Reads the directories into a tree. Everything in the log is applied: a server alone is the quorum of its whole log, and
 * nothing is served before its new epoch is established.
 * @throws StorageRefusal, DamageError
 */
export async function loadTree(
  config: ServerConfig,
  sid: number,
  ignoreApacheData: boolean,
  { disk, random }: Pick<ServerPorts, 'disk' | 'random'>,
): Promise<{ storage: Storage; tree: DataTree }> {
  const seed = random.below(2 ** 32) | 0;
  let loader: SnapshotLoader | undefined;
  let tree: DataTree | undefined;
  const from = new PackReader(Buffer.alloc(0));
  const storage = await openStorage({
    disk,
    dataDir: config.dataDir,
    logDir: config.dataLogDir,
    sid,
    random,
    forceSync: config.forceSync,
    zeroAheadBytes: Math.min(config.preAllocBytes, ZERO_AHEAD),
    ignoreApacheData,
    onSnapshotChunk: (chunk) => {
      loader ??= new SnapshotLoader(seed);
      loader.push(chunk);
    },
    onSnapshotEnd: () => {
      tree = loader?.finish();
    },
    onEnvelope: (bytes, start, end) => {
      tree ??= new DataTree(seed);
      from.reset(bytes, start, end);
      const envelope = readEnvelope(from, undefined); // its chain was verified with its group
      apply(tree, envelope.zxidHi, envelope.zxidLo, envelope.time, envelope.txn, NO_SINK);
      tree.chainHi = envelope.chainHi;
      tree.chainLo = envelope.chainLo;
    },
  });
  return { storage, tree: tree ?? new DataTree(seed) };
}

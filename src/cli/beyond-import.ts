import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDisk } from '../platform/disk.ts';
import type { ServerConfig } from '../server/config.ts';
import { StorageRefusal } from '../storage/errors.ts';

/**
 * Nobody goes on from what was imported while an Apache server took more beside it. What reads Apache's files is loaded only where some lie.
 * @throws StorageRefusal (42)
 */
export async function refuseBeyond({ dataDir, dataLogDir }: ServerConfig): Promise<void> {
  if (![dataDir, dataLogDir].some((dir) => existsSync(join(dir, 'version-2')))) return;
  const { beyondImport, beyondSentence } = await import('../offline/import-note.ts');
  const beyond = await beyondImport(nodeDisk, dataDir, dataLogDir);
  if (beyond !== undefined) throw new StorageRefusal(42, beyondSentence(beyond, dataDir));
}

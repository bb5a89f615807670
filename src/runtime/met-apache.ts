import { resolveHost } from '../platform/peer-net.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { EnsembleConfig } from '../server/config.ts';
import { unusable } from '../storage/errors.ts';
import { writeWhole } from '../storage/files.ts';
import type { Storage } from '../storage/storage.ts';
import type { ServerNode } from './node.ts';

/** Lies in a directory without a history whose server met one of Apache's. */
const NAME = 'met-apache';

/** What such a server says of itself. */
export const MET_APACHE =
  'a server of this ensemble is, or was, one of Apache ZooKeeper: this one founds no ensemble, since everything that the other holds would seem to be gone. Import a data directory of theirs (zoosh import-apache); to begin with an empty tree: --ignore-apache-data';

const folderIn = (dataDir: string): string => `${dataDir}/zoosh-1`;

/** Whether a server that has no history met one of Apache's, in this life or before. @throws StorageRefusal (40) where nobody can tell */
export async function hasMetApache(disk: Disk, dataDir: string, { last, damage }: Storage): Promise<boolean> {
  if (last.hi !== 0 || last.lo !== 0 || damage !== undefined) return false;
  try {
    return await disk.exists(`${folderIn(dataDir)}/${NAME}`);
  } catch (error) {
    throw error instanceof DiskError ? unusable(error) : error;
  }
}

/**
 * Whether what is said of somebody at a peer port, its address first, is to be believed of a server of Apache's: where others
 * prove that they belong here, only of an address that a server line has. A stranger elsewhere, who proves nothing, moves nothing.
 */
export async function isBelieved(sentence: string, config: EnsembleConfig): Promise<boolean> {
  const { tls, secretFile, own, servers } = config;
  const isOpen = secretFile === undefined && (tls === undefined || tls.takesPlain);
  if (isOpen) return true;
  const address = /^\[?(?:::ffff:(?=\d+\.))?([^\s\]]+?)\]?: /.exec(sentence)?.[1];
  const lines = servers.filter(({ id }) => id !== own.id);
  const hosts = new Set(lines.flatMap(({ election, quorum }) => [...election, ...quorum].map(({ host }) => host)));
  const known = await Promise.all([...hosts].map((host) => resolveHost(host).catch(() => []))); // of no name that leads nowhere
  return address !== undefined && known.flat().includes(address);
}

/**
 * One of Apache's servers spoke to this one. While this one has no history it remembers that on its disk: members that are replaced
 * one by one, each with an empty directory, would in the end found an ensemble of nothing. It begins its life anew then, as one
 * that waits for a leader.
 */
export async function noteApache(node: ServerNode): Promise<void> {
  const { server, storage, options, ports } = node;
  const { dataDir } = options.config;
  const hasHistory = server.tree.config !== undefined || server.unapplied > 0 || storage.identity.amnesiac;
  if (hasHistory || options.ignoreApacheData === true) return;
  const folder = folderIn(dataDir);
  await writeWhole(
    ports.disk,
    folder,
    `${folder}/${NAME}`,
    Buffer.from(`${new Date(ports.clock.wall()).toISOString()}\n`),
  );
  node.reload();
}

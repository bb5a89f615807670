import type { Socket } from 'node:net';
import { packageVersion } from '../platform/version.ts';
import { showHalves } from '../records/log-record.ts';
import type { SnapshotReader } from '../storage/snapshot-reader.ts';
import type { BackupAnnouncement } from './control-messages.ts';
import { Health } from './health.ts';
import { markOf } from './marks.ts';
import type { ServerNode } from './node.ts';

/** Read and sent at once. */
const PIECE = 256 * 1024;
/** How often a snapshot is tried. */
const TRIES = 3;

/** A snapshot that is kept until its reader is closed, and what is said of it. */
export interface OfferedBackup {
  readonly announcement: BackupAnnouncement;
  readonly reader: SnapshotReader;
  /** It could not be read to its end, or what was read is not what was written. */
  unsound(error: Error): void;
}

/**
 * A new snapshot of this member, verified and on its disk. A quorum confirms first where the ensemble is, so that it holds whatever
 * was acknowledged before it was asked for. @throws Error whose message says why there is none
 */
export async function offerBackup(node: ServerNode): Promise<OfferedBackup> {
  const { clock } = node.ports;
  // its files are still being read
  if ((node.server as ServerNode['server'] | undefined) === undefined) throw new Error('this server is starting');
  const server = (): ServerNode['server'] => {
    node.server.now = clock.monotonic();
    node.server.wall = clock.wall();
    return node.server;
  };
  const health = new Health({ clock, tally: node.tally, server, turn: () => node.turn() });
  const { ok, why } = await health.healthy();
  if (!ok) throw new Error(`what was acknowledged is not known here: ${why}`);
  await taken(node);
  const { storage, sid } = node;
  const mark = storage.newestSnapshot;
  if (mark === undefined) throw new Error('the snapshot was taken back: another history came from the leader');
  const reader = await storage.openSnapshot(mark);
  const { acceptedEpoch: epoch } = storage.identity;
  const about = { zxid: showHalves(mark.zxid), bytes: reader.size, sid, epoch };
  const unsound = (error: Error): void => {
    node.options.logger.warn(`a backup ends early, its snapshot cannot be read: ${error.message}`);
    node.step({ type: 'snapshotDoubted', at: markOf(mark) });
  };
  return { announcement: { ...about, version: packageVersion(), takenAt: clock.wall() }, reader, unsound };
}

/** One that is given up, since too much changes while it is written, is begun anew. */
async function taken(node: ServerNode): Promise<void> {
  for (let left = TRIES; ; left--)
    try {
      return void (await node.snapshot());
    } catch (error) {
      if (left <= 1) throw error;
    }
}

/** Sends all of it, as fast as the other end takes it, and closes it. */
export async function sendBackup(
  { reader, unsound }: Omit<OfferedBackup, 'announcement'>,
  socket: Socket,
): Promise<void> {
  try {
    for (let at = 0; at < reader.size && !socket.destroyed; ) {
      const piece = await reader.read(at, PIECE);
      if (piece.length === 0) throw new Error('it ends early');
      at += piece.length;
      if (!socket.write(piece)) await drained(socket);
    }
  } catch (error) {
    socket.destroy(); // what has been said cannot be taken back: it ends early
    unsound(error as Error);
  } finally {
    await reader.close();
  }
}
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
    if (socket.destroyed) done();
  });

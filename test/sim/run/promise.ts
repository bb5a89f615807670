import { seededRandom } from '../../../src/base/random.ts';
import { loadTree } from '../../../src/runtime/load.ts';
import type { Member } from './member.ts';

/**
 * Its directory says that it has promised so many epochs more, to leaders that never came to be. Its process is gone, and what
 * the disk does meanwhile takes no time. Resolves with what it has promised.
 */
export async function promise(member: Member, more: number): Promise<number> {
  member.crash(false);
  const { disk, config, sid, host } = member;
  const { pace, lag, fault } = disk;
  Object.assign(disk, { pace: () => Promise.resolve(), lag: () => undefined, fault: () => undefined });
  disk.cutAt = Number.POSITIVE_INFINITY; // whatever was to die at a call is dead
  try {
    const ports = { disk: disk.plug(), random: seededRandom(1), clock: host.clock() };
    const { storage } = await loadTree(config, sid, false, 1, ports);
    const { acceptedEpoch, currentEpoch } = storage.identity;
    await storage.storeEpochs(acceptedEpoch + more, currentEpoch);
    await storage.close();
    return acceptedEpoch + more;
  } finally {
    disk.unplug();
    Object.assign(disk, { pace, lag, fault });
  }
}

import { seededRandom } from '../../../src/base/random.ts';
import { bigOf } from '../../../src/records/log-record.ts';
import { loadTree } from '../../../src/runtime/load.ts';
import { hex } from '../check/ledger.ts';
import { chainKey } from '../check/log-tap.ts';
import { treeFaults, zxidOfTree } from '../check/trees.ts';
import type { SimDisk } from '../disk.ts';
import type { Ensemble } from './ensemble.ts';
import type { Member } from './member.ts';

/** Reads a directory as its server would. What is wrong in words, undefined when it is whole. */
export async function verifyDirectory(member: Member, disk: SimDisk): Promise<string | undefined> {
  try {
    const { storage } = await loadTree(member.config, member.sid, false, 1, {
      disk: disk.plug(),
      random: seededRandom(1),
      clock: member.host.clock(),
    });
    return storage.damage?.sentences.join('; ');
  } catch (error) {
    return (error as Error).message;
  }
}

/** What each member has on its disk in the end, read by itself: nothing of the history may be lost or different (I6, I11). */
export async function auditDisk(ensemble: Ensemble, member: Member): Promise<void> {
  const disk = member.disk.copy(seededRandom(member.sid));
  const { verdicts, ledger, oracle } = ensemble;
  const fail = (text: string): void => verdicts.fail('I11', `the directory of server ${member.sid}: ${text}`);
  let end: bigint;
  let tree: Awaited<ReturnType<typeof loadTree>>['tree'];
  try {
    const loaded = await loadTree(member.config, member.sid, false, 1, {
      disk: disk.plug(),
      random: seededRandom(1),
      clock: member.host.clock(),
    });
    tree = loaded.tree;
    end = bigOf(loaded.storage.last);
    if (loaded.storage.damage !== undefined) return fail(loaded.storage.damage.sentences.join('; '));
  } catch (error) {
    return fail((error as Error).message);
  }
  // what was applied was on the disk before
  const applied = ensemble.observer.appliedBy(member.sid);
  if (end < applied) return fail(`its log ends with ${hex(end)}, it had applied ${hex(applied)}`);
  const zxid = zxidOfTree(tree);
  const known = zxid === 0n ? undefined : ledger.at(zxid);
  const chain = chainKey(tree.chainHi, tree.chainLo);
  if (ledger.goesBeyond(zxid, chain)) return; // what the model has not seen cannot be compared with it
  if (zxid !== 0n && known?.chain !== chain)
    return fail(`its state ends with ${hex(zxid)}, which is not in the history`);
  const faults = treeFaults(tree, oracle.state);
  if (faults.length > 0) fail(`${faults.length} places differ: ${faults.slice(0, 3).join('; ')}`);
}

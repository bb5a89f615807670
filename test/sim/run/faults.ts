import { logUniform, oneIn, pick } from '../world/chance.ts';
import type { FaultKind } from './coverage.ts';
import { anyUp, type Inject, once, spell } from './fault.ts';
import { networkFaults } from './faults-network.ts';
import { processFaults } from './faults-process.ts';

const disks: Partial<Record<FaultKind, Inject>> = {
  'disk.slow': (world, random) => {
    const member = pick(random, world.ensemble.members);
    const { diskMs: before, disk } = member;
    const { calls } = disk;
    // its log stands still for longer than a leader may wait for it; everything else of the machine goes on
    const hanging = oneIn(random, 3) ? anyUp(world, random) : undefined;
    if (hanging !== undefined) {
      hanging.hang();
      return {
        text: `${hanging.host.name}, its log hangs`,
        forMs: logUniform(random, world.tickMs * 4, world.tickMs * 30),
        end: () => {
          if (hanging.isHung) world.coverage.tell('disk.slow');
          hanging.letGo();
        },
      };
    }
    member.diskMs = logUniform(random, 5, world.tickMs * 3);
    return {
      text: `${member.host.name}, ${Math.round(member.diskMs)} ms`,
      forMs: spell(random, world),
      end: () => {
        member.diskMs = before;
        if (disk.calls > calls) world.coverage.tell('disk.slow');
      },
    };
  },
};

/** A call to the disk fails, once or for a while. */
const failing =
  (kind: FaultKind, call: 'open' | 'write' | 'sync', code: string, lasting: boolean): Inject =>
  (world, random) => {
    const member = pick(random, world.ensemble.members);
    const { disk } = member;
    let left = lasting ? Number.POSITIVE_INFINITY : 1;
    const after = random.below(4);
    let seen = 0;
    const fault = (doing: string): string | undefined => {
      if (doing !== call || seen++ < after || left <= 0) return undefined;
      left--;
      world.coverage.tell(kind);
      return code;
    };
    disk.fault = fault;
    if (code === 'ENOSPC') disk.room = 0;
    return {
      text: member.host.name,
      forMs: spell(random, world),
      end: () => {
        disk.room = 1e12;
        if (disk.fault === fault) disk.fault = () => undefined;
      },
    };
  };

export const FAULTS: Readonly<Partial<Record<FaultKind, Inject>>> = {
  ...networkFaults,
  ...processFaults,
  ...disks,
  'disk.write_eio': failing('disk.write_eio', 'write', 'EIO', false),
  'disk.read_eio': (world, random) => world.harm.readError(random, spell(random, world)),
  'disk.fsync_eio': failing('disk.fsync_eio', 'sync', 'EIO', false),
  'disk.enospc': failing('disk.enospc', 'write', 'ENOSPC', true),
  'disk.emfile': failing('disk.emfile', 'open', 'EMFILE', true),
  'disk.bitrot': (world, random) => world.harm.bitrot(random),
  'disk.misdirected_write': (world, random) => world.harm.misdirectWrite(random),
  'disk.misdirected_read': (world, random) => world.harm.misdirectRead(random),
  'disk.wiped': (world, random) => world.harm.wipe(random),
  'disk.rolled_back': (world, random) => world.harm.rollBack(random),
  'disk.missing_log': (world, random) => world.harm.hideLog(random),
  'op.reconfig': (world, random) => {
    const text = world.operator?.change(random);
    return text === undefined ? undefined : once(text);
  },
};

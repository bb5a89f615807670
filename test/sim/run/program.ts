import type { SessionId } from '../../../src/base/ids.ts';
import type { Random } from '../../../src/base/random.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Disk } from '../../../src/ports/disk.ts';
import type { PeerNetwork } from '../../../src/ports/peer-network.ts';
import type { Listener } from '../../../src/runtime/clients.ts';
import type { Logger } from '../../../src/runtime/log.ts';
import { ServerNode } from '../../../src/runtime/node.ts';
import type { Transfer } from '../../../src/runtime/snapshot-sender.ts';
import type { ServerConfig } from '../../../src/server/config.ts';
import type { Server } from '../../../src/server/server.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import type { DataTree } from '../../../src/tree/data-tree.ts';
import type { StartedWith } from '../check/acks.ts';

/** What a simulated machine offers to the server that runs on it. */
export interface ProgramPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly listener: Listener;
  readonly peerNetwork: PeerNetwork;
}
export interface ProgramOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  /** It can promise nothing more; the process ends. */
  readonly onFailed: (error: Error) => void;
  /** Counters of an epoch end here, long before they would. */
  readonly lastCounter?: number;
  /** In which parts snapshots travel, at all members. */
  readonly transfer?: Transfer;
}
/** A server that runs. */
export interface Program {
  /** The replicated state, once there is one. */
  readonly tree: DataTree | undefined;
  /** It has done a part of a transaction: of a session with thousands of ephemerals not all go in one turn. */
  readonly inParts: boolean;
  /** The epoch it leads and is established in. */
  readonly leads: number | undefined;
  /** The epoch it takes part in. */
  readonly epoch: number | undefined;
  /** It takes requests of clients. */
  readonly serves: boolean;
  /** Who its directory says it is: the life of the directory, and this start. */
  readonly incarnation: string | undefined;
  readonly bootTag: string | undefined;
  /** What it found there, once that was read. */
  readonly startedWith: StartedWith | undefined;
  /** Who decides there in the present term, while it serves; another one in each. */
  readonly term: object | undefined;
  /** It only shows what it has, since it finds no leader; undefined while it serves nobody. */
  readonly readOnly: boolean | undefined;
  /** Sessions that are its own. */
  readonly locals: Iterable<{ readonly id: bigint; readonly timeoutMs: number }>;
  /** As leader it has decided that this session ends. */
  ends(session: bigint): boolean;
  /** Something of its log is lost, and not yet given back by the others. */
  readonly damaged: boolean;
  /** Resolves when clients are served for the first time; rejects when it refuses to start. */
  readonly started: Promise<unknown>;
  stop(): Promise<void>;
}
export type Boot = (options: ProgramOptions, ports: ProgramPorts) => Program;

const zxidOf = ({ hi, lo }: { readonly hi: number; readonly lo: number }): bigint =>
  (BigInt(hi) << 32n) | BigInt(lo >>> 0);

/** The production server, alone or a member. */
export const serverNode: Boot = (options, ports) => {
  const node = new ServerNode(options, () => {}, ports);
  // not there before the directory is read
  const inside = node as { readonly server: Server | undefined; readonly storage: Storage | undefined };
  let stop: (() => Promise<void>) | undefined;
  const started = node.start().then((running) => {
    stop = () => running.stop();
    return running.serving;
  });
  return {
    get tree() {
      return inside.server?.tree;
    },
    get inParts() {
      return inside.server?.applying === true;
    },
    get leads() {
      const peer = inside.server?.peer;
      return peer?.role === 'leading' && peer.phase === 'broadcast' ? peer.leader?.epoch : undefined;
    },
    get epoch() {
      return inside.server?.peer.currentEpoch;
    },
    get serves() {
      return inside.server?.serving === true;
    },
    get incarnation() {
      return inside.storage?.identity.incarnation;
    },
    get bootTag() {
      return inside.storage?.bootTag;
    },
    get startedWith() {
      const { storage } = inside;
      if (storage === undefined) return undefined;
      const { identity, last, damage } = storage;
      const mayHaveAcked = damage === undefined ? undefined : zxidOf(damage.mayHaveAcked);
      return { ...identity, end: zxidOf(last), mayHaveAcked };
    },
    get term() {
      return (inside.server as { readonly desk: object | undefined } | undefined)?.desk;
    },
    get readOnly() {
      const { server } = inside;
      return server?.serving === true || server?.readOnly === true ? server.readOnly : undefined;
    },
    get locals() {
      return inside.server?.locals.all() ?? [];
    },
    ends(session) {
      return inside.server?.tracker.get(session as SessionId)?.closing === true;
    },
    get damaged() {
      return inside.storage?.damage !== undefined || inside.server?.peer.repairing === true;
    },
    started,
    stop: async () => {
      if (stop === undefined) await started;
      await stop?.();
    },
  };
};

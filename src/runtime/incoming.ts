import { RecordError } from '../records/pack.ts';
import { RESUME_LEVEL } from '../records/peer-frame.ts';
import type { MessageOf, PeerMessage } from '../records/peer-messages.ts';
import { isDiskFull } from '../storage/errors.ts';
import type { Entry, Mark } from '../zab/types.ts';
import { makeRoom } from './make-room.ts';
import { halvesOf, placeOf } from './marks.ts';
import type { ServerNode } from './node.ts';
import { TRANSFER } from './snapshot-sender.ts';
import { decode, Staging } from './staging.ts';

export interface IncomingLinks {
  /** To the leader that this member follows, over its present link. */
  toLeader(message: PeerMessage): void;
  /** The feature level of that link. */
  readonly level: number;
  /** Gives up that link, whose SNAP cannot be used. */
  giveUp(reason: string): void;
}

/** Histories that come in from the leader: entries behind the log, or a snapshot that is staged beside it and installed whole. */
export class Incoming {
  private readonly node: ServerNode;
  private readonly links: () => IncomingLinks;
  private staging: Staging | undefined;
  /** Of the SNAP that is coming in. */
  snapEpoch = 0;

  /** `links`: those of the moment in which it is called. */
  constructor(node: ServerNode, links: () => IncomingLinks) {
    this.node = node;
    this.links = links;
  }
  append(generation: number, entries: readonly Entry[]): void {
    const { node, staging } = this;
    try {
      if (staging?.generation === generation) return staging.append(entries);
      const { server, storage } = node;
      const log = storage.logOf(generation);
      for (const entry of entries) {
        const numbered = decode(entry, { hi: server.chainHi, lo: server.chainLo });
        log.append(entry.bytes, entry.epoch, entry.counter);
        server.append(numbered);
      }
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      // nothing of it was written: what the disk holds is right
      node.options.logger.error(
        `the leader sent what does not follow: ${error.message}; this server loads its log again`,
      );
      node.reload();
    }
  }
  chunk(message: MessageOf<'CHUNK'>): void {
    this.staging?.chunk(message);
  }
  stage(generation: number, at: Mark): void {
    const { node } = this;
    const epoch = this.snapEpoch;
    const links = this.links();
    const resumes = links.level >= RESUME_LEVEL;
    const resume = (offset: number, checksum: number): void =>
      links.toLeader({ type: 'RESUME', epoch, at, offset, checksum });
    this.staging = new Staging({
      generation,
      at,
      windowBytes: (node.options.transfer ?? TRANSFER).windowBytes,
      seed: node.ports.random.below(2 ** 32) | 0,
      stage: (onChunk) => node.storage.stage(generation, halvesOf(at), onChunk, resumes),
      resume: resumes ? resume : undefined,
      ask: (offset) => links.toLeader({ type: 'ASKCHUNKS', epoch, at, offset }),
      done: () => node.step({ type: 'snapshotStaged', generation }),
      failed: (error, bytes) => {
        node.options.logger.warn(`the snapshot that came in is not used: ${error.message}`);
        links.giveUp('the snapshot is not whole');
        if (isDiskFull(error)) this.noRoom(at, bytes);
      },
    });
  }
  /** What is staged takes nothing more. */
  drop(): void {
    this.staging?.drop();
  }
  /** The link is gone over which it came, or is of no use. */
  forget(generation: number): void {
    const { node, staging } = this;
    const goesOn = staging?.generation === generation && staging.mayGoOn;
    this.drop();
    this.staging = undefined;
    const gone = goesOn ? node.storage.leaveStaged(generation) : node.storage.dropStaged(generation);
    gone.catch((error: Error) => node.diskFailed(error));
  }
  private noRoom(at: Mark, bytes: number): void {
    const { node } = this;
    const { storage, server, ports } = node;
    const held = storage.damage === undefined ? server.last : placeOf(storage.damage.mayHaveAcked);
    node.reload((isStopped) =>
      makeRoom({
        storage,
        held,
        at,
        bytes,
        rest: async () => {
          await new Promise<void>((resolve) => void ports.clock.after(node.options.config.tickTimeMs, resolve));
          return !isStopped();
        },
        warn: (sentence) => node.options.logger.warn(sentence),
        waits: (phrase) => {
          node.waits = phrase;
        },
      }),
    );
  }
  /** The staged files are the log: the state goes on from their snapshot. False: nothing was staged. */
  installed(): boolean {
    const { node, staging } = this;
    if (staging === undefined) return false;
    this.staging = undefined;
    const { tree, numbered } = staging.take();
    const server = node.makeServer(tree, node.server.peer);
    server.now = node.server.now;
    server.wall = node.server.wall;
    for (const each of numbered) server.append(each);
    node.replaceServer(server);
    node.options.logger.info(`began anew from a snapshot of the leader, ${tree.nodeCount} nodes`);
    return true;
  }
}

import type { Clock } from '../ports/clock.ts';
import type { PeerMessage } from '../records/peer-messages.ts';
import type { Server } from '../server/server.ts';
import type { Position } from '../zab/types.ts';
import type { Tally } from './tally.ts';

/** Batches that a leader remembers when they were numbered; who acknowledges later than that is not measured. */
const BATCHES = 512;

/** Whose journeys they are. */
export interface JourneyNode {
  readonly tally: Tally;
  readonly ports: { readonly clock: Clock };
  readonly sid: number;
  /** The present state's; a learner's may be replaced. */
  readonly server: Server;
}

/**
 * How long transactions are on their way between members, from the time that their leader gave them, by wall clocks as
 * ZooKeeper's figures of the same names: one number for each message or durable write, of the last transaction in it.
 */
export class Journey {
  private readonly node: JourneyNode;
  /** The last counters of batches of the present term, ascending, and the times of those; the oldest is overwritten. */
  private readonly counters = new Float64Array(BATCHES);
  private readonly times = new Float64Array(BATCHES);
  private epoch = 0;
  private handed = 0;
  /** Of the durable write that is under way: its last transaction's; 0 for what is only caught up with. */
  private writingSince = 0;

  constructor(node: JourneyNode) {
    this.node = node;
  }
  /** The leader hands a batch to everybody. */
  hand({ epoch, counter }: Position): void {
    if (epoch !== this.epoch) this.handed = 0;
    this.epoch = epoch;
    const at = this.handed++ % BATCHES;
    this.counters[at] = counter;
    this.times[at] = this.node.server.lastTime;
  }
  /** A learner says that it holds everything up to here. */
  acknowledged(sid: number, { epoch, counter }: Position): void {
    if (epoch !== this.epoch) return;
    const oldest = Math.max(0, this.handed - BATCHES);
    let at = this.handed;
    while (at > oldest && (this.counters[(at - 1) % BATCHES] as number) >= counter) at--;
    // one that was overwritten may be the one that it is in
    if (at === this.handed || (at === oldest && oldest > 0)) return;
    this.node.tally.acked(sid, this.since(this.times[at % BATCHES] as number));
  }
  /** The log begins to write what has gathered. */
  writing(): void {
    const server = this.node.server;
    this.writingSince = server.serving && server.peer.isMember ? server.lastTime : 0;
  }
  /** It is on the disk: to be acknowledged, or by a leader to itself. */
  written(): void {
    if (this.writingSince === 0) return;
    const { tally, sid, server } = this.node;
    const ms = this.since(this.writingSince);
    tally.took('proposal_ack_creation_latency', ms);
    if (server.peer.role === 'leading') tally.acked(sid, ms);
  }
  /** A leader commits up to here. */
  commits(upTo: Position): void {
    const { server, tally } = this.node;
    if (server.peer.role !== 'leading' || !server.serving) return;
    const time = server.timeOf(upTo);
    if (time !== undefined) tally.took('quorum_ack_latency', this.since(time));
  }
  /** A learner is about to be told this by its leader. */
  hears(message: PeerMessage): void {
    const { server, tally } = this.node;
    if (message.type !== 'COMMIT' || !server.serving) return;
    const time = server.timeOf(message.upTo);
    if (time !== undefined) tally.took('commit_propagation_latency', this.since(time));
  }
  /** It was told, and took it into its log. */
  heard(message: PeerMessage): void {
    const { server, tally } = this.node;
    const isInformed = message.type === 'INFORM';
    if ((message.type !== 'PROPOSAL' && !isInformed) || !server.serving) return;
    const ms = this.since(server.lastTime);
    tally.took(isInformed ? 'commit_propagation_latency' : 'proposal_latency', ms);
    tally.ahead.add(ms, server.now);
  }
  private since(time: number): number {
    return this.node.ports.clock.wall() - time;
  }
}

import { isAboutApache } from '../platform/peer-foreign.ts';
import type { PeerNetwork } from '../ports/peer-network.ts';
import { GREETING_LEVEL } from '../records/peer-frame.ts';
import type { PeerMessage } from '../records/peer-messages.ts';
import type { EnsembleConfig } from '../server/config.ts';
import type * as zab from '../zab/types.ts';
import type { Effect, Position } from '../zab/types.ts';
import type { Chores } from './chores.ts';
import type { ClientPort } from './clients.ts';
import { Incoming } from './incoming.ts';
import type { Loaded } from './load.ts';
import { halvesOf } from './marks.ts';
import { MemberLog } from './member-log.ts';
import { memberPast } from './member-past.ts';
import { isBelieved, MET_APACHE, noteApache } from './met-apache.ts';
import { Naming } from './naming.ts';
import type { ServerNode } from './node.ts';
import { Others } from './others.ts';
import { Outgoing } from './outgoing.ts';
import type { PeerIdentity } from './peer-hello.ts';
import { PeerPort } from './peers.ts';
import { REMEMBER_BYTES } from './recent.ts';
import { SnapshotSender, TRANSFER } from './snapshot-sender.ts';
import { listenError, StartError } from './start-error.ts';
import { Syncs } from './syncs.ts';
import { whenTold } from './told.ts';
import { Transfers } from './transfers.ts';
import type { LearnerRow } from './words/context.ts';

/** zab's clock: so many ms, or a tenth of a tick when that is less. */
const UNIT_MS = 50;
/** How long SIGTERM waits for a successor, in ticks. */
const HAND_OVER_TICKS = 2;
/** How often an empty member looks whom it waits for. */
const MISSING_TICKS = 4;
/** Bytes waiting on a connection before who sends much pauses, and before it is cut off whatever they are. */
const HIGH_WATER = 4 * 1024 * 1024;
const MOST_WAITING = 512 * 1024 * 1024;
/**
 * Of transactions that wait for one learner that takes less than is proposed: about as much as is remembered anyway. Beyond it
 * the learner is cut off and synchronised anew, from what is remembered or from a snapshot on the disk.
 */
const MOST_BEHIND = REMEMBER_BYTES;

/** The side of a server that other members see: connections, zab's effects that concern them, snapshots on their way. */
export class Ensemble {
  /** What the leader's server writes into. */
  readonly log: MemberLog;
  private readonly node: ServerNode;
  private readonly config: EnsembleConfig;
  private readonly peers: PeerPort;
  private readonly sender: SnapshotSender;
  private readonly outgoing: Outgoing;
  private readonly syncs: Syncs;
  private readonly unitMs: number;
  private readonly incoming: Incoming;
  /** The link to the leader that this member follows. */
  private leaderLink = 0;
  /** When an observer that served lost its leader, ms. */
  private lostAt: number | undefined;
  private handed: (() => void) | undefined;
  private readonly others: Others;
  private readonly naming: Naming;
  private readonly transfers: Transfers;
  /** See {@link noteApache}: whether it stands on the disk, and whether there is nothing more to do for it in this life. */
  private metApache = false;
  private noted = false;
  constructor(node: ServerNode, config: EnsembleConfig, net: PeerNetwork) {
    this.node = node;
    this.config = config;
    this.log = new MemberLog(node.storage);
    this.naming = new Naming(node);
    this.transfers = new Transfers(
      () => node.storage.stagedProgress,
      (link) => node.step({ type: 'progress', link }),
    );
    this.incoming = new Incoming(node, () => {
      const link = this.leaderLink;
      return {
        toLeader: (message) => void this.peers.send(link, message),
        level: this.leaderLevel,
        giveUp: (reason) => this.giveUp(link, reason),
      };
    });
    const { tickTimeMs } = node.options.config;
    this.unitMs = Math.max(1, Math.min(UNIT_MS, Math.floor(tickTimeMs / 10)));
    const { logger } = node.options;
    const { listensAt: listen } = this;
    this.peers = new PeerPort(
      {
        self: () => this.identity(),
        election: listen.election[0] as { host: string; port: number },
        quorum: listen.quorum[0] as { host: string; port: number },
        also: { election: listen.election.slice(1), quorum: listen.quorum.slice(1) },
        tickMs: tickTimeMs,
        silenceTicks: Math.max(2, config.syncLimit),
        voteSilenceMs: config.voteSilenceMs,
        connectMs: config.connectTimeoutMs,
        bindAttempts: config.bindAttempts,
        highWater: HIGH_WATER,
        mostWaiting: MOST_WAITING,
      },
      { net, clock: node.ports.clock, random: node.ports.random },
      {
        reached: (sid, up) => {
          node.step({ type: 'reached', sid, up });
          if (this.peers.connected.length === 0) this.handed?.();
        },
        voted: (from, message) => {
          this.others.tell(from, message.config);
          node.step({ type: 'voted', from, message: message as never });
        },
        toldMembers: (message) => this.others.heard(message),
        linked: (sid, link, dialled) => {
          node.step({ type: 'linked', sid, link, dialled });
          // one that was dialled for another leader may stand late, and is hung up: what is for ours goes over its own
          if (dialled && node.server.peer.leaderLink === link) this.leaderLink = link;
        },
        dialFailed: (sid) => node.step({ type: 'dialFailed', sid }),
        received: (link, message) => this.received(link, message),
        closed: (link) => this.closed(link),
        drained: (link) => {
          this.sender.drained(link);
          this.outgoing.drained(link);
        },
        turn: () => node.turn(),
        foreign: (_sid, sentence) => this.metForeign(sentence),
        moved: (sentence, isDone) => (isDone ? logger.info(sentence) : logger.error(sentence)),
        complaint: (sentence) => {
          logger.warn(sentence);
          if (!this.noted && isAboutApache(sentence)) void this.meetApache(sentence);
        },
      },
    );
    this.others = new Others(node, config, this.peers);
    this.outgoing = new Outgoing(
      {
        send: (link, message) => this.peers.send(link, message),
        flush: () => this.peers.flush(),
        later: (run) => void setImmediate(run),
        overrun: (link, bytes) => {
          logger.warn(`a learner does not keep up: ${bytes} bytes wait for it; it is cut off, to be synchronised anew`);
          // what asked for it is a step of zab, and that ends first
          setImmediate(() => this.giveUp(link, 'it does not keep up'));
        },
      },
      MOST_BEHIND,
    );
    this.syncs = new Syncs({
      tally: node.tally,
      most: config.mostSyncs,
      sendAway: (link, reason) => this.sendAway(link, reason),
      isObserver: (link) => node.server.peer.audience?.each.find((each) => each.link === link)?.isObserver === true,
    });
    this.sender = new SnapshotSender({
      storage: node.storage,
      transfer: node.options.transfer ?? TRANSFER,
      send: (link, message) => this.peers.send(link, message),
      flush: () => node.turn(),
      warn: (sentence) => logger.warn(sentence),
      hangUp: (link, reason) => this.giveUp(link, reason),
      unsound: (at) => node.step({ type: 'snapshotDoubted', at }),
    });
  }
  /** Where zoo.cfg says, or where an earlier life of this process was moved to. */
  private get listensAt(): EnsembleConfig['listen'] {
    const port: ClientPort | undefined = this.node.port; // there is none yet in the first life
    return (port?.places.config.ensemble ?? this.config).listen;
  }
  private giveUp(link: number, reason: string): void {
    if (this.node.ensemble !== this) return;
    this.peers.hangUp(link, reason);
    this.closed(link);
  }
  private closed(link: number): void {
    this.forget(link);
    this.node.step({ type: 'closed', link });
  }
  /**
   * An observer that lost its leader lets the voters go first, where zoo.cfg says for how long; half of the time at most that it
   * has until it looks for another.
   */
  private dial(to: number): void {
    const { node, peers, config } = this;
    const { clock } = node.ports;
    const pause = Math.min(config.reconnectDelayMs, (config.initLimit * node.options.config.tickTimeMs) / 2);
    const now = clock.monotonic();
    node.tally.dialled(now);
    const wait = this.lostAt === undefined ? 0 : this.lostAt + pause - now;
    this.lostAt = undefined;
    if (wait <= 0) return peers.dial(to);
    clock.after(wait, () => {
      if (node.ensemble === this && node.server.peer.followed === to) peers.dial(to);
    });
  }
  private forget(link: number): void {
    const { server, ports } = this.node;
    if (link === this.leaderLink && server.serving && server.peer.role === 'observing')
      this.lostAt = ports.clock.monotonic();
    this.sender.closed(link);
    this.transfers.closed(link);
    this.outgoing.closed(link);
    this.syncs.ended(link);
    this.node.server.gone(link);
  }
  /** An observer is to come again when fewer are synchronised. What asked for it is a step of zab, and that ends first. */
  private sendAway(link: number, reason: string): void {
    this.node.options.logger.info(`server ${this.peers.sidOf(link)} is to come again: ${reason}`);
    this.peers.hangUp(link, reason);
    setImmediate(() => this.giveUp(link, reason));
  }
  private identity(): PeerIdentity {
    const { storage, sid, server } = this.node;
    const { incarnation } = storage.identity;
    // the state may know it before its own record does
    const ensembleId = server.tree.ensembleId || storage.identity.ensembleId;
    return { ensembleName: this.config.name, ensembleId, sid, incarnation, tag: storage.bootTag };
  }
  /** See {@link memberPast}. */
  past(loaded: Loaded): zab.Ensemble {
    this.metApache = loaded.metApache;
    this.noted = this.metApache;
    if (this.metApache) this.node.options.logger.error(MET_APACHE);
    return memberPast(this.node.options, this.config, loaded, this.unitMs);
  }

  /**
   * Who leads alone has a zoo.cfg that lists others: when one of them is of another ensemble, clients of one list would be served by
   * two (foundations.md 13.10). Only what is at an address of ours ends this server, not whoever calls; and one that was told to go
   * on without the others, or was restored from a backup, expects their old directories there, which are refused and no more (13.15).
   */
  private metForeign(sentence: string): void {
    const { server, options, storage } = this.node;
    if (this.isNamed && server.peer.isAlone && storage.identity.succeeds === null)
      options.onFailed(new StartError(43, `this server leads alone, and ${sentence}`));
  }
  private async meetApache(sentence: string): Promise<void> {
    if (!(await isBelieved(sentence, this.config)) || this.noted) return;
    this.noted = true;
    await noteApache(this.node).catch((error: Error) => this.node.diskFailed(error));
  }

  /** Opens the ports for other members and begins to call them. @throws StartError */
  async listen(): Promise<void> {
    this.configured();
    try {
      await this.peers.start();
    } catch (error) {
      const { quorum, election } = this.listensAt;
      const at = [...quorum, ...election].map(({ host, port }) => `${host}:${port}`).join(' or ');
      throw listenError(error, at, quorum[0]?.host, `server.${this.config.sid}`);
    }
  }
  /** The state says who belongs to the ensemble: after a config record, or with a snapshot. */
  configured(): void {
    this.others.know();
    this.naming.configured();
    const { node } = this;
    const { sid, options, port } = node;
    if (options.config.reconfigEnabled)
      port.places.heard(
        node.server.tree.config?.members.find((member) => member.sid === sid),
        (to) => this.peers.move(to),
      );
  }
  get isNamed(): boolean {
    return this.naming.isNamed;
  }
  get named(): Promise<void> {
    return this.naming.named;
  }
  tellMissing(): void {
    if (!this.metApache) this.others.tellMissing();
  }
  /** Of the node's whole life: a later ensemble of it goes on with them. */
  startTimers(chores: Chores): void {
    const { node, unitMs } = this;
    chores.every(MISSING_TICKS * node.options.config.tickTimeMs, () => node.ensemble?.tellMissing());
    chores.every(unitMs, () => {
      node.ensemble?.transfers.look(node.ensemble.leaderLink);
      node.step({ type: 'tick' });
    });
    chores.every(Math.max(1, Math.floor(node.options.config.tickTimeMs / 2)), () => {
      node.server.report();
      node.turn();
    });
  }

  /** The feature level agreed with the leader that this member follows. */
  get leaderLevel(): number {
    return this.peers.channelOf(this.leaderLink)?.level ?? GREETING_LEVEL;
  }
  toLeader(message: PeerMessage): void {
    this.peers.send(this.leaderLink, message);
  }
  toLearner(link: number, message: PeerMessage): void {
    this.peers.send(link, message);
  }
  /** Hands what was proposed to zab, and so to everybody: before anything else happens, since that may end the term. */
  hand(): void {
    if (!this.log.isWaiting) return;
    const { server } = this.node;
    server.tell();
    const entries = this.log.take();
    this.node.journey.hand(entries[entries.length - 1] as Position);
    server.step({ type: 'proposed', entries });
  }
  /** Before the log is written. */
  endTurn(): void {
    const { server } = this.node;
    this.hand();
    server.tell();
    const sync = server.nextSync();
    if (sync !== undefined) server.step({ type: 'sync', id: sync });
  }
  flush(): void {
    this.peers.flush();
  }
  private received(link: number, message: PeerMessage): void {
    const { node } = this;
    const { server } = node;
    const { peer } = server;
    switch (message.type) {
      case 'REQUEST':
      case 'LOCALREQUEST':
        // kept until it is applied: not a view on the frame
        if (message.epoch === peer.leader?.epoch) {
          const { type, epoch, session, xid, op, body, identities } = message;
          server.received(link, { type, epoch, session, xid, op, body: Buffer.from(body), identities });
        }
        return;
      case 'REVALIDATE':
      case 'TOUCHED':
      case 'SYNC':
        if (message.epoch !== peer.leader?.epoch) return;
        if (message.type === 'REVALIDATE') node.tally.add('revalidate_count');
        return server.received(link, message);
      case 'TAKEN':
      case 'MOVED':
      case 'REVALIDATED':
      case 'SYNCED':
        if (link === this.leaderLink && message.epoch === peer.currentEpoch) server.received(0, message);
        return;
      case 'ASKCHUNKS':
        this.transfers.asked(link, message);
        return this.sender.asked(link, message);
      case 'RESUME':
        this.transfers.asked(link, message);
        return this.sender.resumed(link, message);
      case 'CHUNK':
        if (link === this.leaderLink) this.incoming.chunk(message);
        return;
      case 'HELLO':
      case 'WELCOME':
      case 'REFUSED':
      case 'ALIVE':
      case 'ALIVE_ACK':
      case 'VOTE':
        return; // the connections' own
      case 'PROPOSAL':
      case 'INFORM':
        node.tally.add('learner_proposal_received_count', message.entries.length);
        break;
      case 'COMMIT':
        node.tally.add('learner_commit_received_count');
        node.journey.hears(message);
        break;
      case 'ACK':
        node.journey.acknowledged(this.peers.sidOf(link), message.upTo);
        break;
      case 'SNAP':
        this.incoming.snapEpoch = message.epoch;
    }
    node.step({ type: 'received', link, message: message as zab.Message });
    node.journey.heard(message);
  }

  perform(effect: Effect): void {
    const { node, peers } = this;
    switch (effect.type) {
      case 'gather':
        return peers.gather(effect.voters);
      case 'vote':
        return peers.vote(effect.to, effect.message as never);
      case 'dial':
        return whenTold(node, () => this.dial(effect.to));
      case 'send': {
        const { link, message } = effect;
        if (message.type === 'UPTODATE') this.syncs.ended(link);
        else if ((message.type === 'DIFF' || message.type === 'TRUNC') && !this.syncs.begin(link, 'diff')) return;
        return this.outgoing.send(link, message as PeerMessage);
      }
      case 'sendSnapshot':
        if (!this.syncs.begin(effect.link, 'snap')) return;
        this.outgoing.closed(effect.link); // what is still under way builds on what the learner does not have
        return this.sender.offer(effect.link, effect.message as never);
      case 'hangUp':
        this.forget(effect.link);
        return peers.hangUp(effect.link, effect.reason);
      case 'append':
        return this.incoming.append(effect.generation, effect.entries);
      case 'truncate': {
        const { generation, to } = effect;
        node.server.truncate(to);
        node.storage
          .truncate(generation, halvesOf(to))
          .then(() => node.step({ type: 'truncated', generation }))
          .catch((error: Error) => node.diskFailed(error));
        return;
      }
      case 'stageSnapshot':
        return this.incoming.stage(effect.generation, effect.at);
      case 'dropStaged':
        return this.incoming.forget(effect.generation);
      case 'installed':
        if (this.incoming.installed()) this.configured();
        return;
      case 'diverged':
        node.tally.add('digest_mismatches_count');
        node.options.logger.error(
          `server ${effect.sid} holds other transactions under the same numbers: only damage explains that; it gets all of it anew`,
        );
        return;
      case 'synced':
        return node.server.synced(effect.id);
      case 'handedOver':
        node.options.logger.info(`handed over to server ${effect.to}`);
        this.handed?.();
        return;
      case 'linesSettled':
        node.storage.setServerLines(this.config.lines).catch((error: Error) => node.diskFailed(error));
        return;
      case 'otherLines':
        node.options.logger.error(
          `server ${effect.sid} has other server lines than this one: no ensemble is founded before they are the same`,
        );
        return;
      case 'foundsNothing':
        node.options.logger.error(`server ${effect.sid} has no history and founds no ensemble; its log says why`);
        return;
      case 'repaired': {
        const how = `given again by server ${node.server.peer.followed}`;
        node.options.logger.info(`what was damaged is whole again: ${how}`);
        node.damage.mended(how);
        return;
      }
      case 'rolledBack':
        node.options.logger.error(
          'this directory is an old copy of what this server once was: it begins anew, as a new member',
        );
        node.reload(() => node.storage.newIncarnation());
        return;
    }
  }
  /** Who learns from this member while it leads, each with its connection. */
  learners(): readonly LearnerRow[] {
    const { audience } = this.node.server.peer;
    return (audience?.each ?? []).flatMap(({ link, sid, isObserver, sent, behind }) => {
      const channel = this.peers.channelOf(link);
      if (channel === undefined) return [];
      const { remote: address, established, waiting: waitingBytes, traffic } = channel;
      const zxid = sent === undefined ? 0n : (BigInt(sent.epoch) << 32n) | BigInt(sent.counter);
      return [{ sid, isObserver, address, established, waitingBytes, traffic, zxid, behind }];
    });
  }

  /** Hands over what this member leads, and waits for it a little. */
  async handOver(): Promise<void> {
    const { node } = this;
    // where nobody is left there is nobody to hand over to
    if (node.server.peer.role === 'leading' && this.peers.connected.length > 0) {
      const { clock } = node.ports;
      await new Promise<void>((resolve) => {
        const timer = clock.after(HAND_OVER_TICKS * node.options.config.tickTimeMs, resolve);
        this.handed = () => {
          timer[Symbol.dispose]();
          resolve();
        };
        node.step({ type: 'handOver' });
      });
    }
    this.peers.flush();
  }
  close(): void {
    this.incoming.drop();
    this.sender.close();
    this.outgoing.close();
    this.peers.close();
  }
}

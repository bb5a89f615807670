import type { Clock } from '../ports/clock.ts';
import type { Peer } from '../zab/peer.ts';
import type { Logger } from './log.ts';
import type { Tally } from './tally.ts';

/** How long this member went without serving, each time it looked for a leader: what log and metrics tell of it. */
export class Elections {
  /** Terms that ended. */
  ended = 0;
  /** How long it took last from looking to serving, ms; undefined before the first time. */
  lastMs: number | undefined;
  /** When it began to look for a leader, ms; undefined once it serves again. */
  private lookedAt: number | undefined;
  private readonly clock: Clock;
  private readonly tally: Tally;
  private readonly logger: Logger;

  constructor(clock: Clock, tally: Tally, logger: Logger) {
    this.clock = clock;
    this.tally = tally;
    this.logger = logger;
  }
  /** A term is over, and a leader is looked for. */
  looking(reason: string): void {
    const { logger } = this;
    this.ended++;
    logger.info(`looking for a leader: ${reason}`);
    this.lookedAt ??= this.clock.monotonic();
    this.tally.looked();
    logger.info('Peer state changed: looking');
  }
  /** It serves, in the role that it has by now. */
  serves({ role, phase }: Peer): void {
    const { tally, logger, lookedAt } = this;
    const now = this.clock.monotonic();
    tally.served(now, role === 'following' ? 'follower' : role === 'observing' ? 'observer' : undefined);
    if (lookedAt === undefined) return;
    this.lookedAt = undefined;
    const ms = now - lookedAt;
    this.lastMs = ms;
    tally.took('election_time', ms);
    tally.took('unavailable_time', ms);
    if (role === 'leading') tally.took('leader_unavailable_time', ms);
    logger.info(`${role.toUpperCase()} - LEADER ELECTION TOOK - ${Math.round(ms)} MS`);
    logger.info(`Peer state changed: ${role} - ${phase}`);
  }
}

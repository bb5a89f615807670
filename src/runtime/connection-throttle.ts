import type { ConnectionThrottleConfig } from '../server/config-limits.ts';

/** Where the session stands in the first frame of a connection, from its payload's start, and its length. */
const SESSION_AT = 16;
const SESSION_BYTES = 8;

/**
 * Lets so many handshakes through in a time: a bucket of tokens that fills by and by, and in front of it, where wanted, a
 * probability of refusing that grows while the bucket is found empty and falls while it is fuller than a part (BLUE). As
 * ZooKeeper's, settings and all. `now`: ms; `chance`: from 0 to below 1.
 */
export class ConnectionThrottle {
  /** How likely a handshake is refused beside the bucket. */
  drop = 0;
  private tokens: number;
  private filledAt: number;
  private changedAt: number;
  private readonly config: ConnectionThrottleConfig;
  private readonly chance: () => number;

  constructor(config: ConnectionThrottleConfig, now: number, chance: () => number = Math.random) {
    this.config = config;
    this.chance = chance;
    this.tokens = config.tokens;
    this.filledAt = now;
    this.changedAt = now;
  }
  /** Tokens that the bucket lacks. */
  get deficit(): number {
    return this.config.tokens - this.tokens;
  }
  /** Pays for this handshake, if it can be paid. */
  admits(bytes: Buffer, start: number, end: number, now: number): boolean {
    const { fresh, renewed } = this.config.weights;
    const at = start + SESSION_AT;
    const isFresh = at + SESSION_BYTES > end || bytes.readBigInt64BE(at) === 0n;
    return this.pay(isFresh ? fresh : renewed, now);
  }
  private pay(need: number, now: number): boolean {
    const { tokens: most, fillTimeMs, fillCount, freezeTimeMs } = this.config;
    const since = now - this.filledAt;
    if (since > fillTimeMs) {
      this.tokens = Math.min(most, this.tokens + Math.floor((since * fillCount) / fillTimeMs));
      this.filledAt = now;
    }
    if (freezeTimeMs !== undefined && this.loses(freezeTimeMs, now)) return false;
    if (this.tokens < need) return false;
    this.tokens -= need;
    return true;
  }
  private loses(freezeTimeMs: number, now: number): boolean {
    const { tokens: most, dropIncrease, dropDecrease, decreaseRatio } = this.config;
    if (now - this.changedAt > freezeTimeMs) {
      const missing = most - this.tokens;
      if (missing === most) this.drop = Math.min(1, this.drop + dropIncrease);
      else if (missing <= Math.round(most * decreaseRatio)) this.drop = Math.max(0, this.drop - dropDecrease);
      this.changedAt = now;
    }
    return this.chance() < this.drop;
  }
}

import type { Reader } from './config-reader.ts';

/** Bounds that are off unless they are set. Times are milliseconds, sizes bytes. */
export interface LimitsConfig {
  /** Requests longer than the threshold count; when those under way come to more, their connection ends. Undefined: off. */
  readonly largeRequests: { readonly threshold: number; readonly maxBytes: number } | undefined;
  /** Requests under way before nobody's are taken. Undefined: off. */
  readonly requestThrottle: { readonly maxRequests: number; readonly dropStale: boolean } | undefined;
  /** A request that waited longer to be taken is refused; undefined: off. */
  readonly throttledOpWaitMs: number | undefined;
  /** Undefined: off. */
  readonly connectionThrottle: ConnectionThrottleConfig | undefined;
}

/** A bucket of tokens that handshakes are paid from, and a probability of refusing them that learns (BLUE). */
export interface ConnectionThrottleConfig {
  readonly tokens: number;
  readonly fillTimeMs: number;
  readonly fillCount: number;
  /** Between two changes of the probability; undefined: there is none. */
  readonly freezeTimeMs: number | undefined;
  readonly dropIncrease: number;
  readonly dropDecrease: number;
  readonly decreaseRatio: number;
  /** What a new session and one that is taken up again cost, tokens. */
  readonly weights: { readonly fresh: number; readonly renewed: number };
}

export function limitsConfig(take: Reader): LimitsConfig {
  const threshold = take.int('largeRequestThreshold');
  const maxRequests = take.int('request_throttle_max_requests');
  const waitMs = take.int('throttled_op_wait_time');
  return {
    largeRequests: threshold < 0 ? undefined : { threshold, maxBytes: take.atLeast('largeRequestMaxBytes', 1) },
    requestThrottle: maxRequests < 1 ? undefined : { maxRequests, dropStale: take.flag('request_throttle_drop_stale') },
    throttledOpWaitMs: waitMs < 1 ? undefined : waitMs,
    connectionThrottle: connectionThrottle(take),
  };
}

function connectionThrottle(take: Reader): ConnectionThrottleConfig | undefined {
  const tokens = take.int('connection_throttle_tokens');
  if (tokens < 1) return undefined;
  const freeze = take.int('connection_throttle_freeze_time');
  const isWeighted = take.flag('connection_throttle_weight_enabled');
  const fresh = take.flag('localSessionsEnabled')
    ? take.atLeast('connection_throttle_local_session_weight', 1)
    : take.atLeast('connection_throttle_global_session_weight', 1);
  return {
    tokens,
    fillTimeMs: take.atLeast('connection_throttle_fill_time', 1),
    fillCount: take.atLeast('connection_throttle_fill_count', 1),
    freezeTimeMs: freeze < 0 ? undefined : freeze,
    dropIncrease: take.part('connection_throttle_drop_increase'),
    dropDecrease: take.part('connection_throttle_drop_decrease'),
    decreaseRatio: take.part('connection_throttle_decrease_ratio'),
    weights: isWeighted
      ? { fresh, renewed: take.atLeast('connection_throttle_renew_session_weight', 1) }
      : { fresh: 1, renewed: 1 },
  };
}

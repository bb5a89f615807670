import { createHash } from 'node:crypto';
import type { EnsembleConfig } from '../server/config.ts';
import type * as zab from '../zab/types.ts';
import { ORIGIN } from '../zab/types.ts';
import type { Loaded } from './load.ts';
import { markOf, placeOf } from './marks.ts';
import type { StartOptions } from './node-options.ts';
import { REMEMBER_BYTES } from './recent.ts';

/** How long an election looks for a better vote, ms (finalizeWait). */
const DRAIN_MS = 200;

/** What the directory tells zab of this server's past, alone or a member. */
export function pastOf({ storage, tree }: Loaded, sid: number): zab.Past {
  const { identity, damage, last, committed, toldStarts } = storage;
  return {
    sid,
    incarnation: identity.incarnation,
    bootTag: toldStarts.bootTags.at(-1) ?? '',
    acceptedEpoch: identity.acceptedEpoch,
    currentEpoch: identity.currentEpoch,
    last: placeOf(last),
    committed: placeOf(committed),
    config: tree.config,
    seenTags: new Set<string>(),
    ...(damage === undefined ? {} : { damage: { mayHaveAcked: placeOf(damage.mayHaveAcked) } }),
  };
}

/** What zab needs beside the past of this server; its clock ticks every `unitMs`. */
export function memberPast(
  options: StartOptions,
  config: EnsembleConfig,
  loaded: Loaded,
  unitMs: number,
): zab.Ensemble {
  const { identity, newestSnapshot, toldStarts } = loaded.storage;
  const { startsUpTo } = toldStarts;
  return {
    limits: limitsOf(config, options.config.tickTimeMs, unitMs),
    tags: toldStarts.bootTags,
    startsUpTo: startsUpTo === null ? undefined : placeOf(startsUpTo),
    base: loaded.base,
    recent: loaded.recent,
    configs: loaded.configs,
    seen: loaded.seen,
    snapshot: newestSnapshot === undefined ? ORIGIN : markOf(newestSnapshot),
    peers: config.servers.map(({ id }) => id),
    // who lost a history waits for a leader: it founds nothing; nor does who would found an empty one in the place of Apache's
    founders:
      identity.amnesiac || loaded.metApache
        ? undefined
        : {
            members: config.members,
            maxTxnBytes: options.config.maxBufferBytes * 2,
            lines: config.linesHash,
            enough: options.bootstrapWith,
          },
    lines: {
      stored: storedHash(identity.serverLines),
      now: hashOf(config.lines),
      members: config.members,
      govern: !options.config.reconfigEnabled,
    },
    remember: config.commitLogCount,
    rememberBytes: REMEMBER_BYTES,
  };
}

/** Times of zab's clock, which ticks every `unitMs`. */
export function limitsOf(config: EnsembleConfig, tickMs: number, unitMs: number): zab.Limits {
  const ticks = (count: number): number => Math.max(1, Math.round((count * tickMs) / unitMs));
  const ms = (time: number): number => Math.max(1, Math.round(time / unitMs));
  return {
    notify: ms(config.notify.leastMs),
    notifyMost: ms(config.notify.mostMs),
    drain: ms(DRAIN_MS),
    ping: ticks(0.5),
    init: ticks(config.initLimit),
    sync: ticks(config.syncLimit),
    silence: ticks(config.silenceTicks),
    ask: ticks(2),
  };
}

const hashOf = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex');
/** Undefined in a directory that never kept any. */
const storedHash = (lines: readonly string[]): string | undefined => (lines.length === 0 ? undefined : hashOf(lines));

import type { History } from './history.ts';
import { isQuorumOfAll, type Voice } from './quorum.ts';
import { isBefore, isSame, type Mark, type Position, positionOf } from './types.ts';

/** A voter's word for everything up to a place. */
export interface Holder {
  readonly voice: Voice;
  readonly upTo: Position;
}

/** The highest place beyond `least`, `limit` at most, up to which holders are a quorum by `isEnough`; `least` when none is. */
function heldBy(
  holders: readonly Holder[],
  least: Position,
  limit: Position,
  isEnough: (voices: readonly Voice[]) => boolean,
): Position {
  for (let place = limit; isBefore(least, place); ) {
    const voices: Voice[] = [];
    let lower = least;
    let highest = least;
    for (const { voice, upTo } of holders) {
      if (!isBefore(upTo, place)) voices.push(voice);
      else if (isBefore(lower, upTo)) lower = upTo;
      if (isBefore(highest, upTo)) highest = upTo;
    }
    if (isBefore(highest, place)) place = highest;
    else if (isEnough(voices)) return place;
    else place = lower;
  }
  return least;
}

/**
 * Commits what holders that are a quorum of every config in force there have on disk, and returns the config records among it.
 * A config record needs the quorum of the config before it and its own; until it has both nothing behind it is committed
 * (foundations.md 6, 13.7).
 */
export function commitHeld(history: History, holders: readonly Holder[]): Mark[] {
  const configs: Mark[] = [];
  for (;;) {
    const { config, next } = history.configsAt(history.committed);
    const before = config === undefined ? [] : [config]; // nothing is before the first
    const limit = next === undefined ? history.last : (history.before(next.at) ?? history.committed);
    const held = history.floor(heldBy(holders, history.committed, limit, (voices) => isQuorumOfAll(before, voices)));
    if (held !== undefined) history.commit(positionOf(held));
    if (next === undefined || !isSame(history.committed, limit)) return configs;
    const both = heldBy(holders, history.committed, next.at, (voices) =>
      isQuorumOfAll([...before, next.config], voices),
    );
    if (!isSame(both, next.at)) return configs;
    history.commit(next.at);
    configs.push(next.at);
  }
}

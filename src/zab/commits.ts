import type { History } from './history.ts';
import { isQuorumOfAll, type Voice } from './quorum.ts';
import { isBefore, isSame, type Mark, ORIGIN, type Position, positionOf } from './types.ts';

/** A voter's word for everything up to a place. */
export interface Holder {
  readonly voice: Voice;
  readonly upTo: Position;
}

/** The highest place up to which holders are a quorum by `isEnough`, `limit` at most; the origin when there is none. */
function heldBy(
  holders: readonly Holder[],
  limit: Position,
  isEnough: (voices: readonly Voice[]) => boolean,
): Position {
  const places = holders.map(({ upTo }) => (isBefore(limit, upTo) ? limit : upTo));
  places.sort((a, b) => (isBefore(a, b) ? 1 : isBefore(b, a) ? -1 : 0));
  for (const place of places) {
    const voices = holders.filter(({ upTo }) => !isBefore(upTo, place)).map(({ voice }) => voice);
    if (isEnough(voices)) return place;
  }
  return ORIGIN;
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
    const held = history.floor(heldBy(holders, limit, (voices) => isQuorumOfAll(before, voices)));
    if (held !== undefined) history.commit(positionOf(held));
    if (next === undefined || !isSame(history.committed, limit)) return configs;
    const both = heldBy(holders, next.at, (voices) => isQuorumOfAll([...before, next.config], voices));
    if (!isSame(both, next.at)) return configs;
    history.commit(next.at);
    configs.push(next.at);
  }
}

import { compareHalves, type Halves } from '../records/log-record.ts';

/** Boot tags that are kept, and told to others. */
export const MAX_BOOT_TAGS = 256;

/** The starts of a directory under one incarnation, as its record keeps them. */
export interface Starts {
  /** A random tag per start that others were or may have been told of, oldest first. */
  readonly bootTags: readonly string[];
  /**
   * Every start that a `seen` record up to here tells of is one of this directory's, though its tag may be kept no longer. Null:
   * every tag is kept.
   */
  readonly startsUpTo: Halves | null;
}
/** The last `seen` record of this directory that its own log knows committed. */
export interface SeenStart {
  readonly tag: string;
  readonly at: Halves;
}

/**
 * What the record says once others are told of a start under `tag`. Others refuse a directory that lacks the start which their
 * log saw last (foundations.md 13.9), and any of those told of may be that one: its record may be in logs that this directory
 * never read. So only tags before that of `seen` are ever dropped, and not before there is need to: `seen` records stand in the log
 * in the order of the starts, so what is dropped was seen no later than there, if at all, and that is told in their place. Where
 * that makes no room, since so many starts were told of and none was seen to stay, this one goes under the tag of the last:
 * a copy of the directory made since cannot be told apart by it.
 */
export function startsWith({ bootTags, startsUpTo }: Starts, tag: string, seen: SeenStart | undefined): Starts {
  if (bootTags.length < MAX_BOOT_TAGS) return { bootTags: [...bootTags, tag], startsUpTo };
  if (seen === undefined) return { bootTags, startsUpTo };
  const from = bootTags.indexOf(seen.tag);
  // its own log saw a start that the record lacks: the record is an older one, and does not know all up to there
  if (from < 0) return { bootTags, startsUpTo };
  const upTo = startsUpTo !== null && compareHalves(seen.at, startsUpTo) < 0 ? startsUpTo : seen.at;
  return { bootTags: from > 0 ? [...bootTags.slice(from), tag] : bootTags, startsUpTo: upTo };
}

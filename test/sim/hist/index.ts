import { diskTales } from './disk-tales.ts';
import { otherTales } from './other-tales.ts';
import type { Named } from './story.ts';
import { syncTales } from './sync-tales.ts';

/** Named histories: `hist/<id>` (reliability.md 4). Several ids may be one story. */
export const TALES: Readonly<Record<string, Named>> = { ...syncTales, ...diskTales, ...otherTales };

import { plural } from '../shell/units.ts';

/** `5 sessions and their 6 ephemeral nodes`, of what is taken over or left behind. */
export const sessionsText = (sessions: number, ephemerals: number): string =>
  sessions === 0
    ? 'no sessions'
    : `${plural(sessions, 'session')} and ${sessions === 1 ? 'its' : 'their'} ${plural(ephemerals, 'ephemeral node')}`;

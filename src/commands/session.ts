import { command } from '../shell/command.ts';
import { hex } from '../shell/units.ts';

/** What is known about the session. */
export default command({
  name: 'session',
  group: 'session',
  about: 'show the session: id, server, timeout, identities, what it owns',
  risk: 'read',
  params: {},
  examples: [['session', 'all of it']],
  exits: [3],
  async run(_values, context) {
    const client = await context.client();
    const { signal } = context;
    const began = performance.now();
    await client.exists('/', { signal });
    const rttMs = Math.round((performance.now() - began) * 10) / 10;
    // servers before 3.7 hang up on whoAmI, and then this session would be the price of a line
    const ephemerals = (await client.getEphemerals('/', { signal })).length;
    const json = {
      id: hex(client.sessionId),
      state: client.state,
      server: client.server ?? null,
      timeoutMs: client.negotiatedTimeoutMs,
      chroot: client.chroot,
      lastZxid: hex(client.lastZxid),
      rttMs,
      ephemerals,
      watches: client.watches().length,
    };
    return {
      type: 'fields',
      fields: Object.entries(json).map(
        ([name, value]) => [name, value === null || value === '' ? '-' : String(value)] as const,
      ),
      json,
    };
  },
});

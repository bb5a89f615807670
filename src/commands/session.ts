import { isDigestScheme } from '../base/digest-schemes.ts';
import type { Credential } from '../client/api.ts';
import { command } from '../shell/command.ts';
import { isAtLeast } from '../shell/server-facts.ts';
import { hex, showDuration } from '../shell/units.ts';

/** For people. */
const NAMES: Readonly<Record<string, string>> = {
  client: 'our address',
  timeoutMs: 'timeout',
  lastZxid: 'last zxid',
  rttMs: 'round trip',
};

/** What is known about the session. */
export default command({
  name: 'session',
  group: 'session',
  about: 'show the session: id, server, timeout, identities, what it owns',
  risk: 'read',
  params: {},
  examples: [
    ['session', 'all of it'],
    ['session | grep timeout', 'one line of it'],
    ['session && watches', 'and its watches'],
  ],
  exits: [3],
  notes: [
    'Role and version are asked with the word srvr. Servers before 3.7 do not tell who we are to them; then the credentials that were presented stand there.',
  ],
  async run(_values, context) {
    const client = await context.client();
    const { signal, session } = context;
    const began = performance.now();
    await client.exists('/', { signal });
    const rttMs = Math.round((performance.now() - began) * 10) / 10;
    const facts = await session.facts();
    // servers before 3.7 hang up on whoAmI, and then this session would be the price of a line
    const isTold = isAtLeast(facts?.version, 3, 7);
    const identities = isTold ? await client.whoAmI({ signal }) : session.credentials.map(presented);
    // 3.6 can say what we own
    const ephemerals =
      facts?.version === undefined || isAtLeast(facts.version, 3, 6)
        ? (await client.getEphemerals('/', { signal })).length
        : null;
    const json = {
      id: hex(client.sessionId),
      state: client.state,
      server: client.server ?? null,
      role: facts?.role ?? null,
      version: facts?.version ?? null,
      // the address the server sees is an identity of its own
      client: (isTold && identities.find(({ scheme }) => scheme === 'ip')?.id) || null,
      timeoutMs: client.negotiatedTimeoutMs,
      chroot: client.chroot,
      lastZxid: hex(client.lastZxid),
      rttMs,
      identities,
      ephemerals,
      watches: (await session.watches()).length,
    };
    return {
      type: 'fields',
      fields: Object.entries(json).map(([name, value]) => [name, shown(value)] as const),
      humanFields: Object.entries({ ...json, timeoutMs: showDuration(json.timeoutMs), rttMs: `${rttMs}ms` }).map(
        ([name, value]) => [NAMES[name] ?? name, shown(value)] as const,
      ),
      json,
    };
  },
});

const presented = ({ scheme, auth }: Credential): { scheme: string; id: string } => ({
  scheme,
  // of digest the part before the colon is no secret; of others nobody knows
  id: isDigestScheme(scheme) ? (Buffer.from(auth).toString().split(':')[0] ?? '') : '',
});

function shown(value: unknown): string {
  if (Array.isArray(value))
    return value.map(({ scheme, id }: { scheme: string; id: string }) => `${scheme}:${id}`).join(' ') || '-';
  return value === null || value === '' ? '-' : String(value);
}

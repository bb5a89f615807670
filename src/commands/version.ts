import { command } from '../shell/command.ts';

/** What runs here and there. */
export default command({
  name: 'version',
  group: 'session',
  about: 'show the versions of this shell, the protocol and the server',
  risk: 'read',
  params: {},
  examples: [
    ['version', 'all three'],
    ['version | head -1', 'that of this program'],
    ['version && status', 'and how the servers are'],
  ],
  notes: ['The server is asked with the word srvr; no session is begun for it.'],
  async run(_values, context) {
    const { session, version } = context;
    const facts = await session.facts();
    const server = facts === undefined ? '-' : `${facts.version ?? '?'} at ${facts.server}`;
    return {
      type: 'fields',
      fields: [
        ['client', `zoosh ${version}`],
        ['protocol', PROTOCOL],
        ['server', server],
      ],
      json: { client: version, protocol: PROTOCOL, server: facts?.version ?? null, address: facts?.server ?? null },
    };
  },
});

/** What is said when a session begins; it has been 0 ever since. */
const PROTOCOL = '0';

import { command } from '../shell/command.ts';

/** The identities of this connection. */
export default command({
  name: 'whoami',
  group: 'session',
  about: 'show the identities the server knows this session by',
  risk: 'read',
  params: {},
  examples: [
    ['whoami', 'scheme and id, one a line'],
    ['whoami | grep digest', '1 when no password was presented'],
    ['whoami && getAcl /app', 'who we are, and who may do what'],
  ],
  exits: [21],
  async run(_values, context) {
    const client = await context.client();
    const ids = await client.whoAmI({ signal: context.signal });
    const fields = ids.map(({ scheme, id }) => [scheme, id] as const);
    return { type: 'fields', fields, headings: ['scheme', 'id'], json: ids };
  },
});

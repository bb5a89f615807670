import { command } from '../shell/command.ts';
import { goTo, refuseWaiting } from '../shell/go-to.ts';
import { hex } from '../shell/units.ts';

/** Goes to a profile. */
export default command({
  name: 'use',
  group: 'session',
  about: 'begin a new session with the servers of a profile',
  risk: 'read',
  params: { profile: { kind: 'profile', about: 'name of the profile, with or without @' } },
  examples: [
    ['use @prod', 'the servers of prod; profile list shows all profiles'],
    ['use @local', 'the next commands go there'],
    ['use prod && ls /', 'the name does without @, too'],
  ],
  exits: [3, 4],
  notes: [
    'Refused while operations of a transaction wait, which are meant for the servers in use: commit or abort first.',
  ],
  async run({ profile }, context) {
    refuseWaiting('use', context);
    const name = profile.replace(/^@/, '');
    context.profiles.get(name); // a misspelt name must not cost the session we have
    const client = await goTo(`@${name}`, context);
    return {
      type: 'done',
      text: `connected to ${client.server}, session ${hex(client.sessionId)}`,
      json: { profile: name, server: client.server, session: hex(client.sessionId) },
    };
  },
});

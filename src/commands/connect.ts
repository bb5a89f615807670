import { command } from '../shell/command.ts';
import { goTo, refuseWaiting } from '../shell/go-to.ts';
import { hex } from '../shell/units.ts';

/** Begins a new session. */
export default command({
  name: 'connect',
  group: 'session',
  about: 'begin a new session, here or with other servers',
  risk: 'read',
  params: {
    target: {
      kind: 'target',
      about: 'host:port,... with an optional /chroot, or @profile; none means the same again',
      optional: true,
    },
  },
  examples: [
    ['connect', 'the same servers again'],
    ['connect zk1:2181,zk2:2181/app', 'others'],
    ['connect @staging', 'a profile; profile list shows them'],
  ],
  exits: [3, 4],
  notes: [
    'Refused while operations of a transaction wait, which are meant for the servers in use: commit or abort first.',
  ],
  async run({ target }, context) {
    refuseWaiting('connect', context);
    const client = await goTo(target, context);
    return {
      type: 'done',
      text: `connected to ${client.server}, session ${hex(client.sessionId)}`,
      json: { server: client.server, session: hex(client.sessionId), timeoutMs: client.negotiatedTimeoutMs },
    };
  },
});

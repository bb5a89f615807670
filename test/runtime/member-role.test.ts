/** What a member tells of its part in an ensemble after a reconfig gave it another than it had at its start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from '../../src/records/txns.ts';
import type { CommandContext } from '../../src/runtime/admin/command.ts';
import { MEMBER_COMMANDS } from '../../src/runtime/admin/member-commands.ts';
import type { WordContext } from '../../src/runtime/words/context.ts';
import { memberSettings } from '../../src/runtime/words/member.ts';
import { memberOf } from '../zab/sim-node.ts';

/** Member 3, which zoo.cfg called `started`, in an ensemble of `members`; undefined: it has not met one yet. */
function contextOf(started: Member['role'], members: readonly Member[] | undefined): CommandContext {
  const at = [{ host: '127.0.0.1', port: 1 }];
  const own = { quorum: at, election: at, client: undefined };
  const ensemble = { sid: 3, role: started, own, listen: own, initLimit: 5, syncLimit: 2 };
  const config = members === undefined ? undefined : { members, maxTxnBytes: 1000 };
  return {
    config: { serverId: 3, ensemble },
    server: {
      ...{ readOnly: false, peer: { isMember: true, role: 'following', phase: 'broadcast' } },
      tree: { config, members: { configAt: undefined }, zxidHi: 1, zxidLo: 1 },
    },
  } as unknown as CommandContext;
}
async function told(context: CommandContext): Promise<string> {
  const zabstate = MEMBER_COMMANDS.find(({ names }) => names[0] === 'zabstate');
  const answer = (await zabstate?.run(context)) as { readonly fields: { readonly voting: boolean } };
  const peerType = memberSettings(context as WordContext)?.find((line) => line.startsWith('peerType='));
  return `${peerType} voting=${answer.fields.voting}`;
}

test('conf and zabstate tell the role that the ensemble gave it last, and of zoo.cfg only before it has met one', async () => {
  const others = [memberOf(1, 'i1'), memberOf(2, 'i2')];
  assert.equal(await told(contextOf('observer', undefined)), 'peerType=1 voting=false');
  assert.equal(await told(contextOf('participant', undefined)), 'peerType=0 voting=true');
  assert.equal(
    await told(contextOf('observer', [...others, memberOf(3, 'i3', 'observer')])),
    'peerType=1 voting=false',
  );
  assert.equal(await told(contextOf('observer', [...others, memberOf(3, 'i3')])), 'peerType=0 voting=true');
  assert.equal(
    await told(contextOf('participant', [...others, memberOf(3, 'i3', 'observer')])),
    'peerType=1 voting=false',
  );
  // removed: no observer to ZooKeeper, and no voter
  assert.equal(await told(contextOf('observer', others)), 'peerType=0 voting=false');
});

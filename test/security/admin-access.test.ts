/** Who may ask the admin server what: every command by every wrong principal, of whom none gets or changes anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONG } from '../amount.ts';
import {
  type Asked,
  adminScene,
  GUARDED,
  HIDDEN,
  OPEN,
  type Reply,
  ROOTS,
  refusal,
  SUPER,
  WRONG,
  worst,
} from './access/admin.ts';
import { certificateOf } from './access/holders.ts';
import { need } from './access/matrix.ts';

const hidden = Object.values(HIDDEN);
type Scene = Awaited<ReturnType<typeof adminScene>>;
const give = async ({ boss }: Scene, acl: (typeof ROOTS)[string]['acl']): Promise<void> => {
  const entries = acl.map(({ perms, scheme, id }) => ({ perms, id: { scheme, id } }));
  await need(boss.ask('setAcl', { path: '/', acl: entries, version: -1 }));
};

/** Of `npm test`, but for the one list that names most: who comes nearest. */
const FEW = [undefined, 'digest ops:wrong', 'digest no-admin:x', 'digest ann:annsecret', 'sasl ann'];
for (const [root, { acl, right }] of Object.entries(ROOTS))
  test(`the ACL of / ${root}: whoever is wrong gets a refusal and no more, and changes nothing`, async () => {
    await using scene = await adminScene();
    await give(scene, acl);
    const before = scene.state();
    let [asked, said, leaks] = [0, 0, 0];
    const turnedAway = ({ status, headers, text }: Reply, whole: string | undefined, what: string): void => {
      asked++;
      if (hidden.some((each) => text.includes(each))) leaks++;
      assert.ok(status === 401 || status === 403, `${what}: ${status} ${text}`);
      assert.equal(text, whole, what);
      assert.deepEqual([headers.last_zxid, headers.snapshot_size], [undefined, undefined]);
    };
    const all = LONG || root === 'of many';
    const everybody = [...(all ? WRONG : FEW), ...Object.values(ROOTS).flatMap((other) => other.right)].filter(
      (each) => each === undefined || !right.includes(each),
    );
    for (const auth of everybody)
      for (const command of GUARDED) {
        const ask = async (name: string, more: Asked = {}): Promise<void> => {
          const [path, how] = worst(command, name);
          const reply = await scene.ask(path, { ...how, ...more, auth });
          if (auth !== undefined) said++;
          const whole = more.method === 'HEAD' ? '' : refusal(command, reply.status, auth);
          turnedAway(reply, whole, `${name} by "${auth}"`);
        };
        const inEachWay = LONG || (all && FEW.includes(auth));
        await Promise.all((inEachWay ? command.names : command.names.slice(0, 1)).map((name) => ask(name)));
        if (inEachWay && command.method === 'GET') await ask(command.names[0], { method: 'HEAD' });
      }
    // a certificate that its authority vouches for proves nothing here, whoever it is made out to
    for (const shown of (LONG ? ['root', 'ann', 'super'] : all ? ['root'] : []).map(certificateOf))
      for (const auth of [undefined, 'x509 CN=root'])
        await Promise.all(
          GUARDED.map(async (command) => {
            const [path, how] = worst(command);
            const reply = await scene.ask(path, { ...how, auth, shown });
            if (auth !== undefined) said++;
            turnedAway(reply, refusal(command, 401, auth), `${path} by a certificate and "${auth}"`);
          }),
        );
    assert.deepEqual([leaks, scene.failed(), scene.state()], [0, said, before]);
    console.log(`the ACL of / ${root}: ${asked} times asked by somebody wrong, ${leaks} leaks`);

    // what is asked by another method is not done either, whoever asks
    for (const command of GUARDED)
      for (const auth of [undefined, SUPER]) {
        const method = command.method === 'GET' ? 'POST' : 'GET';
        assert.equal((await scene.ask(command.names[0], { method, auth })).status, 405);
      }
    assert.equal(scene.state(), before);
    // and by who is right all of it is answered, and what was hidden is there to be seen
    for (const auth of [SUPER, ...right]) {
      let shown = '';
      for (const command of GUARDED.filter(({ names: [name] }) => name !== 'shed_connections')) {
        const { status, text } = await scene.ask(worst(command)[0], { ...worst(command)[1], auth });
        assert.equal(status, command.names[0] === 'restore' ? 503 : 200, `${command.names[0]} by ${auth}: ${text}`);
        if (command.names[0] !== 'snapshot') shown += text;
      }
      assert.deepEqual(
        hidden.filter((each) => shown.includes(each)),
        [HIDDEN.path, HIDDEN.folder, HIDDEN.ip],
      );
      assert.notEqual(scene.state(), before);
    }
    const shed = GUARDED.find(({ names: [name] }) => name === 'shed_connections') ?? assert.fail();
    assert.match((await scene.ask(worst(shed)[0], { ...worst(shed)[1], auth: SUPER })).text, /"connections_shed" : 1,/);
  });

test('commands for everybody tell nobody of paths, data, folders or addresses, whatever he says of himself', async () => {
  await using scene = await adminScene();
  for (const auth of [...WRONG, SUPER])
    for (const command of OPEN)
      for (const name of command.names) {
        const { status, text } = await scene.ask(name, { auth });
        assert.equal(status, 200, name);
        assert.deepEqual(
          hidden.filter((each) => text.includes(each)),
          [],
          name,
        );
      }
  assert.deepEqual(
    OPEN.map(({ names: [name] }) => name),
    ['is_read_only', 'leader', 'monitor', 'ruok', 'server_stats', 'zabstate'],
  );
});

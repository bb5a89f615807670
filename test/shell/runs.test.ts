/** Commands that are run for many nodes: asked about as one, taken back as one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { refused } from '../../src/shell/failure.ts';
import { type Rig, rig } from './rig.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-runs-'));
let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  client = await connect(server.connectString);
  await client.create('/a', null);
  for (let at = 10; at < 40; at++) await client.create(`/a/n${at}`, 'old');
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

let count = 0;
const prompt = (): Rig => rig(client, {}, new Map(), { trash: join(home, String(++count)), asks: true });
const data = async (path: string): Promise<string> => String((await client.get(path)).data);

test('each and find -exec with a change say for how many nodes, and ask before the first', async () => {
  for (const line of ['each /a/* do set {} new', 'find /a -name n* -exec set {} new']) {
    const it = prompt();
    assert.equal(await it.shell.run(line), 0, JSON.stringify(it.told));
    const [plan] = it.plans;
    assert.equal(it.plans.length, 1, line);
    assert.equal(plan?.count, 30);
    assert.match(plan?.what ?? '', /^run set \{\} new for 30 nodes at \/a/);
    assert.ok(plan?.what.includes(plan.path), 'the path that is typed on a protected profile is seen');
    assert.equal(plan?.keepsUndo, false, 'many are asked about, whatever undo keeps');
    const no = prompt();
    no.shell.ports.confirm = async () => {
      throw refused('no', 'no');
    };
    await client.set('/a/n10', 'mine');
    assert.equal(await no.shell.run(line), 30);
    assert.equal(await data('/a/n10'), 'mine', 'nothing was sent');
  }
});

test('what only reads, few nodes, what is within another and what waits in a transaction', async () => {
  for (const line of ['each /a/* do get {}', 'find /a -exec get {}', 'each /a/* do set -n {} x']) {
    const it = prompt();
    await it.shell.run(line);
    assert.deepEqual(it.plans, [], line);
  }
  const few = prompt();
  await few.shell.run('each /a/n1* do set {} few');
  assert.deepEqual([few.plans[0]?.count, few.plans[0]?.keepsUndo], [10, true], 'undo brings them back: no question');
  const within = prompt();
  await within.shell.run('each /a/n1* do repeat 1 delete -f {}/none');
  assert.equal(within.plans[0]?.count, 10);
  const waits = prompt();
  await waits.shell.run('txn; each /a/n1* do set {} x; abort');
  assert.deepEqual([waits.plans, waits.told], [[], []]);
  const script = rig(client);
  await script.shell.run('each /a/n1* do touch {}');
  assert.equal(script.plans[0]?.count, undefined, 'where nobody is asked nothing is counted');
});

test('one each is one undo', async () => {
  const it = prompt();
  assert.equal(await it.shell.run('each /a/n2* do set {} changed; find /a -name n3* -exec set {} too'), 0);
  const entries = it.shell.ports.trash.list();
  assert.deepEqual(
    entries.map(({ command, counts }) => [command, counts?.set]),
    [
      ['find /a -name n3* -exec set {} ...', 10],
      ['each /a/n2* do set {} ...', 10],
    ],
  );
  const old = await data('/a/n15');
  assert.equal(await it.shell.run('undo 2'), 0);
  assert.notEqual(await data('/a/n20'), 'changed');
  assert.equal(await data('/a/n35'), 'too');
  assert.equal(await data('/a/n15'), old);
  assert.equal(await it.shell.run('set /a/n20 a; set /a/n21 b'), 0);
  assert.equal(it.shell.ports.trash.list().length, 4, 'what follows is on its own again');
});

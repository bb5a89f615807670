/** Our client library against the server named on the command line, ours or Apache's. Counts its checks. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, KeeperError, type WatchEvent } from '../../src/index.ts';

const hosts = process.argv[2] as string;
let passed = 0;
const check = (what: string, fact: unknown): void => {
  assert.ok(fact, what);
  passed++;
};
const refused = async (code: string, run: Promise<unknown>): Promise<void> => {
  await assert.rejects(run, (error) => error instanceof KeeperError && error.code === code);
  passed++;
};

const a = await connect(hosts, { connectTimeoutMs: 60_000 });
const b = await connect(hosts, { connectTimeoutMs: 60_000 });
const root = `/ours-${randomUUID()}`;
check('create', (await a.create(root, 'v0')).path === root);
await refused('NodeExists', a.create(root));
await refused('NoNode', a.create(`${root}/x/y`));
const got = await b.get(root);
check('get', got.data?.toString() === 'v0' && got.stat.version === 0);
check('set', (await a.set(root, 'v1', 0)).version === 1);
await refused('BadVersion', a.set(root, 'v2', 7));
check('exists', (await a.exists(`${root}/none`)) === undefined);
const names: string[] = [];
for (let i = 0; i < 3; i++) names.push((await a.create(`${root}/s-`, null, { mode: 'persistentSequential' })).path);
check(
  'sequence',
  names.every((name, i) => name.endsWith(String(i).padStart(10, '0'))),
);
check('children', (await b.getChildren(root)).children.length === 3);
check('null data', (await a.get(names[0] as string)).data === null);
check('all children', (await a.getAllChildrenNumber(root)) === 3);
await refused('NotEmpty', a.delete(root));

const events: WatchEvent[] = [];
await b.get(root, { watch: (event) => events.push(event) });
const persistent = await b.addWatch(root, (event) => events.push(event), { recursive: true });
await a.set(root, 'v2');
await a.create(`${root}/w`, 'w');
await b.sync(root);
check('watches', events.filter((event) => event.type === 'NodeDataChanged').length === 2);
check(
  'recursive watch',
  events.some((event) => event.type === 'NodeCreated' && event.path === `${root}/w`),
);
await persistent.remove();

const results = await a
  .transaction()
  .check(root, 2)
  .create(`${root}/t`, '1')
  .set(root, 'v3')
  .delete(`${root}/w`)
  .commit();
check('transaction', results.length === 4 && results[1]?.op === 'create');
await assert.rejects(a.transaction().create(`${root}/u`).delete(`${root}/none`).commit());
check('nothing of a failed transaction', (await a.exists(`${root}/u`)) === undefined);

await a.create(`${root}/e`, null, { mode: 'ephemeral' });
check('ephemeral', (await b.exists(`${root}/e`))?.ephemeralOwner === a.sessionId);
check('own ephemerals', (await a.getEphemerals(root)).length === 1);
await a.addAuth('digest', 'bob:secret');
check(
  'whoami',
  (await a.whoAmI()).some(({ scheme, id }) => scheme === 'digest' && id === 'bob'),
);
await a.create(`${root}/private`, 'x', { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
check('acl', (await a.getAcl(`${root}/private`)).acl[0]?.scheme === 'digest');
await refused('NoAuth', b.get(`${root}/private`));
const big = Buffer.alloc(1_000_000, 7);
await a.set(root, big);
check('a megabyte', (await b.get(root)).data?.equals(big));
const many = await Promise.all(
  Array.from({ length: 500 }, (_, i) => a.create(`${root}/s-`, String(i), { mode: 'persistentSequential' })),
);
check(
  'pipelined, in order',
  many.every(({ path }, i) => i === 0 || path > (many[i - 1]?.path ?? '')),
);

const chrooted = await connect(`${hosts}${root}`);
check('chroot', (await chrooted.get('/')).data?.length === big.length);
await chrooted.close();
await a.close();
check('ephemeral goes with its session', (await b.exists(`${root}/e`)) === undefined);
await b.close();
console.log(`our client: ${passed} checks passed`);

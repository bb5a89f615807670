/** What ends in the middle says what was done before it, in numbers of the whole command, and claims nothing that is not so. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { MultiOp, OpOptions } from '../../src/client/api.ts';
import { type Client, connect } from '../../src/index.ts';
import { ClientFacade } from '../../src/shell/facade.ts';
import { type Rig, rig } from '../shell/rig.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['enforceQuota=true']);
const folder = mkdtempSync(join(tmpdir(), 'zoosh-part-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);
const no = ({ code, stderr }: Ran, status: number, expected: string): void => {
  assert.equal(stderr, expected);
  assert.equal(code, status);
};
const file = (name: string): string => join(folder, name);
const isThere = async (path: string): Promise<boolean> => (await client.exists(path)) !== undefined;
/** Everybody may read, and nobody make or delete anything below. */
const CLOSED = { acl: [{ perms: 17, scheme: 'world', id: 'anyone' }] };
const ADVICE = ' hint: addauth presents a credential; whoami shows those of this session\n';

/** `count` nodes below `root`, in their order. */
async function plant(root: string, count: number, data: Buffer = Buffer.from('x')): Promise<void> {
  await client.create(root);
  for (let at = 0; at < count; at += 500) {
    const names = Array.from({ length: Math.min(500, count - at) }, (_, n) => `n${String(at + n).padStart(5, '0')}`);
    await client.multi(names.map((name) => ({ op: 'create', path: `${root}/${name}`, data, options: {} })));
  }
}

/** A session in which something happens before or behind the changes that go out. */
class Meddled extends ClientFacade {
  sent = 0;
  readonly #before: (sent: number, ops: readonly MultiOp[]) => Promise<void>;
  readonly #behind: (sent: number) => void;
  constructor(
    before: (sent: number, ops: readonly MultiOp[]) => Promise<void>,
    behind: (sent: number) => void = () => {},
  ) {
    super(client);
    this.#before = before;
    this.#behind = behind;
  }
  override async multi(ops: readonly MultiOp[], options?: OpOptions) {
    const sent = ++this.sent;
    await this.#before(sent, ops);
    const answer = await super.multi(ops, options);
    this.#behind(sent);
    return answer;
  }
}
const lost = async (
  sent: number,
  from: number,
  code: 'ConnectionLoss' | 'SessionExpired' = 'ConnectionLoss',
): Promise<void> => {
  if (sent >= from) throw new KeeperError(code);
};
/** Runs a line; what was said of how far it came. */
async function ended(it: Rig, line: string, status: number): Promise<string[]> {
  const found = await it.shell.run(line);
  const [told] = it.told;
  const said = [...it.warned, ...(told === undefined ? [] : [told.failure.message, ...told.failure.lines])];
  assert.equal(found, status, said.join('\n'));
  return said;
}

test('a plan that is refused in the middle says how many of its changes are made', async () => {
  await plant('/ma', 1509);
  await client.create('/ma/shut');
  await client.create('/ma/shut/new');
  await client.create('/mb');
  await client.create('/mb/shut', null, CLOSED);
  const refused = `error: not permitted by the ACL: /mb/shut/new\n 1,500 of 1,510 changes made before that\n${ADVICE}`;
  no(await one('mirror', '--no-acl', '/ma', '/mb'), 14, refused);
  assert.equal((await client.getChildren('/mb')).children.length, 1501);
  for (const name of (await client.getChildren('/mb')).children)
    if (name !== 'shut') await client.delete(`/mb/${name}`);
  assert.equal((await one('export', '--no-acl', '/ma', file('ma'))).code, 0);
  no(await one('apply', '--no-acl', '-f', file('ma'), '--root', '/mb'), 14, refused);
  // and where nothing was changed that is said
  await client.create('/mc');
  await client.create('/mc/shut', null, CLOSED);
  await client.create('/md');
  await client.create('/md/shut');
  await client.create('/md/shut/new');
  no(
    await one('mirror', '--no-acl', '/md', '/mc'),
    14,
    'error: operation 1 (/mc/shut/new): not permitted by the ACL; nothing was changed\n',
  );
});

test('a change of data that was made is not denied because an ACL then could not be set', async () => {
  await client.create('/acl');
  await client.create('/acl/a', 'old', { acl: [{ perms: 15, scheme: 'world', id: 'anyone' }] });
  writeFileSync(
    file('acl'),
    '{"zoosh":"export","version":1,"root":"/acl","acl":true}\n{"path":"/acl","data":null,"encoding":"null"}\n{"path":"/acl/a","data":"new","acl":"world:anyone:cdrwa"}\n',
  );
  no(
    await one('apply', '-f', file('acl')),
    14,
    `error: not permitted by the ACL: /acl/a\n 1 of 1 change made before that\n${ADVICE}`,
  );
  assert.equal((await client.get('/acl/a')).data?.toString(), 'new');
});

test('deleteall of several says what is gone of all of them', async () => {
  for (const path of ['/da', '/da/a', '/da/a/x', '/da/b', '/da/b/x', '/da/c']) await client.create(path);
  await client.setAcl('/da/b', CLOSED.acl);
  no(
    await one('deleteall', '/da/*'),
    14,
    `error: not permitted by the ACL: /da/b/x\n 2 nodes deleted before that\n${ADVICE}`,
  );
  assert.deepEqual((await client.getChildren('/da')).children, ['b', 'c']);
  for (const path of ['/de', '/de/x', '/df', '/df/x']) await client.create(path);
  no(
    await one('deleteall', '/de', '/dg', '/df'),
    10,
    'error: node does not exist: /dg\n 2 nodes deleted before that\n hint: did you mean /da ?\n',
  );
  assert.deepEqual([await isThere('/de'), await isThere('/df')], [false, true]);
});

test('setAcl and acl copy of several say how many are changed', async () => {
  const mine = { acl: [{ perms: 31, scheme: 'digest', id: 'bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=' }] };
  for (const path of ['/ea', '/ea/a', '/ea/c']) await client.create(path);
  await client.create('/ea/b', null, mine);
  no(
    await one('setAcl', '/ea/*', 'world:anyone:cdrwa'),
    14,
    `error: not permitted by the ACL: /ea/b\n ACLs of 1 of 3 nodes changed before that\n${ADVICE}`,
  );
  no(
    await one('setAcl', '-R', '/ea/a', '/ea/b', 'world:anyone:cdrwa'),
    14,
    `error: not permitted by the ACL: /ea/b\n 1 node changed before that\n${ADVICE}`,
  );
  no(
    await one('acl', 'copy', '/ea', '/ea/a', '/ea/b'),
    14,
    `error: not permitted by the ACL: /ea/b\n 1 node changed before that\n${ADVICE}`,
  );
});

test('what was answered when somebody has enough, or the connection breaks, is counted as the least there is', async () => {
  await plant('/src', 6000);
  assert.equal((await one('export', '/src', file('src'))).code, 0);
  const interruptedAt = (from: number): Rig => {
    const it: Rig = rig(
      new Meddled(
        async () => {},
        (sent) => sent === from && it.shell.interrupt(),
      ),
    );
    return it;
  };
  const madeBelow = async (path: string): Promise<number> => (await client.getAllChildrenNumber(path)) + 1;
  let told = await ended(interruptedAt(3), `apply -f ${file('src')} --root /src2`, 130);
  assert.deepEqual(told, ['at least 1,500 of 6,001 changes made before that', 'interrupted']);
  told = await ended(rig(new Meddled((sent) => lost(sent, 4))), `mirror /src /src3`, 6);
  assert.equal(told[0], 'at least 1,500 of 6,001 changes made before that');
  assert.equal(await madeBelow('/src3'), 1500);
  // several are on their way at once
  told = await ended(rig(new Meddled((sent) => lost(sent, 5))), `cp -r /src /src4`, 6);
  assert.equal(told[0], `at least ${await madeBelow('/src4')} nodes copied before that`.replace('2000', '2,000'));
  assert.equal(await madeBelow('/src4'), 2000);
  told = await ended(rig(new Meddled((sent) => lost(sent, 5))), `import --root /src5 ${file('src')}`, 6);
  assert.equal(told[0], 'at least 2,000 nodes written before that');
  told = await ended(rig(new Meddled((sent) => lost(sent, 2))), 'deleteall /src', 6);
  assert.equal(told[0], 'at least 1,000 nodes deleted before that');
  assert.equal(await madeBelow('/src'), 5001);
  told = await ended(rig(new Meddled((sent) => lost(sent, 2, 'SessionExpired'))), 'deleteall /src', 5);
  assert.equal(told[0], 'at least 1,000 nodes deleted before that');
  told = await ended(rig(new Meddled((sent) => lost(sent, 2))), 'find /src -leaf -delete', 6);
  assert.equal(told[0], 'at least 1,000 nodes deleted before that');
});

test('nodes that cp replaced count as copied', async () => {
  for (const root of ['/over', '/under']) {
    await client.create(root);
    for (let at = 0; at < 9; at++) await client.create(`${root}/n${at}`, root);
  }
  await client.create('/over/z', 'new');
  await client.create('/under/z', 'old', CLOSED);
  no(
    await one('cp', '-rf', '/over', '/under'),
    14,
    `error: not permitted by the ACL: /under/z\n 9 nodes copied before that\n${ADVICE}`,
  );
});

test('import --atomic that is refused has made nothing, nor what was missing above', async () => {
  writeFileSync(file('list'), '/at/om/ic=1\n/at/om/ic/a=2\n');
  await client.create('/at');
  no(
    await one('import', '--atomic', '--acl', 'auth::r', '--root', '/at/x/y', file('list')),
    15,
    'error: operation 2 (/at/x/y): the ACL is not valid; nothing was changed\n',
  );
  assert.deepEqual((await client.getChildren('/at')).children, []);
  assert.equal((await one('import', '--atomic', '--root', '/at/x/y', file('list'))).code, 0);
  assert.ok(await isThere('/at/x/y/a'));
});

test('a pattern that stands for all there is means the root', async () => {
  const own = new ServerProcess();
  await using _ = await own.start();
  const run = (...args: string[]): Promise<Ran> => zoosh([own.hosts, ...args]);
  for (const path of ['/a', '/b', '/b/c']) assert.equal((await run('create', path)).code, 0);
  const why = ': it concerns the root\n hint: say --yes before the command\n';
  no(await run('deleteall', '/*'), 30, `error: refused: will not delete all that / holds${why}`);
  no(await run('rm', '-r', '/*'), 30, `error: refused: will not delete all that / holds${why}`);
  no(await run('delete', '/*'), 30, `error: refused: will not delete 2 nodes${why}`);
  no(
    await run('setAcl', '-R', '/*', 'world:anyone:cdrwa'),
    30,
    `error: refused: will not change the ACLs of all that / holds${why}`,
  );
  assert.equal((await run('ls', '/')).stdout, 'a\nb\nzookeeper\n');
  assert.equal((await run('deleteall', '/b*')).code, 0);
  // one that is meant for some names is that also where there happen to be no others
  assert.equal((await run('deleteall', '/a*')).code, 0);
  assert.equal((await run('create', '/c')).code, 0);
  assert.equal((await zoosh(['--yes', own.hosts, 'deleteall', '/*'])).code, 0);
  assert.equal((await run('ls', '/')).stdout, 'zookeeper\n');
});

test('mv in parts leaves what others changed or made since it compared, and says so', async () => {
  await plant('/mv', 3000, Buffer.alloc(300));
  await client.create('/mv/n02000/child');
  let isDone = false;
  const meddled = new Meddled(async (_sent, ops) => {
    if (isDone || ops[0]?.op !== 'delete') return;
    isDone = true;
    // on its way to be deleted, and long before its turn
    const [{ path }] = ops as [MultiOp];
    await client.set(path, 'others');
    await client.set('/mv/n02500', 'others');
    await client.create('/mv/n02000/child/new', 'others');
    await client.create('/mv/zz-new', 'others');
  });
  const it = rig(meddled);
  const said = await ended(it, 'mv /mv /moved', 12);
  const { data } = await client.get('/mv/n02500');
  assert.equal(data?.toString(), 'others');
  for (const path of ['/mv/n00000', '/mv/n02000/child/new', '/mv/zz-new'])
    assert.equal((await client.get(path)).data?.toString(), 'others', path);
  assert.deepEqual((await client.getChildren('/mv')).children, ['n00000', 'n02000', 'n02500', 'zz-new']);
  assert.equal((await client.getChildren('/moved')).children.length, 3000);
  assert.deepEqual(said.sort(), [
    '/moved has all that was copied; mv -f /mv /moved goes on with it',
    '/mv/n00000 stays: it, or its copy, changed since they were compared',
    '/mv/n02000/child/new stays: it came since',
    '/mv/n02500 stays: it, or its copy, changed since they were compared',
    '/mv/zz-new stays: it came since',
  ]);
  assert.deepEqual(it.shown[0], {
    type: 'counts',
    counts: { moved: 2997 },
    text: 'moved 2,997 nodes from /mv to /moved',
    exit: 12,
  });
  // and so it goes on
  assert.deepEqual(await ended(rig(client), 'mv -f /mv /moved', 0), []);
  assert.equal(await isThere('/mv'), false);
  for (const path of ['n00000', 'n02500', 'n02000/child/new', 'zz-new'])
    assert.equal((await client.get(`/moved/${path}`)).data?.toString(), 'others', path);
});

test('mv in parts does not advise to put the old over what others wrote at the new place', async () => {
  const over = 'what others wrote at /used is newer, and mv -f would undo it';
  await plant('/use', 3000, Buffer.alloc(300));
  const atOnce = new Meddled(async (_sent, ops) => {
    if (ops.some(({ path }) => path === '/used/n02999')) await client.set('/used/n00000', 'others');
  });
  const it = rig(atOnce);
  await ended(it, 'mv /use /used', 12);
  const { failure } = it.told[0] ?? {};
  assert.match(String(failure?.message), /\/used\/n00000 was changed by others after it was copied/);
  assert.equal(failure?.hint, `nothing is deleted yet; ${over}`);
  assert.equal((await client.getChildren('/use')).children.length, 3000);
  await client.set('/used/n00000', Buffer.alloc(300));
  let isDone = false;
  const later = new Meddled(async (_sent, ops) => {
    if (isDone || ops[0]?.op !== 'delete') return;
    isDone = true;
    await client.set('/used/n02500', 'others');
  });
  assert.deepEqual(await ended(rig(later), 'mv -f /use /used', 12), [
    '/use/n02500 stays: its copy was changed by others since',
    `/used has all that was copied; ${over}`,
  ]);
  assert.deepEqual((await client.getChildren('/use')).children, ['n02500']);
  assert.equal((await client.get('/used/n02500')).data?.toString(), 'others');
});

test('a dry run of many nodes shows each of them once', async () => {
  await plant('/dry', 5000, Buffer.alloc(300));
  const lines = async (...words: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await zoosh(['-n', server.hosts, ...words]);
    assert.deepEqual([code, stderr], [0, ''], words.join(' '));
    return stdout.trimEnd().split('\n');
  };
  assert.equal((await lines('find', '/dry', '-delete')).length, 5001);
  assert.equal((await lines('deleteall', '/dry')).length, 5001);
  assert.equal((await lines('mv', '/dry', '/dried')).length, 10_002);
});

test('mv in parts says how it goes on, whatever ended it', async () => {
  const note = 'nothing is deleted yet; mv -f /way /there goes on with it';
  await plant('/way', 3000, Buffer.alloc(300));
  await client.create('/closed', null, CLOSED);
  let told = await ended(rig(new Meddled((sent) => lost(sent, 3))), 'mv /way /there', 6);
  assert.deepEqual(told.slice(0, 2), ['at least 1,000 nodes copied before that', note]);
  const refusing = new Meddled(async (sent) => {
    if (sent >= 3) throw new KeeperError('QuotaExceeded', '/there/x');
  });
  const it = rig(refusing);
  told = await ended(it, 'mv -f /way /there', 17);
  assert.match(told.join('\n'), /quota is exceeded: \/there\/x\n[\d,]+ nodes copied before that/);
  assert.equal(it.told[0]?.failure.hint, note);
  const breaking = new Meddled(async (_sent, ops) => {
    if (ops.some((op) => op.op === 'delete' && op.path > '/way/n02')) throw new KeeperError('ConnectionLoss');
  });
  told = await ended(rig(breaking), 'mv -f /way /there', 6);
  assert.deepEqual(told.slice(0, 2), [
    'at least 2,000 nodes deleted at /way before that',
    '/there has all of it; mv -f /way /there goes on with it',
  ]);
  // what may not be deleted stays, and is there twice
  for (const path of ['/den', '/den/b']) await client.create(path, Buffer.alloc(900_000));
  await client.create('/den/b/c', 'x');
  await client.setAcl('/den/b', CLOSED.acl);
  told = await ended(rig(client), 'mv --no-acl /den /dent', 14);
  assert.deepEqual(told, [
    '/den/b/c stays: not permitted',
    '/dent has all that was copied; mv -f /den /dent goes on with it',
  ]);
  assert.deepEqual([await isThere('/den/b/c'), await isThere('/dent/b/c')], [true, true]);
});

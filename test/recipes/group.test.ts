import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CacheChange,
  ConfigCache,
  Counter,
  Election,
  Group,
  Lock,
  Queue,
  RecipeError,
  Semaphore,
  STYLES,
  type Style,
} from '../../src/index.ts';
import { cutEverywhere, inTime, until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.open();
});
after(() => world[Symbol.asyncDispose]());

for (const style of STYLES)
  test(`group, ${style}: who is there, as long as the session lives`, async () => {
    const path = `/group/${style}`;
    const [a, b, c] = [await world.client(), await world.client(1500), await world.client()];
    const seen: string[] = [];
    const stop = new AbortController();
    const observing = (async () => {
      for await (const members of new Group(c, path).observe(stop.signal))
        seen.push(
          members
            .map(({ id }) => id)
            .sort()
            .join(),
        );
    })();
    const one = await new Group(a, path, { style }).join('one', style === 'curator' ? 'data' : null);
    await new Group(b, path).join('two');
    await until('both are seen', () => seen.at(-1) === 'one,two');
    b.wire.freeze();
    await until('one is seen', () => seen.at(-1) === 'one');
    b.wire.thaw();
    if (style === 'curator') {
      assert.equal((await new Group(c, path).members())[0]?.data?.toString(), 'data');
      await assert.rejects(new Group(c, path).join('one'), (error) => (error as RecipeError).code === 'Conflict');
    }
    const other = STYLES.find((each) => each !== style);
    await assert.rejects(
      new Group(c, path, { style: other }).join('x'),
      (error) => error instanceof RecipeError && error.code === 'StyleConflict',
    );
    await one.leave();
    await until('nobody is seen', () => seen.at(-1) === '');
    stop.abort();
    await observing;
  });

test('group: the connection cut at every step', async () => {
  const looker = await world.client();
  let round = 0;
  await cutEverywhere(world, async (client, what) => {
    for (const style of STYLES) {
      const group = new Group(client, `/group-cut/${round++}`, { style });
      const member = await group.join('me');
      assert.deepEqual(
        (await new Group(looker, group.path).members()).map(({ id }) => id),
        ['me'],
        what,
      );
      await member.leave();
      assert.deepEqual(await new Group(looker, group.path).members(), [], what);
    }
  });
});

/** What the mirror holds, against what the server has. */
async function same(cache: ConfigCache, client: Awaited<ReturnType<World['client']>>, what: string): Promise<void> {
  const walk = async (path: string): Promise<[string, string][]> => {
    const { data, stat } = await client.get(path);
    const { children } = await client.getChildren(path);
    const below = await Promise.all(children.map((name) => walk(`${path}/${name}`)));
    return [[path, `${data} ${stat.mzxid}`], ...below.flat()];
  };
  const there = (await walk(cache.path)).sort();
  const known = cache.paths().map((path) => [path, `${cache.get(path)?.data} ${cache.get(path)?.stat.mzxid}`]);
  assert.deepEqual(known.sort(), there, what);
}

test('configuration cache: a mirror that follows every change', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/config');
  await a.create('/config/db', 'one');
  await a.create('/config/db/host', 'h1');
  const told: string[] = [];
  await using cache = await ConfigCache.open(b, '/config', {
    onChange: (change: CacheChange) =>
      told.push(change.type === 'set' ? `${change.node.path}=${change.node.data}` : `-${change.path}`),
  });
  assert.ok(cache.isCurrent);
  assert.deepEqual(told, []);
  assert.deepEqual(
    [cache.size, cache.children('/config'), cache.get('/config/db')?.data?.toString()],
    [3, ['db'], 'one'],
  );
  await a.set('/config/db', 'two');
  await a.create('/config/new', 'n');
  await a.delete('/config/db/host');
  await until('it follows', () => told.length >= 3 && cache.isCurrent);
  assert.deepEqual(told.sort(), ['-/config/db/host', '/config/db=two', '/config/new=n']);
  await same(cache, a, 'changes');
  for (let at = 0; at < 60; at++) {
    await a.create(`/config/db/k${at % 7}`, String(at)).catch(() => a.delete(`/config/db/k${at % 7}`));
    if (at % 3 === 0) await a.set('/config/new', String(at));
  }
  await a.sync('/config');
  await b.sync('/config');
  await until('it is current', () => cache.isCurrent);
  await same(cache, a, 'many changes');
});

test('configuration cache: what was missed while the connection was down is found', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/gap');
  for (const name of ['x', 'y', 'z']) await a.create(`/gap/${name}`, 'old');
  const current: boolean[] = [];
  const told: CacheChange[] = [];
  await using cache = await ConfigCache.open(b, '/gap', {
    onCurrent: (is) => current.push(is),
    onChange: (change) => told.push(change),
  });
  for (let round = 0; round < 5; round++) {
    b.wire.break();
    await until('the loss is noticed', () => !cache.isCurrent);
    await a.set('/gap/x', `new ${round}`);
    await a.delete('/gap/y');
    await a.create('/gap/y', `again ${round}`);
    await a.create(`/gap/n${round}`);
    if (round > 0) await a.delete(`/gap/n${round - 1}`);
    await until('b is back', () => b.state === 'connected');
    await b.sync('/gap').catch(() => b.sync('/gap')); // all that was told by then has been heard
    await until('it is current again', () => cache.isCurrent);
    await same(cache, a, `round ${round}`);
  }
  assert.ok(told.some((change) => change.type === 'removed' && change.path === '/gap/n0'));
  assert.equal(current.at(-1), true);
  assert.ok(current.filter((is) => !is).length >= 5);
});

test('configuration cache: it is not current before what it heard of has been read', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/slow', 'old');
  let late = 0;
  const slow = new Proxy(b, {
    get(client, name) {
      const member: unknown = Reflect.get(client, name, client);
      if (name === 'get') return (path: string) => sleep(late).then(() => client.get(path));
      return typeof member === 'function' ? member.bind(client) : member;
    },
  });
  await using cache = await ConfigCache.open(slow, '/slow');
  late = 100;
  await a.set('/slow', 'new');
  await b.sync('/slow'); // all that was told by then has been heard
  await until('it is current again', () => cache.isCurrent);
  await same(cache, a, 'a change');
  b.wire.break();
  await a.delete('/slow');
  await b.sync('/slow').catch(() => b.sync('/slow'));
  await until('it is current after a gap', () => cache.isCurrent);
  assert.equal(cache.size, 0);
});

test('configuration cache: the connection cut at every step; a node that is not there; the end', async () => {
  const looker = await world.client();
  let round = 0;
  await cutEverywhere(world, async (client, what) => {
    const path = `/cache-cut-${round++}`;
    await looker.create(path);
    await looker.create(`${path}/a`, 'a');
    await using cache = await ConfigCache.open(client, path);
    await looker.create(`${path}/a/b`, 'b');
    await looker.set(`${path}/a`, 'aa');
    await until(
      `${what}: it follows`,
      () => cache.isCurrent && cache.size === 3 && String(cache.get(`${path}/a`)?.data) === 'aa',
    );
  });
  const client = await world.client(1500);
  const cache = await ConfigCache.open(client, '/cache-none');
  assert.deepEqual([cache.size, cache.isCurrent], [0, true]);
  await looker.create('/cache-none', 'x');
  await until('it came', () => cache.size === 1);
  client.wire.silent = true;
  await until('it says so', () => !cache.isCurrent);
  await inTime(
    'the end',
    until('the session ended', () => client.state === 'expired'),
  );
  client.wire.silent = false;
  await cache.close();
});

test('configuration cache: a node below that may not be read keeps nobody from following the others', async () => {
  const [a, b] = [await world.client(), await world.client()];
  const hidden = [{ perms: 31, scheme: 'digest', id: 'somebody:else' }];
  await a.create('/secrets');
  await a.create('/secrets/hidden', 's', { acl: hidden });
  for (let at = 0; at < 3; at++) await a.create(`/secrets/n${at}`, 'old');
  await a.create('/secrets/n1/deep', 'old');
  const told: string[] = [];
  await using cache = await ConfigCache.open(b, '/secrets', {
    onChange: (change) => told.push(change.type === 'set' ? change.node.path : `-${change.path}`),
  });
  assert.deepEqual(cache.paths(), ['/secrets', '/secrets/n0', '/secrets/n1', '/secrets/n1/deep', '/secrets/n2']);
  await a.setAcl('/secrets/n2', hidden);
  b.wire.break();
  await until('the loss is noticed', () => !cache.isCurrent);
  await a.set('/secrets/n1/deep', 'new');
  await until('it is current', () => cache.isCurrent);
  assert.equal(cache.get('/secrets/n1/deep')?.data?.toString(), 'new');
  assert.deepEqual(told.sort(), ['-/secrets/n2', '/secrets/n1/deep']);
  await a.create('/closed', null, { acl: hidden });
  await assert.rejects(ConfigCache.open(b, '/closed'), (error) => (error as { code?: string }).code === 'NoAuth');
});

test('configuration cache: listeners that throw, and an end without a connection', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/loud', 'one');
  const errors: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => errors.push(error));
  try {
    const cache = await ConfigCache.open(b, '/loud', {
      onChange() {
        throw new Error('a change');
      },
    });
    await a.set('/loud', 'two');
    await until('it is told', () => errors.length === 1);
    assert.match(String(errors[0]), /a change/);
    await until('it follows', () => cache.isCurrent && String(cache.get('/loud')?.data) === 'two');
    // the event arrives, the answer to the read does not
    b.wire.cut = { at: b.wire.writes + 1, how: 'unsent', forGood: true };
    await a.set('/loud', 'three');
    await until('it reads', () => b.wire.cuts === 1);
    b.wire.break();
    await until('it is gone', () => b.state === 'suspended');
    await inTime('the end', cache.close(), 5000);
    b.wire.silent = false;
    await until('it is back', () => b.state === 'connected');
    assert.equal(errors.length, 1); // nothing is told after the end
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
});

test('what makes no sense is refused at once: ids that are no names, styles that there are not', async () => {
  const client = await world.client();
  for (const id of ['', 'a/b'])
    await assert.rejects(
      inTime('it', new Group(client, '/ids', { style: 'curator' }).join(id), 5000),
      (error) => (error as { code?: string }).code === 'BadArguments',
    );
  const style = 'apache' as Style;
  for (const make of [
    () => new Lock(client, '/styles', { style }),
    () => new Election(client, '/styles', { style }),
    () => new Semaphore(client, '/styles', 2, { style }),
    () => new Queue(client, '/styles', { style }),
    () => new Group(client, '/styles', { style }),
    () => new Counter(client, '/styles', { style }),
  ])
    assert.throws(make, /a style is one of zoosh, kazoo, curator, not apache/);
  await assert.rejects(new Counter(client, '/styles').add(1.5), RangeError); // told by the promise, as all else
});

test('observers need no signal: who leaves the loop has ended it', async () => {
  const [client, other] = [await world.client(), await world.client()];
  for await (const members of new Group(client, '/loop').observe()) {
    if (members.length === 1) break;
    await new Group(other, '/loop').join('me');
  }
  for await (const leader of new Election(client, '/loop2').observe()) {
    if (leader?.id === 'one') break;
    await new Election(other, '/loop2', { id: 'one' }).campaign();
  }
});

test('many who wait by one signal are no leak to be warned of', async () => {
  const client = await world.client();
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', warned);
  try {
    const stop = new AbortController();
    const waiting = Array.from({ length: 15 }, (_, at) =>
      new Queue(client, `/crowd/${at}`).take({ signal: stop.signal }).catch((error: Error) => error.message),
    );
    await using cache = await ConfigCache.open(client, '/crowd');
    await until('all wait', () => cache.size === 16 && cache.isCurrent);
    stop.abort(new Error('enough'));
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['enough']));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warnings, []);
  } finally {
    process.off('warning', warned);
  }
});

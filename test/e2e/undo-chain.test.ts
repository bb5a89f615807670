/** Whatever was done at a prompt goes back step by step: after each undo the tree is as it was before that command. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { type Client, connect } from '../../src/index.ts';
import { type Rig, rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-chain-'));
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

let rigs = 0;
const prompt = (): Rig => rig(client, {}, undefined, { trash: join(folder, String(++rigs)) });

/** Everything below a node that undo promises to bring back. */
async function state(root: string): Promise<unknown[]> {
  const { data } = await client.get(root);
  const { acl } = await client.getAcl(root);
  const { children } = await client.getChildren(root);
  const below = await Promise.all(children.sort().map((name) => state(`${root}/${name}`)));
  return [root, data?.toString() ?? null, acl, ...below];
}

/** Runs the lines that succeed, then takes back each, the last first, and compares. */
async function thereAndBack(root: string, lines: readonly string[]): Promise<number> {
  const it = prompt();
  const states: { readonly line: string; readonly before: unknown[] }[] = [];
  for (const line of lines) {
    const was = await state(root);
    const kept = it.shell.ports.trash.list().length;
    await it.shell.run(line);
    // what was refused, or did nothing, leaves nothing to take back
    if (it.shell.ports.trash.list().length > kept) states.push({ line, before: was });
    else assert.deepEqual(await state(root), was, `${line} keeps nothing and changed something`);
  }
  const said = (): string => JSON.stringify([lines, it.told.at(-1)?.failure.message, it.shown.at(-1)], undefined, 1);
  for (const { line, before: was } of states.reverse()) {
    assert.equal(await it.shell.run('undo'), 0, `undo of ${line}: ${said()}`);
    assert.deepEqual(await state(root), was, `undo of ${line}: ${said()}`);
  }
  assert.equal(await it.shell.run('undo'), 10);
  return states.length;
}

test('what a transaction deleted and made anew comes again', async () => {
  await client.create('/anew');
  await client.create('/anew/p', 'old', { acl: [{ perms: 15, scheme: 'world', id: 'anyone' }] });
  const all = [
    ['txn { delete /anew/p; create /anew/p new }'],
    ['txn { check /anew/q absent; create /anew/q y }'],
    ['txn { create /anew/q 1; delete /anew/q; create /anew/q 2; set /anew/q 3 }'],
    ['txn { create /anew/q 1; delete /anew/q }'],
    ['txn { set /anew/p 1; delete /anew/p; create /anew/p 2; create /anew/p/below x }', 'set /anew/p/below y'],
  ];
  for (const lines of all) await thereAndBack('/anew', lines);
});

test('what was made, deleted and brought back by an undo goes with the next', async () => {
  await client.create('/back');
  await thereAndBack('/back', ['create /back/a x', 'delete /back/a']);
  await thereAndBack('/back', ['create /back/a x', 'mv /back/a /back/b', 'set /back/b y', 'mv /back/b /back/a']);
  await thereAndBack('/back', ['create /back/a x', 'create /back/a/b y', 'deleteall /back/a', 'create /back/a z']);
  // made anew by somebody else it is somebody else's
  const it = prompt();
  for (const line of ['create /back/c x', 'delete /back/c', 'undo']) assert.equal(await it.shell.run(line), 0);
  await client.delete('/back/c');
  await client.create('/back/c', 'x');
  assert.equal(await it.shell.run('undo'), 12);
  assert.equal((await client.get('/back/c')).data?.toString(), 'x');
});

test('one that came in place of another stays where that cannot come again, or where it was changed since', async () => {
  await client.create('/stays');
  const it = prompt();
  await client.create('/stays/e', 'mine', { mode: 'ephemeral' });
  assert.equal(await it.shell.run('txn { delete /stays/e; create /stays/e new }'), 0);
  assert.equal(await it.shell.run('undo'), 12);
  assert.equal((await client.get('/stays/e')).data?.toString(), 'new');
  await client.create('/stays/p', 'old');
  assert.equal(await it.shell.run('txn { delete /stays/p; create /stays/p new }'), 0);
  await client.set('/stays/p', 'changed');
  assert.equal(await it.shell.run('undo'), 12);
  assert.equal((await client.get('/stays/p')).data?.toString(), 'changed');
  // gone meanwhile, it does not keep the old one from coming
  await client.delete('/stays/p');
  assert.equal(await it.shell.run('undo'), 0);
  assert.equal((await client.get('/stays/p')).data?.toString(), 'old');
  // a parent stays while a child of it does
  assert.equal(await it.shell.run('txn { create /stays/x 1; create /stays/x/y 2; create /stays/x/z 3 }'), 0);
  await client.set('/stays/x/y', 'changed');
  assert.equal(await it.shell.run('undo'), 12);
  assert.deepEqual((await client.getChildren('/stays/x')).children, ['y']);
});

test('what Ctrl-C found on its way is known: all that was done goes back', async () => {
  const rows = (root: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      ...{ op: 'create' as const, path: `${root}/n${at}`, data: Buffer.from(String(at)), options: {} },
    }));
  await client.create('/ctrl');
  for (let at = 0; at < 4; at++) {
    await client.create(`/ctrl/t${at}`);
    await client.multi(rows(`/ctrl/t${at}`, 1500));
  }
  const before = await state('/ctrl');
  let met = 0;
  for (const line of [
    'deleteall /ctrl/t0',
    'deleteall /ctrl',
    'cp -r /ctrl/t0 /ctrl/copy',
    'setAcl -R /ctrl world:anyone:cdra',
  ])
    for (const ms of [5, 20, 40]) {
      const it = prompt();
      const kept = it.shell.ports.trash.list().length;
      const running = it.shell.run(line);
      setTimeout(() => it.shell.interrupt(), ms);
      const status = await running;
      if (status === 130) met++;
      if (it.shell.ports.trash.list().length > kept)
        assert.equal(await it.shell.run('undo'), 0, `${line}: ${JSON.stringify([it.told.at(-1), it.shown.at(-1)])}`);
      assert.deepEqual(await state('/ctrl'), before, line);
    }
  assert.ok(met > 3, `only ${met} were interrupted`);
});

test('a single change that was interrupted while its answer came is done, and goes back', async () => {
  await client.create('/late', 'old');
  for (const line of ['set /late new', 'delete /late', 'create /late/x 1', 'txn { set /late 1; create /late/y 2 }']) {
    const it = prompt();
    const before = await state('/late');
    const running = it.shell.run(line);
    // when the request is under way
    setImmediate(() => setImmediate(() => it.shell.interrupt()));
    const status = await running;
    const isDone = JSON.stringify(await state('/late').catch(() => [])) !== JSON.stringify(before);
    assert.ok(status === 0 || !isDone || it.shell.ports.trash.list().length > 0, line);
    if (isDone) assert.equal(await it.shell.run('undo'), 0, line);
    assert.deepEqual(await state('/late'), before);
  }
});

test('a change whose answer never came: what was not made is nothing, what cannot be known is said', async () => {
  await client.create('/gone');
  const losing = (isDone: boolean): Rig => {
    rigs++;
    const fails =
      <A extends unknown[]>(work: (...args: A) => Promise<unknown>) =>
      async (...args: A): Promise<never> => {
        if (isDone) await work(...args);
        throw new KeeperError('ConnectionLoss', String(args[0]));
      };
    const lossy = new Proxy(client, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        const bound = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
        return ['create', 'set', 'delete', 'setAcl', 'multi'].includes(String(name)) && isLossy ? fails(bound) : bound;
      },
    });
    return rig(lossy as Client, {}, undefined, { trash: join(folder, String(rigs)) });
  };
  let isLossy = true;
  for (const [line, isDone, exit, left] of [
    ['set /gone/p new', false, 0, 'old'],
    ['set /gone/p new', true, 0, 'old'],
    ['delete /gone/p', false, 0, 'old'],
    ['delete /gone/p', true, 0, 'old'],
    ['setAcl /gone/p world:anyone:cdra', false, 0, 'old'],
    ['create /gone/q x', false, 12, 'old'],
    ['create /gone/q x', true, 12, 'old'],
    ['mv /gone/p /gone/r', true, 12, 'old'],
    ['mv /gone/p /gone/r', false, 12, 'old'],
    ['txn { delete /gone/p; create /gone/p new }', false, 12, 'old'],
  ] as const) {
    for (const { name } of [{ name: 'p' }, { name: 'q' }, { name: 'r' }])
      await client.delete(`/gone/${name}`).catch(() => {});
    await client.create('/gone/p', 'old');
    const it = losing(isDone);
    isLossy = true;
    assert.equal(await it.shell.run(line), 6, line);
    isLossy = false;
    assert.equal(await it.shell.run('undo'), exit, `${line} ${isDone}: ${it.told.at(-1)?.failure.message}`);
    assert.equal((await client.get('/gone/p')).data?.toString(), left, line);
  }
});

test('another node under the same path is somebody else’s: neither its data nor its ACL is touched', async () => {
  await client.create('/other');
  for (const line of ['set /other/p mine', 'setAcl /other/p world:anyone:cdra']) {
    await client.create('/other/p', 'orig');
    const it = prompt();
    assert.equal(await it.shell.run(line), 0);
    await client.delete('/other/p');
    await client.create('/other/p', 'theirs');
    await client.set('/other/p', 'theirs2');
    await client.setAcl('/other/p', [{ perms: 15, scheme: 'world', id: 'anyone' }]);
    assert.equal(await it.shell.run('undo'), 12);
    assert.equal((await client.get('/other/p')).data?.toString(), 'theirs2');
    assert.equal((await client.getAcl('/other/p')).acl[0]?.perms, 15);
    await client.delete('/other/p');
  }
});

test('what cannot come again keeps only what is below it from coming', async () => {
  await client.create('/part');
  for (const path of ['/part/x', '/part/x/other', '/part/x/s', '/part/x/s/c', '/part/x/s/c/d'])
    await client.create(path, path);
  await client.setAcl('/part/x/s', [
    { perms: 30, scheme: 'world', id: 'anyone' },
    { perms: 31, scheme: 'ip', id: '127.0.0.1' },
  ]);
  const it = prompt();
  assert.equal(await it.shell.run('deleteall /part/x'), 0);
  assert.equal(await it.shell.run('undo'), 12, it.told.at(-1)?.failure.message);
  assert.equal((await client.get('/part/x/other')).data?.toString(), '/part/x/other');
  assert.equal(await client.exists('/part/x/s'), undefined);
  // the whole of it where the parent went, too
  assert.equal(await it.shell.run('undo clear'), 0);
  await client.create('/part/g');
  await client.create('/part/g/p');
  await client.create('/part/g/p/q');
  assert.equal(await it.shell.run('deleteall /part/g/p'), 0);
  await client.delete('/part/g');
  assert.equal(await it.shell.run('undo'), 12);
});

test('an undo that was taken back itself breaks no chain; a damaged file is its own affair', async () => {
  await client.create('/link');
  const it = prompt();
  for (const line of ['create /link/b x', 'delete /link/b', 'undo', 'undo 1', 'undo 1', 'undo'])
    assert.equal(await it.shell.run(line), 0, `${line}: ${it.told.at(-1)?.failure.message}`);
  assert.equal(await client.exists('/link/b'), undefined);
  // what a dry run only thought of is no link
  const dry = prompt();
  for (const line of ['create /link/d x', 'delete /link/d', 'undo -n'])
    assert.equal(await dry.shell.run(line), 0, line);
  assert.equal(existsSync(join(folder, String(rigs), 'links')), false);
  // made twice by undos, the later one counts
  const twice = prompt();
  for (const line of ['create /link/t x', 'create /link/t/y z', 'create -e /link/t/e x', 'deleteall /link/t'])
    assert.equal(await twice.shell.run(line), 0, line);
  assert.equal(await twice.shell.run('undo'), 12);
  await client.delete('/link/t/y');
  await client.delete('/link/t');
  assert.equal(await twice.shell.run('undo'), 12);
  assert.equal((await client.exists('/link/t/y')) !== undefined, true);
  const [entry] = twice.shell.ports.trash.list().filter(({ isUndo }) => isUndo);
  const own = join(folder, String(rigs), `${entry?.id}.undo`);
  writeFileSync(own, `${readFileSync(own, 'utf8').split('\n')[0]}\n{"did":"deleted","node":{"path":"no path"}}\n`);
  const number = twice.shell.ports.trash.list().find(({ command }) => command === 'create /link/t/y ...')?.number;
  assert.equal(await twice.shell.run(`undo ${number}`), 0, twice.told.at(-1)?.failure.message);
  assert.equal(await client.exists('/link/t/y'), undefined);
});

const ROUNDS = 120;
const COMMANDS = 8;

test(`${ROUNDS} random rounds of commands, each taken back one by one`, async () => {
  await client.create('/chain');
  let changes = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seededRandom(seed);
    const pick = (of: readonly string[]): string => of[random.below(of.length)] as string;
    const root = `/chain/r${seed}`;
    await client.create(root);
    const names = ['a', 'b', 'a/c', 'a/d', 'b/c'];
    const path = (): string => `${root}/${pick(names)}`;
    const operation = (): string => {
      const at = path();
      return pick([`create ${at} v${random.below(9)}`, `set ${at} v${random.below(9)}`, `delete ${at}`]);
    };
    const line = (): string => {
      switch (random.below(9)) {
        case 0:
          return `txn { ${Array.from({ length: 1 + random.below(5) }, operation).join('; ')} }`;
        case 1:
          return `mv ${pick(['', '-f '])}${path()} ${path()}`;
        case 2:
          return `cp ${pick(['', '-r '])}${path()} ${path()}`;
        case 3:
          return `deleteall ${path()}`;
        case 4:
          return `put ${path()} p${random.below(9)}`;
        case 5:
          return `setAcl ${path()} world:anyone:${pick(['cdrwa', 'cdra', 'cdr'])}`;
        case 6:
          return `txn { check ${root}/a absent; create ${root}/a 1; create ${root}/a/c 2 }`;
        default:
          return operation();
      }
    };
    changes += await thereAndBack(root, Array.from({ length: COMMANDS }, line));
  }
  assert.ok(changes > ROUNDS * 2, `only ${changes} changes`);
});

const shown = (value: unknown): string =>
  JSON.stringify(value, (key, each) =>
    key === 'stat'
      ? undefined
      : typeof each === 'bigint'
        ? String(each)
        : each?.type === 'Buffer'
          ? Buffer.from(each.data).toString()
          : each,
  );

/** The data of all nodes below one, each once; what is nothing left out. */
async function values(root: string): Promise<Set<string>> {
  const { data } = await client.get(root);
  const { children } = await client.getChildren(root);
  const below = await Promise.all(children.map((name) => values(`${root}/${name}`)));
  const own = data === null || data.length === 0 ? [] : [data.toString()];
  return new Set([...own, ...below.flatMap((each) => [...each])]);
}

test(`${ROUNDS} random rounds in which not all may be read by everybody: no undo takes away the last of anything`, async () => {
  await client.create('/hidden');
  let [taken, partial, moved] = [0, 0, 0];
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seededRandom(seed);
    const pick = (of: readonly string[]): string => of[random.below(of.length)] as string;
    const root = `/hidden/r${seed}`;
    await client.create(root);
    let written = 0;
    const path = (): string => `${root}/${pick(['a', 'b', 'a/c', 'a/d', 'b/c'])}`;
    /** What was written once is known again wherever it goes. */
    const fresh = (): string => `v${++written}.${seed}.`;
    const acl = (): string => pick(['ip:127.0.0.1:cdrwa', 'ip:127.0.0.1:cdrwa', 'world:anyone:cdrwa']);
    const operation = (): string => {
      const at = path();
      return pick([
        `create ${at} ${fresh()}`,
        `create ${at} ${fresh()} ${acl()}`,
        `set ${at} ${fresh()}`,
        `delete ${at}`,
      ]);
    };
    const line = (): string => {
      switch (random.below(9)) {
        case 0:
          return `txn { ${Array.from({ length: 1 + random.below(5) }, operation).join('; ')} }`;
        case 1:
        case 2:
          return `mv ${pick(['', '-f ', '--no-acl '])}${path()} ${path()}`;
        case 3:
          return `cp ${pick(['', '-r ', '-f '])}${path()} ${path()}`;
        case 4:
          return `deleteall ${path()}`;
        case 5:
        case 6:
          return `setAcl ${path()} ${acl()}`;
        default:
          return operation();
      }
    };
    const hidden = [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }];
    for (const name of ['a', 'a/c', 'b'])
      await client.create(`${root}/${name}`, fresh(), random.below(3) > 0 ? { acl: hidden } : {});
    const it = prompt();
    const { trash } = it.shell.ports;
    const entries: { readonly id: string; readonly line: string; readonly before: Set<string> }[] = [];
    for (const each of Array.from({ length: COMMANDS }, line)) {
      const before = await values(root);
      const known = new Set(trash.list().map(({ id }) => id));
      await it.shell.run(each);
      for (const { id } of trash.list()) if (!known.has(id)) entries.push({ id, line: each, before });
    }
    // the last first, and now and then another one
    while (entries.length > 0) {
      const at = random.below(4) === 0 ? random.below(entries.length) : entries.length - 1;
      const [entry] = entries.splice(at, 1);
      const number = trash.list().find(({ id }) => id === entry?.id)?.number;
      if (entry === undefined || number === undefined) continue;
      const stood = await values(root);
      const steps = trash.steps(entry.id);
      const status = await it.shell.run(`undo ${number}`);
      const said = shown([seed, entry.line, status, it.told.at(-1)?.failure.message, it.shown.at(-1), steps]);
      assert.ok(status === 0 || status === 12, said);
      const stands = await values(root);
      const kept = shown(trash.list().map(({ id }) => trash.steps(id)));
      for (const value of entry.before)
        assert.ok(!stood.has(value) || stands.has(value) || kept.includes(value), `${value} is lost: ${said}`);
      taken++;
      if (status === 12) partial++;
      if (status === 0 && steps.some(({ did }) => did === 'unkept')) moved++;
    }
  }
  assert.ok(taken > ROUNDS && partial > ROUNDS / 4 && moved > ROUNDS / 10, `${taken} ${partial} ${moved}`);
});

/** Nodes of a list, which lacks levels above them: how often a server is waited for, and what is made. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as setImmediateTurn } from 'node:timers/promises';
import { KeeperError, reasonOf } from '../../src/base/errors.ts';
import { parentOf } from '../../src/base/path.ts';
import { type Client, MultiError, type MultiOp } from '../../src/client/api.ts';
import { makeAllParents } from '../../src/commands/support.ts';
import { BulkCreator } from '../../src/shell/bulk-create.ts';
import type { CommandContext } from '../../src/shell/command.ts';
import { eachOf, NO_STAT } from '../../src/shell/walk.ts';
import { rig } from './rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-bulk-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A tree that answers all that is asked at once together, as over a slow line, and counts how often. */
class SlowTree {
  readonly nodes = new Map<string, string>([['/', '']]);
  rounds = 0;
  /** Below it nothing may be made. */
  closed: string | undefined;
  /** A node with data is not taken here, though an empty one would be. */
  unfit: { readonly path: string; readonly code: 'InvalidAcl' | 'NoAuth' } | undefined;
  #asked: (() => void)[] = [];

  #ask<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0)
        setImmediate(() => {
          this.rounds++;
          for (const answer of this.#asked.splice(0)) answer();
        });
      this.#asked.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
  #refusal(path: string): 'NoAuth' | 'NoNode' | 'NodeExists' | undefined {
    if (!this.nodes.has(parentOf(path))) return 'NoNode';
    if (parentOf(path) === this.closed) return 'NoAuth';
    return this.nodes.has(path) ? 'NodeExists' : undefined;
  }
  #make(path: string, data: unknown): { path: string; stat: typeof NO_STAT } {
    const refusal = this.#refusal(path);
    if (refusal !== undefined) throw new KeeperError(refusal, path);
    if (path === this.unfit?.path && data !== null) throw new KeeperError(this.unfit.code, path);
    this.nodes.set(path, data === null ? '' : String(data));
    return { path, stat: NO_STAT };
  }
  get client(): Client {
    return {
      chroot: '',
      sync: () => this.#ask(() => undefined),
      exists: (path: string) => this.#ask(() => (this.nodes.has(path) ? NO_STAT : undefined)),
      get: (path: string) => this.#ask(() => ({ data: Buffer.from(this.nodes.get(path) ?? ''), stat: NO_STAT })),
      getAcl: () => this.#ask(() => ({ acl: [{ scheme: 'world', id: 'anyone', perms: 31 }], stat: NO_STAT })),
      create: (path: string, data: unknown) => this.#ask(() => this.#make(path, data)),
      multi: (ops: readonly MultiOp[]) =>
        this.#ask(() => {
          const before = new Map(this.nodes);
          for (const [at, op] of ops.entries())
            try {
              this.#make(op.path, 'data' in op ? op.data : null);
            } catch (error) {
              this.nodes.clear();
              for (const [path, data] of before) this.nodes.set(path, data);
              const { code } = error as KeeperError;
              throw new MultiError(code, at, op.path, [], reasonOf(code));
            }
          return ops.map(({ op, path }) => ({ op, path, stat: NO_STAT }));
        }),
    } as unknown as Client;
  }
}

/** What `import` says of a list of these lines. */
async function imported(tree: SlowTree, lines: readonly string[], keepGoing = false) {
  const file = join(folder, 'list');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const it = rig(tree.client, {}, undefined, { keepGoing });
  const status = await it.shell.run(`import --on-conflict skip ${file}`);
  return { status, it };
}

test('levels that are missing above many nodes are made in a few turns, not in some for each', async () => {
  const tree = new SlowTree();
  const lines = Array.from({ length: 1200 }, (_, at) => `/top/g${at}/deep/leaf=${at}`);
  const { status } = await imported(tree, lines);
  assert.equal(status, 0);
  for (const line of lines) {
    const [path = '', data] = line.split('=');
    assert.equal(tree.nodes.get(path), data);
  }
  assert.equal(tree.nodes.size, 1 + 1 + 3 * 1200);
  assert.ok(tree.rounds < 200, `${tree.rounds} turns`);
});

test('nodes among them that are themselves above others, and some that are there', async () => {
  const tree = new SlowTree();
  for (const path of ['/top', '/top/g1', '/top/g1/deep', '/top/g1/deep/leaf']) tree.nodes.set(path, 'before');
  const lines = Array.from({ length: 600 }, (_, at) => [`/top/g${at}=own`, `/top/g${at}/deep/leaf=${at}`]).flat();
  const { status, it } = await imported(tree, lines);
  assert.equal(status, 0);
  assert.equal(tree.nodes.get('/top/g1'), 'before');
  assert.equal(tree.nodes.get('/top/g1/deep/leaf'), 'before');
  for (const at of [0, 2, 299, 599]) {
    assert.equal(tree.nodes.get(`/top/g${at}`), 'own');
    assert.equal(tree.nodes.get(`/top/g${at}/deep`), '');
    assert.equal(tree.nodes.get(`/top/g${at}/deep/leaf`), String(at));
  }
  const [output] = it.shown;
  assert.deepEqual(output?.type === 'counts' && output.counts, { created: 1198, updated: 0, same: 0, skipped: 2 });
  assert.ok(tree.rounds < 300, `${tree.rounds} turns`);
});

test('where a level may not be made it stops there; with -k the others are made', async () => {
  const lines = ['/top/a/x/leaf=1', '/top/b/x/leaf=2', '/top/c/x/leaf=3'];
  const closedTree = (): SlowTree => {
    const tree = new SlowTree();
    for (const path of ['/top', '/top/b']) tree.nodes.set(path, '');
    tree.closed = '/top/b';
    return tree;
  };
  const { status, it } = await imported(closedTree(), lines);
  assert.equal(status, 14);
  assert.match(it.told[0]?.failure.message ?? '', /\/top\/b\/x/);
  const tree = closedTree();
  const goes = await imported(tree, lines, true);
  assert.equal(goes.status, 14);
  assert.deepEqual(goes.it.warned, ['not permitted to write /top/b/x/leaf']);
  assert.deepEqual([tree.nodes.get('/top/a/x/leaf'), tree.nodes.get('/top/c/x/leaf')], ['1', '3']);
  assert.equal(tree.nodes.has('/top/b/x'), false);
});

test('a node that is refused is not there as an empty level, and nothing is below it', async () => {
  const tree = new SlowTree();
  tree.unfit = { path: '/new/place/app/a', code: 'InvalidAcl' };
  const lines = ['/new/place/app=top', '/new/place/app/a=1', '/new/place/app/a/b=2', '/new/place/other/c=3'];
  const { status, it } = await imported(tree, lines);
  assert.notEqual(status, 0);
  assert.deepEqual([tree.nodes.has('/new/place/app/a'), tree.nodes.has('/new/place/app/a/b')], [false, false]);
  assert.deepEqual([tree.nodes.get('/new/place/app'), tree.nodes.get('/new/place/other/c')], ['top', '3']);
  assert.match(it.told[0]?.failure.message ?? '', /\/new\/place\/app\/a\b(?!\/)/);
  assert.match(JSON.stringify(it.told[0]?.failure), /2 nodes written/);
});

test('nor where most nodes are there, and are looked at first', async () => {
  const tree = new SlowTree();
  const there = Array.from({ length: 6000 }, (_, at) => `/e${at}=same`);
  for (const line of there) tree.nodes.set(line.split('=')[0] as string, 'same');
  tree.unfit = { path: '/n/a', code: 'InvalidAcl' };
  const { status } = await imported(tree, [...there, '/n=top', '/n/a=1', '/n/a/b=2']);
  assert.notEqual(status, 0);
  assert.deepEqual([tree.nodes.get('/n'), tree.nodes.has('/n/a'), tree.nodes.has('/n/a/b')], ['top', false, false]);
});

test('with -k what is below a node that may not be made is named with it, and the others are made', async () => {
  const tree = new SlowTree();
  tree.unfit = { path: '/new/a', code: 'NoAuth' };
  const { status, it } = await imported(tree, ['/new/a=1', '/new/a/b=2', '/new/a/b/c/d=3', '/new/z/y=4'], true);
  assert.equal(status, 14);
  assert.deepEqual(
    [...tree.nodes],
    [
      ['/', ''],
      ['/new', ''],
      ['/new/z', ''],
      ['/new/z/y', '4'],
    ],
  );
  assert.match(it.warned.join('\n'), /\/new\/a.*\/new\/a\/b.*\/new\/a\/b\/c\/d/s);
  const [output] = it.shown;
  assert.deepEqual(output?.type === 'counts' && output.counts, {
    created: 1,
    updated: 0,
    same: 0,
    skipped: 0,
    denied: 3,
  });
});

test('a node that comes after one below it is made as it is, also where a level elsewhere may not be made', async () => {
  const tree = new SlowTree();
  tree.nodes.set('/shut', '');
  tree.closed = '/shut';
  const { client } = tree;
  const { signal } = new AbortController();
  const said: string[] = [];
  const creator = new BulkCreator(client, {
    signal,
    batches: 1,
    existing: async ({ path }) => void said.push(`${path} is there`),
    denied: ({ path }) => void said.push(`${path} denied`),
    created: ({ path }) => void said.push(path),
    makeParents: (paths) =>
      makeAllParents(client, paths, { signal, settings: { get: () => '10' } } as unknown as CommandContext),
  });
  for (const [path, text] of [
    ['/shut/s/x', '0'],
    ['/y/z/w/a/b', '1'],
    ['/y/z/w/a', '2'],
  ] as const)
    await creator.add({ path, data: Buffer.from(text), acl: undefined, kind: 'persistent' });
  await creator.end();
  assert.deepEqual(said, ['/shut/s/x denied', '/y/z/w/a/b', '/y/z/w/a']);
  assert.deepEqual([tree.nodes.get('/y/z/w/a'), tree.nodes.get('/y/z/w/a/b')], ['2', '1']);
});

test('once a level may not be made no other is made any more', async () => {
  const tree = new SlowTree();
  for (const path of ['/shut', '/t']) tree.nodes.set(path, '');
  tree.closed = '/shut';
  const { signal } = new AbortController();
  const context = { signal, settings: { get: () => '3' } } as unknown as CommandContext;
  const paths = ['/shut/s/x', ...Array.from({ length: 30 }, (_, at) => `/t/a${at}/x`)];
  await assert.rejects(makeAllParents(tree.client, paths, context), /\/shut\/s/);
  const made = [...tree.nodes.keys()];
  assert.deepEqual(made, ['/', '/shut', '/t', '/t/a0', '/t/a1']);
  for (let turn = 0; turn < 50; turn++) await setImmediateTurn();
  assert.deepEqual([...tree.nodes.keys()], made);
});

test('what was begun has ended before the failure beside it is told', async () => {
  const { signal } = new AbortController();
  let ended = 0;
  const works = [() => Promise.reject(new Error('first')), setImmediateTurn, setImmediateTurn];
  const work = eachOf(works, 3, signal, async (each) => {
    await each();
    ended++;
  });
  await assert.rejects(work, /first/);
  assert.equal(ended, 2);
});

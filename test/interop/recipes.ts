/** Two clients of kazoo and two of ours use the same recipes on the same paths, while their server is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  Counter,
  connect,
  DoubleBarrier,
  Group,
  type Hold,
  Lock,
  LockingQueue,
  Queue,
  ReadWriteLock,
  Semaphore,
} from '../../src/index.ts';
import { ServerProcess } from '../e2e/process.ts';

const KAZOO = 'test/interop/recipes_kazoo.py';

/** A server, two clients of ours, and a folder in which everybody who is in puts up a sign. */
class Scene implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'zoosh-recipes-'));
  readonly server: ServerProcess;
  readonly clients: Client[] = [];
  private constructor(server: ServerProcess) {
    this.server = server;
  }
  static async open(): Promise<Scene> {
    const scene = new Scene(await new ServerProcess(['maxClientCnxns=0'], 'error').start());
    for (let at = 0; at < 2; at++) scene.clients.push(await connect(scene.server.hosts, { timeoutMs: 30_000 }));
    return scene;
  }
  note(file: string, text: string): void {
    appendFileSync(join(this.folder, file), `${text}\n`);
  }
  lines(file: string): string[] {
    try {
      return readFileSync(join(this.folder, file), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  }
  /** Being in: who else is in is looked at when the own sign is up. */
  async inside(kind: string, name: string, sequence?: string): Promise<void> {
    const sign = join(this.folder, `in-${kind}-${name}`);
    closeSync(openSync(sign, 'wx'));
    this.note(
      'seen',
      readdirSync(this.folder)
        .filter((each) => each.startsWith('in-'))
        .sort()
        .join(' '),
    );
    if (sequence !== undefined) this.note('order', sequence);
    await sleep(4);
    unlinkSync(sign);
  }
  kazoo(name: string, recipe: string, rounds: number): Promise<void> {
    const args = [KAZOO, this.server.hosts, this.folder, name, recipe, String(rounds)];
    const child = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'inherit', 'inherit'] });
    return new Promise((resolve, reject) => {
      child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`kazoo ${name}: ended with ${code}`))));
    });
  }
  /** Both of kazoo's and both of ours, `rounds` each; the server is killed `kills` times meanwhile. */
  async play(
    recipe: string,
    rounds: number,
    kills: number,
    ours: (client: Client, name: string, at: number) => Promise<void>,
  ): Promise<void> {
    let isOver = false;
    const all = Promise.all([
      this.kazoo('k1', recipe, rounds),
      this.kazoo('k2', recipe, rounds),
      ...this.clients.map(async (client, n) => {
        for (let at = 0; at < rounds; at++) await ours(client, `z${n + 1}`, at);
      }),
    ]).finally(() => {
      isOver = true;
    });
    const hurt = async (): Promise<void> => {
      while (!isOver && this.lines('began').length < 2) await sleep(20);
      for (let kill = 0; kill < kills; kill++) {
        await sleep(400);
        assert.ok(!isOver, `over before kill ${kill + 1}: more rounds are needed`);
        await this.server.kill('SIGKILL');
        await this.server.start();
      }
    };
    await Promise.all([all, hurt()]);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function held(scene: Scene, hold: Hold, kind: string, name: string): Promise<void> {
  await scene.inside(kind, name, hold.node.slice(-10));
  await hold.release();
}
const ascending = (lines: readonly string[]): void => assert.deepEqual(lines, [...lines].sort());

// side by side: most of it is waiting
describe('kazoo', { concurrency: 3, timeout: 120_000 }, () => {
  test('lock: 200 rounds, the server killed twice: one at a time, in the order of coming', async () => {
    await using scene = await Scene.open();
    await scene.play('lock', 50, 2, async (client, name) =>
      held(scene, await new Lock(client, '/lock', { style: 'kazoo', id: name }).acquire(), 'w', name),
    );
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.deepEqual(
      seen.filter((line) => line.includes(' ')),
      [],
    );
    ascending(scene.lines('order'));
    assert.deepEqual((await scene.clients[0]?.getChildren('/lock'))?.children, []);
  });

  test("read-write lock: a writer is alone, kazoo's or ours, the server killed twice", async () => {
    await using scene = await Scene.open();
    await scene.play('readwrite', 50, 2, async (client, name, at) => {
      const lock = new ReadWriteLock(client, '/rw', { style: 'kazoo', id: name });
      if (at % 4 === 0) await held(scene, await lock.write.acquire(), 'w', name);
      else await held(scene, await lock.read.acquire(), 'r', name);
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    for (const line of seen) assert.ok(!line.includes('in-w-') || !line.includes(' '), line);
    assert.ok(
      seen.some((line) => line.includes(' ')),
      'no two readers met',
    );
  });

  test('semaphore: never more than two, the server killed twice', async () => {
    await using scene = await Scene.open();
    await scene.play('semaphore', 50, 2, async (client, name) => {
      const hold = await new Semaphore(client, '/semaphore', 2, { style: 'kazoo', id: name }).acquire();
      await scene.inside('s', name);
      await hold.release();
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.ok(seen.every((line) => line.split(' ').length <= 2));
    assert.ok(
      seen.some((line) => line.includes(' ')),
      'no two met',
    );
  });

  test('counter: each of our changes once, the server killed twice', async () => {
    await using scene = await Scene.open();
    await scene.play('counter', 200, 2, async (client) => {
      await new Counter(client, '/counter').add(1_000_000);
      await sleep(5);
    });
    const value = await new Counter(scene.clients[0] as Client, '/counter').get();
    assert.equal(value / 1_000_000n, 400n);
    assert.ok(value % 1_000_000n >= 400n); // kazoo repeats a change whose answer was lost
  });

  test('queue: each of our items goes to one taker, the server killed twice', async () => {
    await using scene = await Scene.open();
    let made = 0;
    await scene.play('queue', 200, 2, async (client) => {
      const queue = new Queue(client, '/queue', { style: 'kazoo' });
      await queue.put(`z${made++}`);
      const item = await queue.tryTake();
      if (item !== undefined) scene.note('took', String(item.data));
    });
    const rest = new Queue(scene.clients[0] as Client, '/queue', { style: 'kazoo' });
    for (let item = await rest.tryTake(); item !== undefined; item = await rest.tryTake())
      scene.note('took', String(item.data));
    const ours = scene.lines('took').filter((line) => line.startsWith('z'));
    assert.equal(new Set(ours).size, ours.length, 'an item was taken twice');
    // what kazoo deleted without hearing of it is lost to it
    assert.ok(ours.length >= made - 4, `${ours.length} of ${made}`);
    assert.equal(made, 400);
  });

  test('locking queue: every item is done once, the server killed twice', async () => {
    await using scene = await Scene.open();
    const [first] = scene.clients as [Client];
    for (let at = 0; at < 200; at++) await new LockingQueue(first, '/work').put(`item ${at}`);
    await scene.play('locking', 60, 2, async (client) => {
      const taken = await new LockingQueue(client, '/work').tryTake();
      await sleep(5);
      if (taken === undefined) return;
      await taken.consume();
      scene.note('done', String(taken.data));
    });
    const rest = new LockingQueue(first, '/work');
    for (let item = await rest.tryTake(); item !== undefined; item = await rest.tryTake()) {
      await item.consume();
      scene.note('done', String(item.data));
    }
    const done = scene.lines('done');
    assert.equal(new Set(done).size, done.length, 'an item was done twice');
    assert.equal(await rest.length(), 0);
    const known = new Set([...done, ...scene.lines('doubt')]); // one that kazoo did without hearing of it
    assert.equal(known.size, 200);
    assert.ok(done.length >= 196, String(done.length));
  });

  test('double barrier: nobody is in before all are', async () => {
    await using scene = await Scene.open();
    const rounds = 8;
    await scene.play('barrier', rounds, 0, async (client, name, at) => {
      const barrier = new DoubleBarrier(client, '/barrier', 4, { id: name });
      scene.note('came', String(at));
      await barrier.enter();
      scene.note('entered', `${at} ${scene.lines('came').filter((line) => line === String(at)).length}`);
      await barrier.leave();
      scene.note('left', String(at));
      while (scene.lines('left').filter((line) => line === String(at)).length < 4) await sleep(5);
    });
    const entered = scene.lines('entered');
    assert.equal(entered.length, 4 * rounds);
    for (const line of entered) assert.match(line, /^\d+ 4$/);
  });

  test('party: all see each other', async () => {
    await using scene = await Scene.open();
    await scene.play('party', 1, 0, async (client, name) => {
      const group = new Group(client, '/party', { style: 'kazoo' });
      const member = await group.join(name);
      while ((await group.members()).length < 4) await sleep(5);
      scene.note(
        'party',
        (await group.members())
          .map(({ id }) => id)
          .sort()
          .join(' '),
      );
      while (scene.lines('party').length < 4) await sleep(5);
      await member.leave();
    });
    assert.deepEqual(new Set(scene.lines('party')), new Set(['k1 k2 z1 z2']));
  });
});

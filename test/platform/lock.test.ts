/** The lock file of a data directory, without the abstract socket that would hide what it does within one namespace. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockDirectory } from '../../src/platform/lock.ts';
import { LOCK_FILE, LockError, lockFile } from '../../src/platform/lock-file.ts';
import { findListener, MAX_SOCKET_PATH, shortWay, wayByLink } from '../../src/platform/unix-socket.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(home, { recursive: true, force: true }));
let made = 0;
function folder(name = `f${++made}`): string {
  mkdirSync(join(home, name));
  return join(home, name);
}
/** A socket that nobody listens at, as a killed process leaves it. */
async function dead(path: string): Promise<void> {
  const server = createServer().listen(`${path}.x`);
  await once(server, 'listening');
  renameSync(`${path}.x`, path);
  server.close();
}

/** A process that tries for the lock when it is told to, and says what came of it. */
class Starter implements AsyncDisposable {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./lock-job.js', import.meta.url)));
  async ask(word: string): Promise<boolean> {
    const answer = once(this.#child, 'message');
    this.#child.send(word);
    const [won] = (await answer) as [boolean];
    return won;
  }
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.kill('SIGKILL')) await ended;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

test('one holds it; a second is refused until it is released, and nothing is left', async () => {
  const dir = folder();
  const first = await lockFile(dir);
  assert.deepEqual(readdirSync(dir), [LOCK_FILE]);
  assert.equal(statSync(join(dir, LOCK_FILE)).mode & 0o777, 0o666);
  assert.equal(await lockFile(dir), undefined);
  assert.deepEqual(readdirSync(dir), [LOCK_FILE]);
  first?.release();
  assert.deepEqual(readdirSync(dir), []);
  (await lockFile(dir))?.release();
  first?.release(); // again: another's would stay
  const again = await lockFile(dir);
  first?.release();
  assert.equal(await lockFile(dir), undefined);
  again?.release();
});

test('what killed processes left is taken over and cleared away', async () => {
  const dir = folder();
  await dead(join(dir, LOCK_FILE));
  await dead(join(dir, `${LOCK_FILE}.0123456789abcdef`));
  await dead(join(dir, `${LOCK_FILE}.0123456789abcdee.new`));
  const lock = await lockFile(dir);
  assert.deepEqual(readdirSync(dir), [LOCK_FILE]);
  lock?.release();
});

test('a killed holder keeps nobody out; one that stands still does', async () => {
  const dir = folder();
  await using starter = new Starter();
  assert.equal(await starter.ask(dir), true);
  starter.signal('SIGSTOP');
  assert.equal(await lockFile(dir), undefined);
  await starter.kill();
  assert.equal(await findListener(join(dir, LOCK_FILE)), 'dead');
  const lock = await lockFile(dir);
  assert.ok(lock !== undefined);
  lock.release();
});

test('of several that start at once over a dead file exactly one has it, in every round', async () => {
  const dir = folder();
  await using one = new Starter();
  await using two = new Starter();
  await using three = new Starter();
  await using four = new Starter();
  const starters = [one, two, three, four];
  const winners = new Set<number>();
  for (let round = 0; round < 150; round++) {
    if (round % 3 !== 0) await dead(join(dir, LOCK_FILE));
    const won = await Promise.all(starters.map((each) => each.ask(dir)));
    assert.equal(won.filter((is) => is).length, 1, `round ${round}: ${won}`);
    winners.add(won.indexOf(true));
    assert.deepEqual(readdirSync(dir), [LOCK_FILE]);
    await Promise.all(starters.map((each) => each.ask('release')));
    assert.deepEqual(readdirSync(dir), []);
  }
  assert.ok(winners.size > 1);
});

test('of two candidates the greater name goes, and the smaller one waits for it', async () => {
  const dir = folder();
  const listening = async (name: string) => {
    const server = createServer().listen(join(dir, name));
    await once(server, 'listening');
    return server;
  };
  const small = await listening(`${LOCK_FILE}.0000000000000000`);
  assert.equal(await lockFile(dir), undefined);
  small.close();
  const great = await listening(`${LOCK_FILE}.ffffffffffffffff`);
  const wanted = lockFile(dir);
  const early = await Promise.race([wanted, new Promise((done) => setTimeout(done, 100, 'waits'))]);
  assert.equal(early, 'waits');
  great.close();
  const lock = await wanted;
  assert.ok(lock !== undefined);
  lock.release();
});

test('a directory whose path is too long for a socket is locked as any other', async () => {
  const dir = join(home, 'x'.repeat(100), 'y'.repeat(100));
  mkdirSync(dir, { recursive: true });
  assert.ok(dir.length > MAX_SOCKET_PATH);
  const lock = await lockFile(dir);
  assert.deepEqual(readdirSync(dir), [LOCK_FILE]);
  assert.ok(lstatSync(join(dir, LOCK_FILE)).isSocket());
  assert.equal(await lockFile(dir), undefined);
  for (const way of [shortWay(dir, 30), wayByLink(dir, tmpdir())]) {
    assert.ok(way.path.length < MAX_SOCKET_PATH - 30);
    assert.equal(await findListener(join(way.path, LOCK_FILE)), 'living');
    way[Symbol.dispose]();
    assert.equal(await findListener(join(way.path, LOCK_FILE)), 'nothing');
  }
  lock?.release();
  assert.deepEqual(readdirSync(dir), []);
});

test('what is no socket is nobody’s to remove', async () => {
  const dir = folder();
  writeFileSync(join(dir, LOCK_FILE), 'mine');
  await assert.rejects(
    lockFile(dir),
    (error) => error instanceof LockError && /is no socket.*Move it away/.test(error.message),
  );
  await assert.rejects(lockDirectory(dir), LockError);
  assert.deepEqual(readdirSync(dir), [LOCK_FILE]);
  rmSync(join(dir, LOCK_FILE));
  (await lockDirectory(dir))?.release(); // the refusal let go of the rest
});

test('where no socket can be made the lock says so, and is there within one namespace', async () => {
  // of the kernel: no user makes anything in there
  const odd = '/proc/self/task';
  await assert.rejects(lockFile(odd));
  const lock = await lockDirectory(odd);
  assert.match(lock?.weakness ?? '', /^no socket can be made in it \(E[A-Z]+\)$/);
  assert.equal(await lockDirectory(odd), undefined);
  lock?.release();
  (await lockDirectory(odd))?.release();
});

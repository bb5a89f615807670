/** `ensemble scale` that is interrupted, killed or run twice: whatever happens, the ensemble serves and has the size that is asked for next. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnsembleFolder } from '../../src/ensemble/layout.ts';
import { allEqual, base, begin, folder, good, run, until, view } from './local-ensembles.ts';

const start = async (name: string, n: number): Promise<void> => {
  await good('start', 'ensemble', name, '-n', String(n), '--base-port', String(await base()), '-d');
};
const logHas = (name: string, id: number, text: string): boolean => {
  const log = join(folder, name, `member-${id}`, 'log');
  return existsSync(log) && readFileSync(log, 'utf8').includes(text);
};
/** The ids in /zookeeper/config, as a client sees them. */
async function listed(name: string): Promise<number[]> {
  const { connect } = await view(name);
  const text = await good(connect, '--connect-timeout', '20s', 'config');
  return [...text.matchAll(/^server\.(\d+)=/gm)].map(([, id]) => Number(id));
}
/** Begins `scale`, and sends the signal so long after the new member serves; by then it is about to be a voter. */
async function scaleAndSignal(name: string, signal: NodeJS.Signals, afterMs: number): Promise<string> {
  const scaling = begin(['ensemble', 'scale', name, '3']);
  let isOver = false;
  void scaling.ended.then(() => {
    isOver = true;
  });
  for (let at = 0; at < 20_000 && !isOver && !logHas(name, 2, 'ready '); at++) await sleep(1);
  await sleep(afterMs);
  scaling.child.kill(signal);
  await scaling.ended;
  return scaling.text.err;
}

test('scale that is interrupted at any moment: the ensemble serves on, and the members are those that the servers list', async (t) => {
  await start('cut', 1);
  for (const afterMs of [0, 10, 20, 30, 40, 60, 90, 130]) {
    const said = await scaleAndSignal('cut', 'SIGINT', afterMs);
    const found = await until(`it serves after ${afterMs} ms: ${said}`, async () => {
      const now = await view('cut');
      return now.quorum && now.serving === now.voters && now;
    });
    const ids = found.members.map(({ id }) => id);
    assert.deepEqual(await listed('cut'), ids, `${afterMs} ms: ${said}`);
    if (ids.length > 1 && ids.length < 3) assert.match(said, /interrupted: cut has voters 1 2 now;/);
    t.diagnostic(`${afterMs} ms: members ${ids.join(' ')}`);
    await good('ensemble', 'scale', 'cut', '1');
  }
  assert.deepEqual(await listed('cut'), [1]);
  await good('-y', 'ensemble', 'destroy', 'cut');
});

test('scale that is killed leaves what the next one takes up or removes; two at once are refused', async () => {
  await start('hit', 1);
  for (const [afterMs, next] of [
    [0, 3],
    [25, 1],
    [60, 3],
  ] as const) {
    await scaleAndSignal('hit', 'SIGKILL', afterMs);
    await good('ensemble', 'scale', 'hit', String(next));
    const found = await allEqual('hit');
    assert.deepEqual([found.voters, found.members.length], [next, next], `${afterMs} ms`);
    assert.deepEqual(
      (await listed('hit')).sort(),
      found.members.map(({ id }) => id),
    );
    await good('ensemble', 'scale', 'hit', '1');
  }
  const first = begin(['ensemble', 'scale', 'hit', '3']);
  await until('the first is at work', async () => first.text.err.includes('joins'));
  const second = await run('ensemble', 'scale', 'hit', '1');
  assert.equal(second.code, 42, second.stderr);
  assert.match(second.stderr, /hit is being scaled already, by process \d+/);
  assert.equal(await first.ended, 0, first.text.err);
  assert.equal((await allEqual('hit')).members.length, 3);
  await good('-y', 'ensemble', 'destroy', 'hit');
});

test('a member that runs and is none of the ensemble is taken up again, or removed', async () => {
  await start('stray', 3);
  const { connect, members, directory } = await allEqual('stray');
  const aside = members.find(({ role }) => role === 'follower')?.id as number;
  const auth = ['--auth', `digest:super:${new EnsembleFolder(directory).superPassword}`];
  const setAside = (): Promise<string> => good(connect, ...auth, '-y', 'reconfig', '--remove', String(aside));
  await setAside();
  await good('ensemble', 'scale', 'stray', '3');
  const again = await allEqual('stray');
  assert.deepEqual([again.voters, again.members.map(({ id }) => id)], [3, [1, 2, 3]]);
  await setAside();
  await good('ensemble', 'scale', 'stray', '2');
  const two = await allEqual('stray');
  assert.deepEqual([two.voters, two.members.length], [2, 2]);
  assert.ok(!existsSync(join(directory, `member-${aside}`)));
  await good('-y', 'ensemble', 'destroy', 'stray');
});

test('status counts by the config in force, and says yes only when a quorum answers', async () => {
  await start('true', 3);
  const { connect, members, directory } = await allEqual('true');
  const leader = members.find(({ role }) => role === 'leader')?.id as number;
  const others = [1, 2, 3].filter((id) => id !== leader);
  // a voter that was never there counts all the same
  const auth = ['--auth', `digest:super:${new EnsembleFolder(directory).superPassword}`];
  await good(connect, ...auth, '-y', 'reconfig', '--add', '9=127.0.0.1:1:2;3');
  const four = await view('true');
  assert.deepEqual([four.voters, four.serving, four.quorum], [4, 3, true]);
  await good(connect, ...auth, '-y', 'reconfig', '--remove', '9');
  // all of them are up and follow a leader whom nobody hears
  await good('ensemble', 'partition', 'true', '1', '/', '2', '/', '3');
  const { code, stdout } = await run('-o', 'json', 'ensemble', 'status', 'true');
  const cut = JSON.parse(stdout) as { quorum: boolean };
  assert.deepEqual([code, cut.quorum], [1, false], stdout);
  await good('ensemble', 'heal', 'true');
  await until('they are together again', async () => (await view('true')).quorum);
  const now = (await view('true')).members.find(({ role }) => role === 'leader')?.id ?? leader;
  await good('ensemble', 'pause', 'true', String(now));
  await until('another leads', async () => (await view('true')).quorum);
  await good('ensemble', 'resume', 'true', String(now));
  const woken = await view('true');
  assert.equal(woken.members.filter(({ role }) => role === 'leader').length, 1, JSON.stringify([woken, others]));
  await good('-y', 'ensemble', 'destroy', 'true');
});

test('a restart of all under a partition that leaves no majority elects nobody', async () => {
  await start('apart', 3);
  await allEqual('apart');
  await good('ensemble', 'partition', 'apart', '1', '/', '2', '/', '3');
  const terms = (): number =>
    [1, 2, 3].reduce((sum, id) => {
      const log = readFileSync(join(folder, 'apart', `member-${id}`, 'log'), 'utf8');
      return sum + [...log.matchAll(/leading epoch/g)].length;
    }, 0);
  const before = terms();
  const { code, stderr } = await run('ensemble', 'restart', 'apart');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /faults in force may keep member 1, 2, 3 from serving: zoosh ensemble heal apart ends them/);
  await sleep(1500);
  assert.equal(terms(), before);
  await good('ensemble', 'heal', 'apart');
  await allEqual('apart');
  await good('-y', 'ensemble', 'destroy', 'apart');
});

/** What is wrong with a wish or with files is said in a sentence, with the code that fits, and nothing of it stays behind. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Ensemble } from '../../src/ensemble/ensemble.ts';
import { type Launch, launch } from '../../src/ensemble/launch.ts';
import { memberFolder } from '../../src/ensemble/layout.ts';
import { EnsemblesOf } from '../../src/ensemble/local.ts';
import { processOf } from '../../src/ensemble/process.ts';
import { viewOf } from '../../src/ensemble/status.ts';
import { Failure } from '../../src/shell/failure.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { STAND_IN } from './stand-in.ts';

const HOST = '127.0.0.1';
const NEVER = new AbortController().signal;
const root = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
const elsewhere = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
const all = new EnsemblesOf({ root, current: undefined, command: STAND_IN });
after(async () => {
  for (const name of all.names()) await all.destroy(name).catch(() => {});
  for (const each of [root, elsewhere]) rmSync(each, { recursive: true, force: true });
});

async function start(
  make: Partial<Launch['make']> & { readonly name: string },
  more: Partial<Launch> = {},
): Promise<Ensemble> {
  return launch({
    path: join(root, make.name),
    make: {
      voters: 1,
      observers: 0,
      host: HOST,
      basePort: make.basePort ?? (await ownBlock(HOST, 3)),
      exactBase: false,
      data: undefined,
      settings: [],
      ...make,
    },
    asked: {},
    command: STAND_IN,
    leash: true,
    timeoutMs: PATIENCE_MS,
    signal: NEVER,
    keep: false,
    note: () => {},
    ...more,
  });
}
const failure =
  (exit: number, message: RegExp, hint = /./) =>
  (error: unknown): true => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exit, exit, error.message);
    assert.match([error.message, ...error.lines].join('\n'), message);
    assert.match(error.hint ?? '', hint);
    return true;
  };

test('a place where nothing can be made, an address of another machine', async () => {
  const file = join(elsewhere, 'file');
  writeFileSync(file, '');
  for (const data of [file, join(file, 'below'), '/proc/nowhere'])
    await assert.rejects(
      start({ name: 'place', data }),
      failure(40, /the files of place cannot be made in /, /--data/),
    );
  await assert.rejects(
    start({ name: 'away', host: '192.0.2.1' }),
    failure(2, /192\.0\.2\.1 is not an address of this/),
  );
  await assert.rejects(
    start({ name: 'away', host: '192.0.2.1', exactBase: true }),
    failure(2, /192\.0\.2\.1 is not an address of this/),
  );
  mkdirSync(join(root, 'junk'));
  writeFileSync(join(root, 'junk', 'x'), '');
  await assert.rejects(start({ name: 'junk' }), failure(42, /junk is there already, and holds no/, /another name/));
  rmSync(join(root, 'junk'), { recursive: true });
  assert.deepEqual(readdirSync(root), []);
});

test('one that is there already keeps its settings, ports, address and place: others are refused', async () => {
  const ensemble = await start({ name: 'kept', settings: ['x.secret=1'] });
  await all.stop('kept', []);
  const { basePort } = ensemble.file;
  for (const [make, more, what] of [
    [{ settings: ['x.secret=2', 'y=1'] }, {}, /other settings, of x\.secret \(--set x\.secret, y\)/],
    [{ basePort: basePort + 1, exactBase: true }, {}, /ports from \d+ on \(--base-port/],
    [{ data: elsewhere }, {}, /its members in .* \(--data/],
    [{ host: '127.0.0.2' }, { asked: { host: '127.0.0.2' } }, /the address 127\.0\.0\.1 \(--host 127\.0\.0\.2\)/],
  ] as const)
    await assert.rejects(start({ name: 'kept', ...make }, more), failure(2, what, /zoosh ensemble destroy kept/));
  await start({ name: 'kept', settings: ['x.secret=1'], basePort, exactBase: true, data: join(root, 'kept') });
  await all.destroy('kept');
});

test('an ensemble.json that is of no use: the others are listed, and it can be destroyed', async () => {
  await start({ name: 'fine' });
  const bad = await start({ name: 'bad' });
  const pid = bad.process(1).find()?.pid as number;
  for (const text of ['', '{"format":1,"members":[null]}', '{"format":1,"members":[]}', '{"format":2,"members":[]}']) {
    writeFileSync(join(root, 'bad', 'ensemble.json'), text);
    const found = await all.list();
    assert.deepEqual(
      found.map(({ name, members, problem }) => [name, members, problem !== undefined]),
      [
        ['bad', 0, true],
        ['fine', 1, false],
      ],
    );
    assert.equal(all.open(undefined).name, 'fine');
    assert.throws(() => all.open('bad'), failure(43, /ensemble\.json is not a file of this/, /destroy bad/));
  }
  await all.destroy('bad');
  assert.ok(!existsSync(join(root, 'bad')));
  assert.equal(processOf(pid), undefined);
  await all.destroy('fine');
});

test('a member whose folder is gone, a start that came to nothing, and one that died without a word', async () => {
  const ensemble = await start({ name: 'half', voters: 3 });
  await all.kill('half', ['3']);
  rmSync(memberFolder(ensemble.file, 3), { recursive: true });
  await assert.rejects(
    all.start('half', ['3'], NEVER),
    failure(43, /member 3 of half cannot be started: .*zoo\.cfg/, /scale half 2/),
  );
  await all.destroy('half');
  // what is said must still be there
  await assert.rejects(
    start({ name: 'late', settings: ['x.never=1'] }, { timeoutMs: 300, lateHint: 'longer' }),
    failure(45, /no quorum in 0.3s/, /^longer$/),
  );
  await assert.rejects(
    start({ name: 'mute' }, { command: { program: process.execPath, args: ['-e', 'process.exit(9)'] } }),
    (error: Failure) => {
      assert.match(error.lines.join('\n'), /^it ended with 9 and said nothing in .*log$/);
      return true;
    },
  );
});

test('a leader whom no quorum answers is no quorum, whatever it says of itself', async () => {
  const ensemble = await start({ name: 'alone', voters: 3, settings: ['x.alone=3'] });
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    const { quorum, serving, voters } = await viewOf(ensemble);
    assert.equal(quorum, false);
    if (serving === 3 && voters === 3) break;
  }
  await all.destroy('alone');
});

test('a member that a partition cuts off is started all the same, and has the partition before it meets anybody', async () => {
  await start({ name: 'cut', voters: 3, settings: ['x.cutNever=3'] });
  await all.partition('cut', ['1,2', '/', '3'], false);
  await all.kill('cut', ['3']);
  const told: string[] = [];
  assert.deepEqual(await all.start('cut', ['3'], NEVER, (text) => told.push(text)), [3]);
  assert.match(told.join(), /^faults in force may keep member 3 from serving: zoosh ensemble heal cut ends them$/);
  const { members } = await all.view('cut');
  assert.deepEqual([members[2]?.state, members[2]?.faults], ['starting', ['cut from 1,2']]);
  await all.destroy('cut');
});

/** What the commands promise, read line by line: what is typed is taken, what is shown can be typed again, pipes get no ages. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { toHuman } from '../../src/out/human.ts';
import { toPlain } from '../../src/out/plain.ts';
import { decideColor, makeTheme } from '../../src/out/theme.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-lines-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Shown {
  readonly plain: string;
  readonly human: string;
  readonly json: unknown;
}
const theme = await makeTheme(decideColor('never', {}, false), true);
let trashes = 0;

/** What a pipe and what a person gets of the last answer of `lines`; the rest is done quietly. */
async function shown(lines: readonly string[], status = 0): Promise<Shown> {
  const it = rig(client, {}, undefined, { trash: join(folder, String(++trashes)) });
  for (const line of lines) {
    it.shown.length = 0;
    const got = await it.shell.run(line);
    assert.equal(got, line === lines.at(-1) ? status : 0, `${line}: ${it.told.at(-1)?.failure.message}`);
  }
  return {
    plain: it.shown.map((each) => Buffer.from(toPlain(each)).toString()).join(''),
    human: it.shown.flatMap((each) => toHuman(each, { theme, width: 80, now: Date.now() })).join('\n'),
    json: it.shown.map((each) => ('json' in each ? each.json : undefined))[0],
  };
}

test('a path that has to be quoted is shown so that it can be typed again, and raw in a pipe', async () => {
  await client.create('/s p');
  await client.create('/s p/a b', 'data');
  for (const [line, plain] of [
    ["du '/s p'", /^4\t2\t\/s p\n4\t1\t\/s p\/a b\n$/],
    ["top-nodes '/s p'", /^4\t\/s p\/a b\n$/],
    ["txn { set '/s p/a b' x }", /^1\tset\t\/s p\/a b\tok\t1\n$/],
    ["setquota -n 9 '/s p'", /^$/],
    ['quota ls', /^\/s p\t/],
    ["delquota '/s p'", /^$/],
    ["setAcl '/s p' world:anyone:cdrwa", /^$/],
    ["getAcl -R '/s p'", /^\/s p\tworld/],
    ["cp -r '/s p' '/s p2'", /^created\t2\n/],
    ["mirror '/s p' '/s p2'", /^created\t0\n/],
    ["mv '/s p2' '/s p3'", /^moved\t2\n/],
    ["wait '/s p' --exists", /^\/s p\t0\t1\n$/],
    ["wait '/s p2' --gone", /^\/s p2\tgone\n$/],
    ["queue put '/s pq' x", /^$/],
  ] as const) {
    const { plain: piped, human } = await shown([line]);
    assert.match(piped, plain, line);
    assert.match(human, /'\/s p/, line);
    assert.doesNotMatch(human, /(?:^|\s)\/s p/, line);
  }
  const where = await shown(["cd '/s p'", 'pwd']);
  assert.deepEqual([where.plain, where.human], ['/s p\n', "'/s p'"]);
});

test('times in pipes are times, not ages', async () => {
  await timely(async (round) => {
    const lock = `create -p -s -e /tl${round}/77c3683b43d94152-lock- x`;
    const { plain, human } = await shown([lock, `locks /tl${round}`]);
    assert.match(plain, /^1\tholding\t\d{4}-\d\d-\d\dT[\d:.]+Z\t/);
    return lateIf(!/holding {2}(?:just now|\ds ago)/.test(human), human);
  });
  await timely(async (round) => {
    const { plain, human } = await shown([`create /tu${round} x`, 'undo list']);
    assert.match(plain, /^1\t\d{4}-\d\d-\d\dT[\d:.]+Z\t\+1\t\d+\tcreate \/tu\d \.\.\.\n$/);
    return lateIf(!/just now +\+1 +\d+B +create/.test(human), human);
  });
});

test('tree -e shows sizes only with -s', async () => {
  await client.create('/te');
  const lines = ['create -e /te/eph four', 'create /te/other x'];
  assert.equal((await shown([...lines, 'tree -e /te'])).plain, '/te\n\teph\n');
  assert.equal((await shown(['tree -s -e /te'])).plain, '/te\t0\n\teph\t4\n');
});

test('setquota takes sizes as they are written elsewhere', async () => {
  await client.create('/tq');
  const { json } = await shown(['setquota -b 10k -B 1M /tq']);
  assert.deepEqual(json, { path: '/tq', count: -1, bytes: 10_240, hardCount: -1, hardBytes: 1_048_576 });
  await shown(['setquota -b 10x /tq'], 2);
  await shown(['setquota -b -3 /tq'], 2);
});

test('setAcl takes several nodes and patterns; the last word is the ACL', async () => {
  for (const path of ['/ta', '/ta/a', '/ta/b', '/ta/c']) await client.create(path);
  const entries = async (path: string): Promise<number> => (await client.getAcl(path)).acl.length;
  const acl = 'world:anyone:cdrwa,ip:10.0.0.1:r';
  const it = rig(client, {}, undefined, { trash: join(folder, 'acl') });
  assert.equal(await it.shell.run(`setAcl /ta/[ab] ${acl}`), 0, it.told[0]?.failure.message);
  assert.deepEqual(await Promise.all(['/ta', '/ta/a', '/ta/b', '/ta/c'].map(entries)), [1, 2, 2, 1]);
  // a pattern is a plan, as with delete
  assert.deepEqual(
    it.plans.map(({ what, count }) => [what, count]),
    [['change the ACL of 2 nodes', 2]],
  );
  assert.equal(await it.shell.run(`setAcl /ta /ta/c ${acl}`), 0);
  assert.deepEqual([await entries('/ta'), await entries('/ta/c')], [2, 2]);
  assert.equal(it.plans.length, 1);
  assert.equal(await it.shell.run('setAcl -R /ta/a /ta/b world:anyone:cdrwa'), 0);
  assert.deepEqual(await Promise.all(['/ta/a', '/ta/b', '/ta/c'].map(entries)), [1, 1, 2]);
  // a word too many is no path that happens to be there: nothing is sent
  assert.equal(await it.shell.run('setAcl /ta world:anyone:r extra'), 15);
  assert.equal(await it.shell.run('setAcl /ta/x* world:anyone:cdrwa'), 10);
  assert.equal(await it.shell.run('setAcl /ta'), 2);
  assert.deepEqual([await entries('/ta'), await entries('/ta/c')], [2, 2]);
});

test('latency in JSON has as many digits as a clock', async () => {
  const { json } = await shown(['latency -n 5']);
  for (const { p50, max } of json as { p50: number; max: number }[])
    for (const value of [p50, max]) assert.match(String(value), /^\d+(?:\.\d{1,3})?$/);
});

test('queue take --wait DUR is told how that is said', async () => {
  const it = rig(client);
  assert.equal(await it.shell.run('queue take --wait /q 300ms'), 2);
  assert.match(it.told[0]?.failure.hint ?? '', /--timeout/);
});

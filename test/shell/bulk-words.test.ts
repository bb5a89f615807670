/** What bulk work says before it is done, and afterwards. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { toHuman } from '../../src/out/human.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { type Rig, rig } from './rig.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-bulk-words-'));
const SECRET = [{ scheme: 'digest', id: 'bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=', perms: 31 }];
const READ = [{ scheme: 'world', id: 'anyone', perms: 1 }];
let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  client = await connect(server.connectString);
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

let count = 0;
const prompt = (): Rig => rig(client, {}, new Map(), { trash: join(home, String(++count)), asks: true });
const human = ({ shown }: Rig, width = 80): string =>
  shown.flatMap((output) => toHuman(output, { theme: plainTheme(true), width, now: 0 })).join('\n');

test('setAcl -R and acl copy -R say which ACLs go, of how many nodes, and where', async () => {
  await client.create('/acl', null);
  for (let at = 0; at < 5; at++) await client.create(`/acl/n${at}`, null);
  await client.create('/acl/secret', null, { acl: SECRET });
  await client.create('/acl/bob', null, { acl: [...SECRET, { scheme: 'world', id: 'anyone', perms: 31 }] });
  await client.create('/acl/read', null, { acl: READ });
  await client.create('/from', null, { acl: READ });
  for (const line of ['setAcl -R --force /acl world:anyone:r', 'acl copy -R --force /from /acl']) {
    const it = prompt();
    it.shell.ports.confirm = async (plan) => {
      it.plans.push(plan);
      throw new Error('no');
    };
    await it.shell.run(line);
    assert.equal(it.plans[0]?.count, 8, 'that of /acl/read stays');
    assert.deepEqual(it.plans[0]?.details, [
      '9 nodes at and below /acl, of which 8 change',
      '- world:anyone:cdrwa  6 nodes, as /acl',
      '- digest:bob:0dPsx5mQh1wFvO4bRhC8UvEHjfc=:cdrwa,world:anyone:cdrwa  1 node, as /acl/bob',
      '- an ACL that may not be read  1 node, as /acl/secret',
      '+ world:anyone:r',
    ]);
  }
  await client.delete('/acl/secret');
  const dry = rig(client, {}, new Map(), { dryRun: true });
  await dry.shell.run('setAcl -R --force /acl world:anyone:r');
  assert.match(human(dry), /\/acl\/n0 +v0\n +acl world:anyone:cdrwa -> world:anyone:r\n/);
  assert.doesNotMatch(human(dry), /\/acl\/read/);
  assert.match(human(dry), /would change the ACL of 7 nodes/);
});

test('bulk work that ran names undo, and many names are a number', async () => {
  await client.create('/del', null);
  const make = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await client.create(`/del/${name}`, null);
  };
  await make(['a', 'b']);
  const two = prompt();
  await two.shell.run('delete /del/a /del/b');
  assert.equal(human(two), 'deleted /del/a /del/b   (undo: undo 1)');
  const long = ['x', 'y', 'z'].map((letter) => letter.repeat(30));
  await make(long);
  const many = prompt();
  await many.shell.run('rm /del/*');
  assert.equal(human(many), 'deleted 3 nodes   (undo: undo 1)');
  await make(['a']);
  const one = prompt();
  await one.shell.run('delete /del/a');
  assert.equal(human(one), 'deleted /del/a', 'one node is no bulk work');
  const acls = prompt();
  await acls.shell.run('setAcl -R /del world:anyone:cdrwa');
  assert.equal(human(acls), 'changed the ACL of 1 node   (undo: undo 1)');
  const script = rig(client);
  await make(['a', 'b']);
  await script.shell.run('delete /del/a /del/b');
  assert.equal(human(script), 'deleted /del/a /del/b', 'in a script nothing is kept');
});

test('a deletion that undo cannot keep says why, and what would keep it', async () => {
  await client.create('/hid', null);
  await client.create('/hid/secret', null, { acl: SECRET });
  const it = prompt();
  await it.shell.run('deleteall /hid');
  assert.ok(
    it.plans[0]?.details?.includes(
      '  undo cannot keep all of it: not everybody may read it (settings undo-protected on keeps it)',
    ),
    JSON.stringify(it.plans[0]?.details),
  );
});

test('undo of a recipe is of its work, not of the marks that it made and took away', async () => {
  for (const line of ['counter incr /count', 'queue put /queue x']) {
    const it = prompt();
    assert.equal(await it.shell.run(line), 0);
    const top = line.split(' ')[2] as string;
    // the mark goes when nobody waits for it any more
    const marks = async (): Promise<boolean> =>
      (await client.getChildren(top)).children.some((name) => name.startsWith('op-'));
    while (await marks());
    it.shown.length = 0;
    assert.equal(await it.shell.run('undo'), 0, JSON.stringify(it.told));
    assert.doesNotMatch(human(it), /op-|gone already| of /);
    assert.equal(await client.exists(top), undefined);
  }
});

test('the plan of a deletion names some of what goes, also where there are subtrees', async () => {
  await client.create('/plan');
  for (const top of ['pool-1', 'pool-2']) {
    await client.create(`/plan/${top}`);
    for (let at = 10; at < 30; at++) await client.create(`/plan/${top}/n${at}`);
  }
  await client.create('/plan/few');
  for (const name of ['a', 'b']) await client.create(`/plan/few/${name}`);
  const it = prompt();
  await it.shell.run('deleteall /plan');
  const lines = it.plans[0]?.details ?? [];
  assert.deepEqual(lines.slice(0, 2), [
    '46 nodes, 0B at and below /plan',
    '  largest  /plan/pool-1 (21)  /plan/pool-2 (21)  /plan/few (3)',
  ]);
  // from all over it, none of those again
  const [, names = ''] = /^ {2}such as {2}(.*) {2}\.\.\.$/.exec(lines[2] ?? '') ?? [];
  const shown = names.split('  ');
  assert.equal(shown.length, 5, lines[2]);
  for (const top of ['pool-1', 'pool-2'])
    assert.ok(
      shown.some((name) => name.startsWith(`/plan/${top}/n`)),
      lines[2],
    );
  for (const path of ['/small', '/small/x', '/small/x/y']) await client.create(path);
  const small = prompt();
  await small.shell.run('deleteall /small');
  assert.deepEqual(small.plans[0]?.details?.slice(1, 3), ['  largest  /small/x (2)', '  such as  /small/x/y']);
});

test('deleteall of nodes one of which lies below another deletes them once, and misses what is not there before it begins', async () => {
  const plant = async (): Promise<void> => {
    for (const path of ['/nest', '/nest/x', '/nest/x/y', '/nest/z', '/nest-2']) await client.create(path, null);
  };
  const cases: [line: string, exit: number, told: RegExp, left: string[]][] = [
    ['deleteall -n /nest/**', 0, /^$/, ['nest', 'nest-2']],
    ['deleteall /nest/**', 0, /^$/, ['nest-2']],
    ['deleteall /nest /nest/x', 0, /^$/, ['nest-2']],
    ['deleteall /nest/x/y /nest /nest /nest-2', 0, /^$/, []],
    ['rm -r /nest/** /nest-2', 0, /^$/, []],
    ['deleteall --keep-root /nest/**', 0, /^$/, ['nest', 'nest-2']],
    ['deleteall /nest /nest/nope', 10, /^node does not exist: \/nest\/nope$/, ['nest', 'nest-2']],
  ];
  for (const [line, exit, told, left] of cases) {
    await plant();
    const it = rig(client);
    assert.equal(await it.shell.run(line), exit, `${line}: ${it.told[0]?.failure.message}`);
    assert.match(it.told[0]?.failure.message ?? '', told, line);
    const { children } = await client.getChildren('/');
    assert.deepEqual(children.filter((name) => name.startsWith('nest')).sort(), left, line);
    for (const name of left) await rig(client).shell.run(`deleteall /${name}`);
  }
});

test('where cp puts something is no pattern, and what a dry run would have done is not told as done', async () => {
  for (const path of ['/into', '/into/w1', '/into/w2', '/what']) await client.create(path, null);
  const at = await client.getChildren('/into/w2');
  for (const line of ['cp /what /into/w*', 'cp /what /into/w1 /into/*/', 'cp -n /what /nowhere*/x']) {
    const it = rig(client);
    const isMade = line === 'cp /what /into/w*';
    assert.equal(await it.shell.run(line), isMade ? 0 : 10, line);
    if (!isMade) assert.match(it.told[0]?.failure.message ?? '', /^the parent does not exist: \/(into\/\*|nowhere\*)$/);
  }
  assert.deepEqual((await client.getChildren('/into')).children.sort(), ['w*', 'w1', 'w2']);
  assert.deepEqual(await client.getChildren('/into/w2'), at);
  const it = rig(client);
  assert.equal(await it.shell.run('cp -n /what /into/w1 /what/'), 0);
  assert.equal(await it.shell.run('cp -n /what /into/w1 /into/'), 2);
  assert.deepEqual(it.told.at(-1)?.failure.lines, []);
});

/** What a person met who used the shell as the README says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedLast } from '../../src/cli/ask.ts';
import { manPage } from '../../src/cli/man-page.ts';
import { type TargetSources, targetText } from '../../src/cli/targets.ts';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { registry } from '../../src/commands/index.ts';
import { startEmbedded } from '../../src/runtime/embed.ts';
import { unknownCommand } from '../../src/shell/misspelt.ts';
import { nearest } from '../../src/shell/suggest.ts';
import { rig } from './rig.ts';

test('a dry run sees the tree as it is, not what an earlier dry run only thought of', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  const it = rig(client);
  await it.shell.run('create /a old');
  for (const line of ['create -n /new x', 'create -n /new x', 'set -n /a thought', 'set /a real', 'set -n /a again']) {
    assert.equal(await it.shell.run(line), 0, line);
  }
  const last = it.shown.at(-1);
  assert.equal(last?.type, 'plan');
  if (last?.type === 'plan') assert.equal(Buffer.from(last.changes[0]?.before ?? []).toString(), 'real');
});

test('what does not fit beside its answer is said above it, and the question is the last sentence', () => {
  const message = 'About to delete 3,001 nodes under /big. This profile is protected. Type the path:';
  assert.deepEqual(askedLast(message, 120), { above: [], asked: message });
  assert.deepEqual(askedLast(message, 80), {
    above: [' About to delete 3,001 nodes under /big. This profile is protected.'],
    asked: 'Type the path:',
  });
  const { above, asked } = askedLast(message, 40);
  assert.deepEqual([above.length, asked], [2, 'Type the path:']);
  for (const line of above) assert.ok(line.length <= 40, line);
  // one sentence alone breaks between words
  assert.deepEqual(askedLast('Delete 100 nodes under /some/rather/long/path?', 40), {
    above: [' Delete 100 nodes under'],
    asked: '/some/rather/long/path?',
  });
});

test('the manual says dashes as they are typed', async () => {
  const page = await manPage();
  assert.doesNotMatch(page, /\\e\\-/);
  assert.match(page, /^\[OPTION\.\.\.\] \[TARGET\] \\- \[ARG\.\.\.\]$/m);
});

test('no name is proposed that has nothing of what was typed; zoosh at its own prompt is told so', async () => {
  assert.deepEqual(nearest('y', ['?', 'ls']), []);
  assert.deepEqual(nearest('l', ['?', 'ls']), ['ls']);
  const it = rig();
  assert.equal(await it.shell.run('zoosh ls /'), 127);
  assert.match(it.told[0]?.failure.hint ?? '', /leave the word out/);
});

test('a profile whose password is missing is still the one that is meant', () => {
  const sources = { globals: { auth: [] }, env: {}, profiles: { default: 'prod' } } as unknown as TargetSources;
  assert.equal(targetText('@lab', sources), '@lab');
  assert.equal(targetText(undefined, sources), '@prod');
  assert.equal(targetText(undefined, { ...sources, env: { ZOOSH_PROFILE: 'lab' } }), '@lab');
  assert.equal(targetText(undefined, { ...sources, env: { ZK_SERVER: 'zk1:1' } }), 'zk1:1');
});

test('a word where none, or another, belongs is answered with how the command is written', async () => {
  for (const [line, message, hint] of [
    ['apply /tmp/x', 'apply: one word too many: /tmp/x', /^usage: apply -f FILE/],
    ['each /app {', 'each: the word do belongs here, not {', /^usage: each .*do/],
    ['cd /a b', 'cd: one word too many: b', /^put quotes around text with blanks$/],
  ] as const) {
    const { shell, told } = rig();
    assert.equal(await shell.run(line), 2, line);
    assert.equal(told[0]?.failure.message, message);
    assert.match(told[0]?.failure.hint ?? '', hint);
  }
});

test('a word that is a server is told apart from a misspelt command', () => {
  for (const name of ['127.0.0.1', '127.0.0.1:abc', 'localhost', 'zk1.example.com', 'zk1:2181'])
    assert.match(unknownCommand(name, registry).hint ?? '', /a server is HOST:PORT/, name);
  for (const name of ['gett', 'a.b', 'x']) assert.doesNotMatch(unknownCommand(name, registry).hint ?? '', /HOST/, name);
});

test('counter takes numbers of any size, and says what is none', async () => {
  let kept: Buffer = Buffer.from('9223372036854775807');
  const stat = { version: 0, numChildren: 0 };
  const client = {
    get: async () => ({ data: kept, stat }),
    multi: async ([, { data }]: [unknown, { data: Buffer }]) => {
      kept = data;
      return [{ op: 'create' }, { op: 'set' }];
    },
    delete: async () => {},
    random: { bytes: (count: number) => new Uint8Array(count) },
  } as unknown as Client;
  const it = rig(client);
  assert.equal(await it.shell.run('counter incr /c 9007199254740993'), 0, it.told[0]?.failure.message);
  assert.equal(String(kept), '9232379236109516800');
  assert.equal(await it.shell.run('counter set /c -9007199254740993'), 0, it.told[0]?.failure.message);
  assert.equal(String(kept), '-9007199254740993');
  assert.equal(await it.shell.run('counter set /c 1.5'), 2);
  assert.equal(it.told.at(-1)?.failure.message, 'counter: N is a whole number, not 1.5');
});

test('locks of a folder with very many nodes says that it looks at some', async () => {
  const stat = { version: 0, numChildren: 0 };
  const names = Array.from({ length: 501 }, (_, at) => `n${at}`);
  const client = {
    getChildren: async (path: string) => ({ children: path === '/many' ? names : [], stat }),
    get: async () => ({ data: null, stat }),
    exists: async () => stat,
  } as unknown as Client;
  const it = rig(client);
  assert.equal(await it.shell.run('locks /many'), 0, it.told[0]?.failure.message);
  assert.deepEqual(it.warned, ['only the first 500 of 501 nodes are looked at; locks PATH looks at one']);
});

test('of several nodes one that is missing or hidden does not hide the others', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  await client.create('/a', Buffer.from('one'));
  await client.create('/c', Buffer.from('two'));
  await client.create('/hidden', null, { acl: [{ perms: 1 << 4, scheme: 'ip', id: '10.1.2.3' }] });
  const it = rig(client, {}, undefined, { server: server.connectString });
  for (const [line, types] of [
    ['get /a /b /c', ['node', 'node']],
    ['stat /a /b /c', ['stat', 'stat']],
    ['ls /a /b /c', ['listing', 'listing']],
    ['getAcl /a /b /c', ['acl', 'acl']],
  ] as const) {
    it.shown.length = it.told.length = 0;
    assert.equal(await it.shell.run(line), 10, line);
    const [one] = it.shown;
    assert.deepEqual(one?.type === 'many' ? one.parts.map(({ type }) => type) : one, types, line);
    assert.equal(it.told[0]?.failure.path, '/b', line);
  }
  it.shown.length = it.told.length = 0;
  assert.equal(await it.shell.run('get /no /hidden /a /nor'), 10);
  assert.equal(it.shown.length, 1);
  assert.deepEqual(
    it.told.map(({ failure }) => failure.message),
    ['node does not exist: /no; not permitted by the ACL: /hidden; node does not exist: /nor'],
  );
});

test('what a command has changed before it failed is shown', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  const it = rig(client);
  const run = async (line: string, status: number): Promise<unknown> => {
    it.shown.length = 0;
    assert.equal(await it.shell.run(line), status, line);
    const [one] = it.shown;
    return one?.type === 'many' ? one.parts.map((part) => ('path' in part ? part.path : part.type)) : one;
  };
  assert.deepEqual(await run('mkdir /a /b /no/x /c', 10), ['/a', '/b']);
  assert.match(it.told[0]?.failure.message ?? '', /^the parent does not exist: \/no$/);
  assert.equal(await client.exists('/c'), undefined);
  assert.deepEqual(await run('delete /a /no /b', 10), { type: 'deleted', paths: ['/a'], count: 1 });
  assert.ok(await client.exists('/b'));
  assert.equal(await run('mkdir -n /d /b /e', 11), undefined, 'a dry run shows nothing of it as done');
});

test('let takes NAME=VALUE, and ${session} is one', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  const it = rig(client);
  const echo = async (line: string): Promise<unknown> => {
    it.shown.length = 0;
    assert.equal(await it.shell.run(line), 0, it.told.at(-1)?.failure.message);
    const last = it.shown.at(-1);
    return last?.type === 'value' ? last.value : last;
  };
  assert.equal(await echo('echo ${session}'), `0x${client.sessionId.toString(16)}`);
  assert.equal(await echo('let a=5; let b=; echo ${a}${b}'), '5');
  assert.equal(await it.shell.run('let c="x y"'), 2);
  assert.equal(it.told.at(-1)?.failure.hint, 'let c = VALUE');
});

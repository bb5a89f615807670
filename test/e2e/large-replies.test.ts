/** What a server says is larger than the client takes: --max-reply, as commands and at a prompt. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, zoosh } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-replies-'));
let server: EmbeddedServer;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  const client = await connect(server.connectString);
  await client.create('/bulk');
  const names = Array.from({ length: 500 }, (_, at) => `node-${String(at).padStart(4, '0')}`);
  await Promise.all(names.map((name) => client.create(`/bulk/${name}`)));
  await client.close();
});
after(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** 500 names of nine letters, each after its length, their number and the stat, behind the header of a reply. */
const SIZE = '6,588';
const SAYS = new RegExp(
  `^error: the reply is too large: ${SIZE} bytes, and --max-reply is 4,096: /bulk\\n hint: --max-reply 7k, before the command, takes it\\n$`,
  'm',
);

for (const words of [
  'ls /bulk',
  'ls -R /',
  'find /',
  'tree /',
  'du /',
  'deleteall /bulk',
  'export /bulk -',
  'cp -r /bulk /other',
]) {
  test(`${words}: a reply beyond --max-reply is said to be that, not a fault of the server`, async () => {
    const { code, stderr } = await zoosh(['--max-reply', '4k', '-y', server.connectString, ...words.split(' ')]);
    assert.match(stderr, SAYS);
    assert.match(stderr, /^lost connection to \S+ \(a reply was larger than --max-reply\), trying again\n/);
    assert.doesNotMatch(stderr, /protocol|broke/);
    assert.equal(code, 19);
  });
}

test('the same of another ensemble, which a profile names', async () => {
  mkdirSync(join(home, 'config'), { recursive: true });
  writeFileSync(
    join(home, 'config', 'config.json'),
    JSON.stringify({ profiles: { other: { server: server.connectString } } }),
  );
  const words = ['--max-reply', '4k', server.connectString, 'cp', '-r', '@other:/bulk', '/from-other'];
  const { code, stderr } = await zoosh(words, '', { ZOOSH_HOME: home });
  assert.match(stderr, SAYS);
  assert.equal(code, 19);
});

test('programs are told by a code of its own', async () => {
  const { code, stderr } = await zoosh(['--max-reply', '4k', '-o', 'json', server.connectString, 'ls', '/bulk']);
  const error = JSON.parse(stderr.split('\n').at(-2) ?? '').error;
  assert.deepEqual([error.code, error.exit, error.path, code], ['ReplyTooLarge', 19, '/bulk', 19]);
});

test('--max-reply takes what is as large and no larger', async () => {
  const sizes = [6587, 6588];
  const codes = await Promise.all(
    sizes.map(async (size) => (await zoosh(['--max-reply', `${size}`, server.connectString, 'ls', '/bulk'])).code),
  );
  assert.deepEqual(codes, [19, 0]);
  const hinted = await zoosh(['--max-reply', '7k', server.connectString, 'ls', '/bulk']);
  assert.equal(hinted.stdout.split('\n').length, 501);
});

test('at a prompt the session goes on after it', async () => {
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} --max-reply 4k ${server.connectString}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
  });
  const sees = (what: RegExp): Promise<void> => session.until((text) => what.test(text), String(what), PATIENCE_MS);
  await sees(/:\/> \|/);
  session.type('ls /bulk\r');
  await sees(/error: the reply is too large: 6,588 bytes, and --max-reply is 4,096/);
  await sees(/back on \S+ after [\d.]+s, session kept/);
  session.type('count /bulk\r');
  await sees(/\n500\n/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

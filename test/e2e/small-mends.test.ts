/** What an operator stumbled over, as commands, scripts and prompts of the built binary. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { Session } from '../editor/session.ts';
import { BIN, zoosh } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-mends-'));
let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  client = await connect(server.connectString);
  await client.create('/app', null);
  await client.create('/one', 'a');
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

const prompt = (words: string): Session =>
  new Session({ sh: `exec ${process.execPath} ${BIN} ${words}`, env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' } });
const LIMIT_MS = 15_000;
const sees = (session: Session, what: RegExp): Promise<void> =>
  session.until((text) => what.test(text), String(what), LIMIT_MS);

test('a folder that is missing is made with !mkdir where mkdir makes nodes', async () => {
  const line = await zoosh([server.connectString, '-c', 'ls / > /nonexist/f']);
  assert.match(line.stderr, / hint: !mkdir -p \/nonexist makes it\n/);
  const one = await zoosh([server.connectString, 'export', '/app', '/nonexist/f']);
  assert.match(one.stderr, / hint: mkdir -p \/nonexist makes it\n/);
  assert.deepEqual([line.code, one.code], [2, 2]);
});

test('a prompt of a dry run says so, at its start and in each line', async () => {
  using session = prompt(`-n ${server.connectString}`);
  await sees(session, /dry run: nothing is sent, and what is read shows the tree as it would be\n/);
  await sees(session, /:\/ \(dry\)> \|/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('a chroot is seen in the banner and in the prompt', async () => {
  using session = prompt(`${server.connectString}/app`);
  await sees(session, /connected to 127\.0\.0\.1:\d+\/app \(/);
  await sees(session, /\n127\.0\.0\.1:\d+\/app:\/> \|/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('--atomic at a prompt is refused', async () => {
  using session = prompt(`--atomic ${server.connectString}`);
  assert.equal(await session.ended(), 2);
  assert.match(session.text, /error: --atomic is for scripts and -c\n hint: at a prompt txn collects changes/);
});

test('a slash behind a node that is made says nothing, as with put and mkdir', async () => {
  assert.deepEqual(await zoosh([server.connectString, 'create', '/zz/', 'x']), {
    ...{ code: 0, stdout: '/zz\n', stderr: '' },
  });
  const first = await zoosh([server.connectString, 'create', '-s', '/zz/']);
  assert.match(first.stdout, /^\/zz\/0000000000\n$/);
});

test('mv says that it works within one ensemble', async () => {
  for (const words of [
    ['@prod:/a', '/x'],
    ['/one', '@prod:/a/b'],
    ['file:a.ndjson', '/x'],
  ]) {
    const { code, stderr } = await zoosh([server.connectString, 'mv', ...words]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /error: mv works within one ensemble[^\n]*\n hint: cp -r takes @profile:PATH/);
  }
});

test('--atomic that fails names the operation, and says that nothing was applied', async () => {
  const { code, stderr } = await zoosh([server.connectString, '--atomic', '-c', 'set /one x; check /one 99']);
  assert.equal(code, 12);
  assert.match(stderr, /^error: [^\n]*\/one\n operation 2: check \/one 99\n nothing was applied\n/);
  assert.equal(String((await client.get('/one')).data), 'a');
});

/** Questions on a terminal that only prints: they are lines, no secret is shown, Ctrl-C declines and the prompt goes on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { BIN } from '../e2e/cli.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-questions-'));
let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  client = await connect(server.connectString);
  await client.create('/many', null);
  for (let at = 0; at < 30; at++) await client.create(`/many/n${at}`, null);
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

const dumb = (words: string): Session =>
  new Session({
    sh: `export TERM=dumb; exec ${process.execPath} ${BIN} ${words}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', SHELL: '/bin/sh' },
  });
const sees = (session: Session, text: string): Promise<void> => session.until((screen) => screen.includes(text), text);

test('a question, a secret and a refusal by Ctrl-C, without one escape code', async () => {
  using session = dumb(`--connect-timeout ${PATIENCE_MS / 1000}s ${server.connectString}`);
  await sees(session, 'type help');
  session.type('deleteall /many\r');
  await sees(session, '(y/N) |');
  session.type('\x03');
  await sees(session, 'error: not done');
  session.type('addauth digest\r');
  await sees(session, '(not shown) |');
  session.type('bob:sx\x7fecret\r');
  await sees(session, 'authenticated as digest:bob');
  session.type('deleteall /many\r');
  await session.until((screen) => screen.split('(y/N)').length === 3, 'the question again');
  session.type('yes\r');
  await sees(session, 'deleted 31 nodes');
  session.type('quit\r');
  assert.equal(await session.ended(), 0);
  assert.doesNotMatch(session.screen.received, /\x1b|ecret/);
  assert.equal(await client.exists('/many'), undefined);
});

test('one of several answers is chosen by its number', async () => {
  using session = dumb('init');
  await sees(session, 'What is there? (1 to ');
  session.type('7\r');
  await session.until((screen) => screen.split('(1 to ').length === 3, 'the question again');
  session.type('\x04');
  assert.equal(await session.ended(), 31);
  assert.doesNotMatch(session.screen.received, /\x1b/);
});

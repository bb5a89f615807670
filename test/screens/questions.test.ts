/** Questions on a terminal that only prints: they are lines, no secret is shown, Ctrl-C declines and the prompt goes on. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
  await sees(session, 'not done');
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

test('a wrong answer leaves the field, and what helps is seen whole on the narrowest terminal', async () => {
  using session = new Session({
    columns: 20,
    sh: `export TERM=xterm-256color; exec ${process.execPath} ${BIN} ${server.connectString}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', SHELL: '/bin/sh' },
  });
  await client.create('/some', null);
  for (let at = 0; at < 30; at++) await client.create(`/some/n${at}`, null);
  await sees(session, 'type help');
  session.type('deleteall /some\r');
  await sees(session, '(y/N)');
  for (const wrong of ['maybe', '?', 'nay']) {
    session.type(`${wrong}\r`);
    await session.until((screen) => /\(y\/N\) \|?\s*\n> answer y or n\n?/.test(screen), `${wrong} is no answer`);
    session.type('no');
    await sees(session, '(y/N) no|');
    session.type('\x15');
    await session.until((screen) => /\(y\/N\) \|/.test(screen), 'an empty field');
  }
  session.type('n\r');
  await sees(session, 'not done');
  session.type('deleteall /some\r');
  await session.until((screen) => screen.split('(y/N)').length === 2, 'the question again');
  session.type('\t y \r');
  await sees(session, 'deleted 31 nodes');
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('Ctrl-D declines, too, where questions are drawn; the prompt goes on, and nothing typed is shown', async () => {
  using session = new Session({
    sh: `export TERM=xterm-256color; exec ${process.execPath} ${BIN} --connect-timeout ${PATIENCE_MS / 1000}s ${server.connectString}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', SHELL: '/bin/sh' },
  });
  await client.create('/few', null);
  for (let at = 0; at < 30; at++) await client.create(`/few/n${at}`, null);
  await sees(session, 'type help');
  const times = (text: string, count: number): Promise<void> =>
    session.until((screen) => screen.split(text).length === count + 1, `${text} ${count} times`);
  session.type('deleteall /few\r');
  await sees(session, '(y/N)');
  session.type('\x04');
  await times('not done', 1);
  session.type('addauth digest\r');
  await sees(session, 'credential for digest');
  session.type('\x04');
  await times('not done', 2);
  session.type('exists /few\r');
  await sees(session, 'yes');
  session.type('quit\r');
  assert.equal(await session.ended(), 0);
  assert.equal((await client.exists('/few'))?.numChildren, 30);
});

test('init keeps what was said last, and replaces no profile unasked', async () => {
  const config = (): string => readFileSync(join(home, 'config', 'config.json'), 'utf8');
  using session = dumb('--connect-timeout 1s init');
  const answer = async (question: string, text: string): Promise<void> => {
    await session.until((screen) => screen.trimEnd().split('\n').at(-1)?.includes(question) === true, question);
    session.type(`${text}\r`);
  };
  await answer('What is there? (1 to 2)', '1');
  await answer('Servers', '127.0.0.1:1');
  await answer('speak TLS', 'n');
  await answer('log in', 'y');
  await answer('user:password', 'bob:secret');
  await answer('something else', 'y');
  await answer('empty: 127.0.0.1:1', server.connectString);
  await answer('speak TLS', 'n');
  await answer('log in', 'n');
  await answer('A name for it', 'no name');
  await sees(session, 'letters, digits and . _ - only, not no name');
  await answer('A name for it', 'prod');
  await answer('Colour of its prompt', '1');
  await answer('Ask before changes', 'y');
  await answer('nothing else is said', 'n');
  await sees(session, 'profile @prod is kept');
  assert.doesNotMatch(config(), /bob|secret/);
  session.type('n\r');
  await session.ended();
  using again = dumb(`--connect-timeout ${PATIENCE_MS / 1000}s init --server ${server.connectString}`);
  const reply = async (question: string, text: string): Promise<void> => {
    await again.until((screen) => screen.trimEnd().split('\n').at(-1)?.includes(question) === true, question);
    again.type(`${text}\r`);
  };
  await reply('speak TLS', 'n');
  await reply('log in', 'n');
  await reply('A name for it', 'prod');
  await reply('There is a profile prod already', 'n');
  await reply('A name for it', '\x04');
  assert.equal(await again.ended(), 31);
  assert.match(config(), /"protect": true/);
});

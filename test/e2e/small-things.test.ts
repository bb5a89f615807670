/** What an audit of the shell found: values that were taken and should not have been, hints that led astray, raw words of the system. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { connect } from '../../src/index.ts';
import { Session } from '../editor/session.ts';
import { BIN, type Ran, zoosh } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-small-'));
let server: EmbeddedServer;
before(async () => {
  server = await startEmbedded({ settings: { reconfigEnabled: 'true' } });
  const client = await connect(server.connectString);
  for (const path of ['/app', '/app/n1', '/app/n2']) await client.create(path, 'x');
  await client.close();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
const one = (...words: string[]): Promise<Ran> => zoosh([server.connectString, ...words]);
/** Exit code and what was said must be these. */
async function says(words: readonly string[], code: number, said: RegExp, env: Record<string, string> = {}) {
  const ran = await zoosh(words, '', env);
  assert.equal(ran.code, code, `${words.join(' ')}: ${ran.stderr}`);
  assert.match(ran.stderr, said, words.join(' '));
  return ran;
}

test('values that cannot be meant are refused', async () => {
  await says(['--fields', '', server.connectString, 'ls', '/'], 2, /--fields <A,B>.*names of fields/);
  await says(['--fields', ' , ', server.connectString, 'ls', '/'], 2, /names of fields/);
  await says(
    ['--set', '1y=5', '-c', 'echo x'],
    2,
    /--set: not a name: 1y\n hint: letters, digits, _ \. and -, a letter/,
  );
  assert.equal((await zoosh(['--set', 'y1=5', '-c', 'echo ${y1}'])).stdout, '5\n');
  await says(['settings', 'prompt', '{bogus}> '], 2, /prompt: there is no field \{bogus\}\n hint: .*\{cwd\}/);
  await says(['settings', 'prompt', ''], 2, /prompt: .* empty/);
  assert.equal((await zoosh(['settings', 'prompt', '{cwd} {n} $ '])).code, 0);
  assert.equal((await zoosh(['settings', 'prompt', 'zkcli'])).code, 0);
  await says(['settings', 'concurrency', '0'], 2, /concurrency is a number from 1 to 9999, not 0/);
  await says(['settings', 'history', 'x'], 2, /history is a number from 0 to 9999999, not x/);
});

test('a setting that there is not is warned of, once', async () => {
  const home = join(folder, 'strange');
  mkdirSync(join(home, 'config'), { recursive: true });
  writeFileSync(join(home, 'config', 'config.json'), '{"settings":{"hint":"off","nothing":1,"output":"json"}}');
  const env = { ZOOSH_HOME: home };
  const { stderr } = await says(['-c', 'echo a; echo b'], 0, /config\.json: there are no settings hint, nothing/, env);
  assert.equal(stderr.match(/no settings/g)?.length, 1, stderr);
  assert.equal((await zoosh(['-q', '-c', 'echo a'], '', env)).stderr, '');
});

test('hints lead to what was meant', async () => {
  await says(['use', '127.0.0.1:29301'], 2, /no profile 127\.0\.0\.1:29301\n hint: connect 127\.0\.0\.1:29301 /);
  for (const word of ['./nofile/x', 'foo/bar'])
    await says([word], 2, new RegExp(`cannot read ${word.replaceAll('.', '\\.')}: there is no such file`));
  await says(['ls /'], 127, /whole lines stand after -c/);
  await says([server.connectString, 'create', '/x'], 30, /hint: .*ZOOSH_READ_ONLY/, { ZOOSH_READ_ONLY: '1' });
  await says(
    [server.connectString, 'mv', '/app/n1*', '/moved'],
    10,
    /hint: mv takes no pattern here: ls '\/app\/n1\*' shows/,
  );
  await says([server.connectString, 'find', '/ap*'], 10, /hint: find takes no pattern here: ls '\/ap\*' shows/);
  await says([server.connectString, '-c', "get '/ap*'"], 10, /hint: in quotes a pattern is a name: ls \/ap\* shows/);
});

test('failures of the system are told in words', async () => {
  await says(['--client-config', join(folder, 'none'), server.connectString, 'ls', '/'], 2, /there is no such file/);
  await says([server.connectString, '4lw', 'ruok', '127.0.0.1:1'], 3, /127\.0\.0\.1:1 does not answer: refused\n/);
  const edited = await says([server.connectString, 'edit', '/app'], 127, /^error: nosuch is not there/, {
    EDITOR: 'nosuch',
  });
  assert.doesNotMatch(edited.stderr, /\/bin\/sh|not found/);
  writeFileSync(join(folder, 'plain'), '');
  const plain = await says([server.connectString, 'edit', '/app'], 126, /plain cannot be executed/, {
    EDITOR: join(folder, 'plain'),
  });
  assert.doesNotMatch(plain.stderr, /\/bin\/sh/);
  assert.equal((await zoosh([server.connectString, 'edit', '/app'], '', { EDITOR: 'true' })).code, 0);
  for (const port of ['x', '70000', '-1'])
    await says(['start', 'standalone', `--port=${port}`], 2, new RegExp(`--port ${port} is not a port`));
});

test('what would not work is not said to work, and what an exit code means is said for the command', async () => {
  await says([server.connectString, '-n', 'reconfig', '-remove', '1'], 21, /this server runs alone/);
  const help = await one('profile', 'add', '--help');
  assert.match(help.stdout, /11 {2}there is another profile of that name, and no --replace\n/);
});

test('plain is plain from the next line on', async () => {
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} ${server.connectString}`,
    env: { ZOOSH_HOME: join(folder, 'plain-home'), LANG: 'C.UTF-8' },
  });
  await session.shows('connected to');
  session.type('get /app/\t');
  await session.shows(/n1 .*\n.*n2/);
  session.type('\x03settings plain on\r');
  await session.shows('plain is on');
  session.type('get /app/\t\t');
  await session.shows(/n1 +n2/);
  session.type('\x03settings plain off\r');
  await session.shows('plain is off');
  session.type('get /app/\t');
  await session.shows(/get \/app\/n\|\n.*n1 .*\n.*n2/);
  session.type('\x03quit\r');
  assert.equal(await session.ended(), 0);
});

test('init asks for the colour of the prompt', async () => {
  const home = join(folder, 'init');
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} init --server ${server.connectString} --profile blue`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1', SHELL: '/bin/none' },
  });
  for (const question of ['speak TLS?', 'log in?']) {
    await session.shows(question);
    session.type('n\r');
  }
  await session.shows(/ 7 {2}cyan\n[\s\S]*Colour of its prompt\? \(1 to 9\)/);
  session.type('7\r');
  for (const question of ['as for production?', 'nothing else is said?']) {
    await session.shows(question);
    session.type('n\r');
  }
  await session.shows('profile @blue is kept');
  assert.equal(await session.ended(), 0);
  const shown = await zoosh(['profile', 'show', 'blue'], '', { ZOOSH_HOME: home });
  assert.match(shown.stdout, /color\tcyan/);
});

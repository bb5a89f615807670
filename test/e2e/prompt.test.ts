/** The prompt as a person has it: the built binary in a pseudo terminal, against a server of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { Session } from '../editor/session.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { BIN } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const home = mkdtempSync(join(tmpdir(), 'zoosh-prompt-'));
before(() => server.start());
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function prompt(words: string, columns = 80, folder = home): Session {
  return new Session({
    columns,
    sh: `exec ${process.execPath} ${BIN} ${words}`,
    env: { ZOOSH_HOME: folder, LANG: 'C.UTF-8' },
  });
}
const sees = (session: Session, text: string | RegExp): Promise<void> =>
  session.until(
    (screen) => (typeof text === 'string' ? screen.includes(text) : text.test(screen)),
    String(text),
    PATIENCE_MS,
  );

test('the playground: create, look, complete, be told of changes, leave', async () => {
  using session = prompt('playground');
  await sees(session, 'connected to 127.0.0.1:');
  await sees(session, 'playground:/> |');
  session.type('create -p /app/config {"level": "info"}\r');
  await sees(session, 'created /app/config');
  session.type('create "/app/my file" x\r');
  await sees(session, "created '/app/my file'");
  session.type('cd app\r');
  await sees(session, 'playground:/app> |');
  session.type('get con\t');
  await sees(session, 'get config |');
  session.type('\r');
  await sees(session, '"level": "info"');
  session.type('get m\t');
  await sees(session, "get 'my file' |");
  session.type('\x03ls -\t\t');
  await sees(session, 'the node itself, not its children');
  session.type('\x03get /zookeeper/\t');
  await sees(session, /config[\s\S]*quota/);
  session.type('\x03addWatch /app\r');
  await sees(session, 'watching /app and below');
  const port = /connected to (\S+)/.exec(session.screen.all().join('\n'))?.[1] as string;
  session.type('set config {"level": "wa');
  await sees(session, '{"level": "wa|');
  const other = await connect(port);
  await other.create('/app/other');
  await sees(session, /created {2}\/app\/other\nplayground:\/app> set config \{"level": "wa\|/);
  await other.close();
  session.type('\x03');
  session.type('crate\r');
  await sees(session, 'did you mean create ?');
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('accept 20: history is kept between shells, without credentials; redo runs a line again', async () => {
  {
    using session = prompt(server.hosts);
    await sees(session, 'connected to');
    session.type('create /history x\r addauth digest bob:secret\raddauth digest bob:secret\r');
    await sees(session, /authenticated as digest:bob[\s\S]*authenticated as digest:bob/);
    session.type('quit\r');
    assert.equal(await session.ended(), 0);
  }
  const file = join(home, 'state', 'history');
  const texts = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(texts.slice(-3), ['create /history x', 'addauth digest ****', 'quit']);
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  session.type('create /hi\x1b[A');
  await sees(session, 'create /history x|');
  session.type('\x03history -g create\r');
  await sees(session, /\d+ {2,}create \/history x/);
  const number = [...session.text.matchAll(/(\d+) {2,}create \/history x/g)].at(-1)?.[1] as string;
  session.type(`redo ${number}\r`);
  await sees(session, 'node already exists: /history');
  // shared by shells that are open at once, and none of the ways to write a password gets into it
  using other = prompt(server.hosts);
  await sees(other, 'connected to');
  other.type(
    'acl digest bob hunter2\rsetAcl --force /history world:anyone:cdrwa,digest:eve:hunter2:r\recho from-the-other\r',
  );
  await sees(other, /\nfrom-the-other\n/);
  session.type('\x12from-the');
  await sees(session, 'echo from-the-other');
  session.type('\x07');
  assert.doesNotMatch(readFileSync(file, 'utf8'), /hunter2|secret/);
  other.type('\x04');
  assert.equal(await other.ended(), 0);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('--no-history neither reads nor writes any', async () => {
  const file = join(home, 'state', 'history');
  const before = readFileSync(file, 'utf8');
  using session = prompt(`--no-history ${server.hosts}`);
  await sees(session, 'connected to');
  session.type('pwd\r');
  await sees(session, /> pwd\n\/\n/);
  session.type('history\r');
  await sees(session, /1 {2}pwd\n/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('accept 16: a question before a subtree goes: no keeps it, C-c too, yes deletes; then the line edits as before', async () => {
  const other = await connect(server.hosts);
  await other.create('/tree');
  await other.create('/tree/a');
  for (let at = 0; at < 24; at++) await other.create(`/tree/${at}`); // fewer are deleted without a question, since undo brings them back
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  for (const answer of ['n\r', '\x03']) {
    session.type('deleteall /tree\r');
    await sees(session, 'Delete 26 nodes at and below /tree?');
    session.type(answer);
    await session.until((screen) => /not done\n(?: hint.*\n)?.*> \|$/.test(screen), 'not done', PATIENCE_MS);
    assert.ok(await other.exists('/tree/a'));
    session.type('echo "code ${?}"\r');
    await sees(session, /\ncode 31\n/);
    session.type('clear-me\x15pwd\r');
    await sees(session, /> pwd\n\/\n/);
    session.type('deletea\x1b[A');
    await sees(session, /> deleteall \/tree\|/);
    session.type('\x15');
    session.type('\x0c');
    await session.until((screen) => !screen.includes('Delete'), 'a clear screen', PATIENCE_MS);
  }
  session.type('deleteall /tree\r');
  await sees(session, 'Delete 26 nodes at and below /tree?');
  session.type('y\r');
  await sees(session, 'deleted 26 nodes');
  assert.equal(await other.exists('/tree'), undefined);
  await other.close();
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('a plan taller than the screen is seen before it is asked about, not after the answer', async () => {
  const pager = `ZOOSH_PAGER='printf "the pager had "; wc -l' `;
  using session = new Session({
    sh: `${pager} exec ${process.execPath} ${BIN} ${server.hosts}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
  });
  await sees(session, 'connected to');
  session.type('mkdir /tall\rrepeat 30 create -s /tall/n- x | sort >/dev/null\rdeleteall /tall\r');
  await sees(session, 'Delete 31 nodes at and below /tall?');
  session.type('y\r');
  await sees(session, /deleted 31 nodes in/);
  session.type('undo\r');
  await sees(session, 'Take back 31 changes under /tall');
  assert.match(session.text, /> undo\nthe pager had 31\n\? Take back/);
  session.type('n\r');
  await sees(session, 'not done');
  assert.equal(session.text.split('the pager had').length, 2, 'it is shown once');
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('accept 19: a server that goes and comes back: lost, back, the session kept', async () => {
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  session.type('create -e /mine\r');
  await sees(session, 'created /mine');
  assert.equal(await server.kill('SIGKILL'), 128);
  await sees(session, 'lost connection');
  await sees(session, '(lost)> |');
  assert.match(session.screen.all().join('\n'), /lost connection to \S+[\s\S]*,\s+trying again/);
  session.type('get /mine\r');
  await sees(session, /waiting for \S+ to come back; Ctrl-C gives up/);
  await server.start();
  await sees(session, /back on \S+ after \d+\.\ds, session kept/);
  session.type('getEphemerals\r');
  await sees(session, /getEphemerals\n\/mine\n/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
  const other = await connect(server.hosts);
  assert.equal(await other.exists('/mine'), undefined, 'the session ended with the shell');
  await other.close();
});

test('C-c stops a long listing and the session goes on', async () => {
  const other = await connect(server.hosts);
  await other.create('/many');
  for (let at = 0; at < 100; at++) await other.transaction().create(`/many/${at}`).commit();
  for (let at = 0; at < 100; at++) {
    const transaction = other.transaction();
    for (let n = 0; n < 100; n++) transaction.create(`/many/${at}/${n}`);
    await transaction.commit();
  }
  await other.close();
  using session = prompt(`--timeout 30s ${server.hosts}`);
  await sees(session, 'connected to');
  session.type('settings concurrency 1\r');
  await sees(session, 'concurrency is 1');
  session.type('ls -R /many\r');
  await sleep(60);
  session.type('\x03');
  await session.until((screen) => /interrupted|\/many\/99\/99/.test(screen), 'an end', PATIENCE_MS);
  session.type('exists /many/99/99\r');
  await sees(session, /exists \/many\/99\/99\nyes/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('Ctrl-C ends a connect to a server that says nothing, and the prompt tells that it is not connected', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port: closed } = gone.address() as AddressInfo;
  gone.close();
  try {
    using session = prompt(`--connect-timeout ${10 * PATIENCE_MS}ms ${server.hosts}`);
    await sees(session, 'connected to');
    session.type(`cd /zookeeper\rconnect 127.0.0.1:${port}\r`);
    await once(silent, 'connection');
    session.type('\x03');
    // nothing typed next goes there unasked, nor to a folder of the servers before
    await sees(session, `interrupted\n127.0.0.1:${port}:/ (closed)> |`);
    session.type('ls\r');
    await sees(session, 'connect begins a new session');
    session.type(`connect ${server.hosts}\r`);
    await sees(session, /connected to \S+, session[^\n]*\n127\.0\.0\.1:\d+:\/> \|/);
    session.type('\x04');
    assert.equal(await session.ended(), 0);
  } finally {
    silent.close();
  }
  using session = prompt(`--connect-timeout 300ms ${server.hosts}`);
  await sees(session, 'type help');
  session.type(`connect 127.0.0.1:${closed}\r`);
  await sees(session, `127.0.0.1:${closed}:/ (not connected)> |`);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});

test('Ctrl-D does not wait for a server that says nothing', async () => {
  await using mute = await new ServerProcess().start();
  try {
    await timely(async () => {
      using session = prompt(mute.hosts);
      await sees(session, 'type help');
      mute.signal('SIGSTOP');
      session.type('\x04');
      const began = performance.now();
      assert.equal(await session.ended(), 0);
      const ms = Math.round(performance.now() - began);
      mute.signal('SIGCONT');
      return lateIf(ms > 1800, `${ms} ms`);
    });
  } finally {
    mute.signal('SIGCONT');
  }
});

test('Ctrl-D with the server lost does not wait for it', () =>
  timely(async () => {
    using session = prompt(server.hosts);
    await sees(session, 'type help');
    await server.kill('SIGKILL');
    await sees(session, '(lost)> |');
    const began = performance.now();
    session.type('\x04');
    const code = await session.ended();
    const ms = Math.round(performance.now() - began);
    await server.start();
    assert.equal(code, 0);
    return lateIf(ms > 600, `${ms} ms`);
  }));

test('Ctrl-C ends a change that waits for a server at once, and a second one within a second ends the shell', async () => {
  using session = new Session({
    sh: `exec '${process.execPath}' '${BIN}' --timeout 20s ${server.hosts}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1' },
  });
  await sees(session, 'type help');
  session.type('create /held x\rwatch --diff /held\r');
  await sees(session, 'watching /held (watch 1)');
  await server.kill('SIGKILL');
  await sees(session, '(lost)> |');
  session.type('set /held y\r');
  await sees(session, /set \/held y\n/);
  session.type('\x03');
  await sees(session, /error: interrupted\n[^\n]*\(lost\)> \|/);
  await server.start();
  await sees(session, 'session kept');
  session.type('get /held\r');
  await sees(session, /get \/held\nx\n/);
  // a lock that cannot be given back keeps the command, but not the user
  session.type('lock /lock\r');
  await sees(session, /lock \/lock[\s\S]*token/);
  void server.kill('SIGSTOP');
  // two within a second, as the shell sees it: a machine that stands still between them makes them none
  await timely(async () => {
    session.type('\x03');
    await sleep(300);
    session.type('\x03');
    for (let waited = 0; session.exit === undefined && waited < 3000; waited += 10) await sleep(10);
    return lateIf(session.exit === undefined, 'the second Ctrl-C did not end the shell');
  });
  assert.equal(await session.ended(), 130);
  void server.kill('SIGCONT');
});

test('leaving with a watch on what goes with the session: nothing is told, and the program ends', async () => {
  using session = new Session({
    sh: `exec '${process.execPath}' '${BIN}' ${server.hosts}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1' },
  });
  await sees(session, 'type help');
  session.type('watch -R --diff /\rcreate -e /mine x\r');
  await sees(session, 'created  /mine v0  "x"');
  session.type('\x04');
  assert.equal(await session.ended(), 0);
  assert.doesNotMatch(session.screen.all().join('\n'), /deleted/);
});

test('the profile whose password is missing is in the prompt, with what to do; other servers are not proposed', async () => {
  const own = mkdtempSync(join(tmpdir(), 'zoosh-named-'));
  const profiles = { live: { server: server.hosts, protect: true, auth: [{ scheme: 'digest', from: 'env:NO_SUCH' }] } };
  mkdirSync(join(own, 'config'));
  writeFileSync(join(own, 'config', 'config.json'), JSON.stringify({ profiles }), { mode: 0o600 });
  try {
    using session = prompt('@live', 80, own);
    await sees(session, 'export NO_SUCH=... before zoosh starts');
    await sees(session, 'live!:/ (not connected)> |');
    assert.doesNotMatch(session.screen.all().join('\n'), /playground/);
    // what cannot be sent is not asked about
    session.type('set /a x\r');
    await sees(session, /set \/a x\n[\s\S]*NO_SUCH[\s\S]*live!:\/ \(not connected\)> \|/);
    assert.doesNotMatch(session.screen.all().join('\n'), /Allow set/);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
});

test('what only Ctrl-C ends is no error when it does; anything else that it ends is', async () => {
  using session = prompt(server.hosts);
  await sees(session, 'type help');
  session.type('watch -f /\r');
  await sees(session, /watch -f \/\nwatching \/ until Ctrl-C\n/); // the line was taken, and the key is not for it
  session.type('\x03');
  await sees(session, /watching \/ until Ctrl-C\n[^\n]*:\/> \|/);
  session.type('echo "${?}"; sleep 1h\r');
  await sees(session, /\n130\n/);
  session.type('\x03');
  await sees(session, 'error: interrupted');
  session.type('top -i 1h\r');
  await sees(session, 'the first look takes 1h');
  session.type("\x03watch 'it has space'\r");
  await sees(session, "watching '/it has space' (watch 1)");
});

test('a plan does not stand behind how far the look at it had come', async () => {
  const presenter = new URL('../../src/cli/presenter.js', import.meta.url).pathname;
  const script = [
    `const { Presenter } = await import('${presenter}');`,
    "const settings = { get: () => 'human' };",
    'const presenter = await Presenter.open({ globals: {}, settings, interactive: true, single: false });',
    "const progress = presenter.progress('looking at it');",
    'await new Promise((done) => setTimeout(done, 600));',
    'progress.update(7);',
    'await presenter.settle(undefined);',
    "process.stderr.write('a plan\\n');",
  ].join('\n');
  using session = new Session({
    sh: `exec ${process.execPath} --input-type=module -e "$SCRIPT"`,
    env: { SCRIPT: script, LANG: 'C.UTF-8' },
  });
  await sees(session, /(?:^|\n)a plan/);
});

test('the first line of a playground breaks between words', async () => {
  using session = prompt('playground', 48);
  await sees(session, 'type help');
  assert.match(session.screen.all().join('\n'), /^A ZooKeeper server of your own on\n 127[^\n]+ its data/);
});

test('who leaves inside a transaction is told that nothing of it was sent', async () => {
  for (const end of ['quit\r', '\x04']) {
    using session = prompt(server.hosts);
    await sees(session, 'connected to');
    session.type('txn\rcreate /dropped\rcreate /dropped/x\r');
    await sees(session, '[txn 2]> |');
    session.type(end);
    assert.equal(await session.ended(), 0);
    await sees(session, 'a transaction of 2 operations was dropped; nothing was sent');
  }
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  session.type('txn\r');
  await sees(session, '[txn 0]> |');
  session.type('\x04');
  assert.equal(await session.ended(), 0);
  assert.doesNotMatch(session.screen.all().join('\n'), /dropped/, 'an empty one is no loss');
});

test('of pasted lines the first that fails is the last that runs, and the others are counted', async () => {
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  session.type('\x1b[200~echo one\nnosuch\necho two\necho three\x1b[201~\r');
  await sees(session, '2 lines not run');
  assert.doesNotMatch(session.screen.all().join('\n'), /\ntwo\n/);
  session.type('set /a {"x":\r');
  await sees(session, '...> |');
  session.type('\x04');
  await sees(session, /\^C\n[^\n]*:\/> \|/);
});

test('what only Ctrl-C ends leaves the shell around it a line of its own', async () => {
  for (const words of ['top -i 1h', 'watch -f /', 'lock /held-here', 'elect --observe /held-here']) {
    using session = new Session({
      sh: `set -m; ${process.execPath} ${BIN} ${server.hosts} ${words}; echo behind`,
      env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
    });
    if (words.startsWith('top')) await sees(session, 'the first look takes 1h');
    else await sleep(PATIENCE_MS / 40); // it says nothing before something happens
    session.type('\x03');
    await sees(session, /\^C[\s\S]*\nbehind/);
  }
});

test('a first start without a server says what was tried and what helps, in two lines', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'zoosh-first-'));
  try {
    using session = prompt('--connect-timeout 2s 127.0.0.1:1', 100, empty);
    await sees(session, 'connect HOST:PORT');
    const lines = session.screen.all().join('\n').split('\n');
    const at = lines.findIndex((line) => line.startsWith('not connected'));
    assert.deepEqual(lines.slice(at, at + 2), [
      'not connected: 127.0.0.1:1: refused',
      ' zoosh playground starts one to try, zoosh init keeps yours; or connect HOST:PORT',
    ]);
    assert.match(lines[at + 2] ?? '', /\(not connected\)>/);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
});

test('Ctrl-C in the pager is the pager’s, however often it comes', async () => {
  for (const words of [server.hosts, `--no-history ${server.hosts} help find`]) {
    using session = new Session({
      sh: `exec '${process.execPath}' '${BIN}' ${words}`,
      env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', ZOOSH_PAGER: 'trap "" INT; tail -1; sleep 2; echo the pager ends' },
    });
    if (words === server.hosts) {
      await sees(session, 'type help');
      session.type('help find\r');
    }
    await sees(session, /for them\./);
    for (let times = 0; times < 3; times++) {
      session.type('\x03');
      await sleep(200);
    }
    await sees(session, 'the pager ends');
    if (words !== server.hosts) continue;
    session.type('echo still here\r');
    await sees(session, /\nstill here\n/);
    session.type('\x04');
    assert.equal(await session.ended(), 0);
  }
});

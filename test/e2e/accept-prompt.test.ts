/** Acceptance checks of the prompt: the built binary in a pseudo terminal, read by an independent emulator. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { Session } from '../editor/session.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { BIN } from './cli.ts';
import { ServerProcess } from './process.ts';

const MANY = 100_000;
const server = new ServerProcess();
const home = mkdtempSync(join(tmpdir(), 'zoosh-accept-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const prompt = (words: string, columns = 80): Session =>
  new Session({
    columns,
    sh: `exec ${process.execPath} ${BIN} --connect-timeout 60s ${words}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', ZOOSH_PAGER: '' },
  });
const sees = (session: Session, text: string | RegExp): Promise<void> =>
  session.until(
    (screen) => (typeof text === 'string' ? screen.includes(text) : text.test(screen)),
    String(text),
    PATIENCE_MS,
  );
const leave = async (session: Session): Promise<void> => {
  session.type('\x03\x04');
  assert.equal(await session.ended(), 0);
};

/** Begins a search that takes long. */
async function search(session: Session): Promise<void> {
  session.type('\x0c'); // what is seen below is of this search, and not of the one before
  await session.until((screen) => !screen.includes('zzz') && screen.endsWith('> |'), 'an empty screen', PATIENCE_MS);
  session.type('find /big -data zzz\r');
  await sees(session, /find \/big -data zzz\n/);
}
/** Ctrl-C in a search; false when that was through before the key came, since the machine stood still in between. */
async function stopsSearch(session: Session): Promise<boolean> {
  session.type('\x03');
  await sees(session, /find \/big -data zzz\n[\s\S]*> \|$/);
  return /interrupted[\s\S]*> \|$/.test(session.text);
}
/** Searches that may be through too early, one after the other. */
const SEARCHES = 8;

/** `count` nodes below a node, a thousand a request. */
async function fill(parent: string, count: number): Promise<void> {
  await client.create(parent, null);
  for (let at = 0; at < count; at += 1000) {
    const transaction = client.transaction();
    for (let n = at; n < Math.min(count, at + 1000); n++) transaction.create(`${parent}/n${n}`, null);
    await transaction.commit();
  }
}

/** Beyond what a program that does nothing but echo takes at the same time, ms: more than that a person sees. */
const FROZEN_MS = 150;
const ECHO =
  "process.stdin.setRawMode(true); console.log('here'); process.stdin.on('data', (key) => process.stdout.write('\\r' + key))";

/** How long each key takes until it is on the screen, one after the other until `isOver`; the slowest, ms. */
async function slowestKey(press: (at: number) => Promise<void>, isOver: () => boolean): Promise<number> {
  let slowest = 0;
  for (let at = 0; at < 10 || !isOver(); at++) {
    const began = performance.now();
    await press(at);
    slowest = Math.max(slowest, performance.now() - began);
  }
  return slowest;
}

test('accept 13: five thousand events in a second leave the line as it is, and it can be typed', async (t) => {
  await client.create('/ev', null);
  using session = prompt(server.hosts);
  using echo = new Session({ sh: `exec ${process.execPath} -e "${ECHO}"` });
  await sees(echo, 'here');
  await sees(session, 'connected to');
  session.type('addWatch /ev\r');
  await sees(session, 'watching /ev and below');
  await timely(async () => {
    session.type('\x15set /ev some');
    await sees(session, 'set /ev some|');
    let isOver = false;
    const storm = Promise.all(Array.from({ length: 5000 }, (_, at) => client.set('/ev', String(at)))).finally(() => {
      isOver = true;
    });
    const typed = slowestKey(
      (at) => {
        session.type(at % 2 === 0 ? 'x' : '\x7f');
        return sees(session, `set /ev some${at % 2 === 0 ? 'x' : ''}|`);
      },
      () => isOver,
    );
    const echoed = slowestKey(
      (at) => {
        echo.type(String(at % 10));
        return echo.until((screen) => screen.endsWith(`${at % 10}|`), 'an echo', PATIENCE_MS);
      },
      () => isOver,
    );
    const [slowest, bare] = await Promise.all([typed, echoed]);
    await storm;
    session.type('\x15set /ev something');
    await sees(session, /\+[\d,]+ events[^\n]* \(last: NodeDataChanged \/ev\)/);
    await sees(session, 'set /ev something|');
    t.diagnostic(`13: the slowest key ${slowest.toFixed(0)} ms, of a bare program ${bare.toFixed(0)} ms`);
    return lateIf(slowest - bare >= FROZEN_MS, `a key took ${slowest} ms, and ${bare} ms in a bare program`);
  });
  await leave(session);
});

test('accept 15: completion: relative, with blanks, in quotes, without permission, of many, without a server', async () => {
  await client.create('/comp', null);
  await client.create('/comp/my node', 'x');
  await client.create('/comp/plain', null);
  await client.create('/secret', null, { acl: [{ scheme: 'digest', id: 'a:b', perms: 31 }] });
  await fill('/big', MANY);
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  session.type('cd /comp\r');
  await sees(session, ':/comp> |');
  session.type('get pl\t');
  await sees(session, 'get plain |');
  session.type('\x03get my\t');
  await sees(session, "get 'my node' |");
  session.type('\x03get "/comp/my\t');
  await sees(session, 'get "/comp/my node" |');
  session.type('\x03ls /secret/\t');
  await sees(session, 'not permitted');
  session.type('\x03ls /big/\t');
  await sees(session, /100,000 children/);
  session.type('\x03get my\t');
  await sees(session, "get 'my node' |");
  await server.kill('SIGKILL');
  await sees(session, '(lost)> ');
  session.type('\x03ls /zoo\t');
  await sees(session, 'not connected');
  await server.start();
  await sees(session, 'session kept');
  await leave(session);
});

test('accept 17: C-c stops a search of many nodes within 200 ms, and the session goes on', async () => {
  using session = prompt(`--timeout 30s ${server.hosts}`);
  await sees(session, 'connected to');
  session.type('settings concurrency 2\r');
  await sees(session, 'concurrency is 2');
  // a busy machine may take its time once or twice, but not every time
  const took: number[] = [];
  for (let time = 0; time < SEARCHES && Math.min(...took) >= 200; time++) {
    await search(session);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const began = performance.now();
    if (await stopsSearch(session)) took.push(performance.now() - began);
  }
  session.type('exists /big\r');
  await sees(session, /exists \/big\nyes/);
  assert.ok(Math.min(...took) < 200, `it took ${took} ms`);
  await leave(session);
});

test('Ctrl-C at one command and at the next, within a second, is no second Ctrl-C', async () => {
  using session = prompt(`--timeout 30s ${server.hosts}`);
  await sees(session, 'connected to');
  session.type('settings concurrency 2\r');
  await sees(session, 'concurrency is 2');
  let stopped = 0;
  for (let time = 0; time < SEARCHES && stopped < 3; time++) {
    await search(session);
    if (await stopsSearch(session)) stopped++;
  }
  assert.equal(stopped, 3);
  session.type('exists /big\r');
  await sees(session, /exists \/big\nyes/);
  await leave(session);
});

test('accept 18: the window gets smaller with a menu open; wide characters keep their places', async () => {
  await client.create('/wide', null);
  for (const name of ['日本語', '日本酒', 'grün', 'e\u0301tude']) await client.create(`/wide/${name}`, 'x');
  using session = prompt(server.hosts, 100);
  await sees(session, 'connected to');
  session.type('get /wide/日\t');
  await sees(session, /日本語[\s\S]*日本酒/);
  session.resize(40, 20);
  await sees(session, /get \/wide\/日本\|[\s\S]*日本酒/);
  session.type('\x1b');
  await new Promise((resolve) => setTimeout(resolve, 500)); // Esc alone, not the beginning of a key
  await session.until((screen) => !screen.includes('日本酒'), 'no menu', PATIENCE_MS);
  session.type('語 ');
  await sees(session, /get \/wide\/日本?語 \|/);
  session.type('\x15ls /wide\r');
  await sees(session, /grün/);
  await leave(session);
});

test('accept 19: a session that expires says what went with it', async () => {
  using session = prompt(`--timeout 4s ${server.hosts}`);
  await sees(session, 'connected to');
  session.type('create -e /mine\raddWatch /wide\r');
  await sees(session, /created \/mine[\s\S]*watching \/wide/);
  await server.kill('SIGKILL');
  await sees(session, '(lost)> ');
  await sees(session, /expired[\s\S]*1 ephemeral node \(\/mine\)/);
  await server.start();
  await sees(session, /set again: 1 watch/);
  await leave(session);
});

test('a transaction at the prompt: its number, what waits, what came of it', async () => {
  await client.create('/t', 'x');
  await client.create('/t/child', null);
  using session = prompt(server.hosts);
  await sees(session, 'connected to');
  session.type('txn\r');
  await sees(session, ' [txn 0]> |');
  session.type('check /t 0\rset /t {"level": "warn"}\rdelete /t\r');
  await sees(session, ' [txn 3]> |');
  session.type('get /t\r');
  await sees(session, /reads see the tree as it is before the transaction\nx\n/);
  session.type('commit\r');
  await sees(session, /check +\/t +ok[\s\S]*set +\/t +not applied[\s\S]*delete +\/t +node has children/);
  await sees(session, 'transaction rolled back, nothing changed (operation 3: node has children)');
  session.type('txn { check /t 0; set /t y }\r');
  await sees(session, /set +\/t +ok +1\n/);
  session.type('txn {\rset /t z\r}\r');
  await sees(session, /set +\/t +ok +2\n/);
  session.type('let v = $(get /t)\recho "[${v}]"\r');
  await sees(session, '[z]');
  await leave(session);
});

test('a long result goes through the pager, and the line edits as before', async () => {
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} --connect-timeout 60s ${server.hosts}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', ZOOSH_PAGER: 'head -2; echo paged' },
  });
  await sees(session, 'connected to');
  session.type('help find\r');
  await sees(session, /paged\n[^\n]*> \|/);
  session.type('pwd\r');
  await sees(session, /pwd\n\/\n/);
  await leave(session);
});

test('zkCli at a terminal: its prompt and texts, our line', async () => {
  using session = prompt(`--compat zkcli -server ${server.hosts}`, 120);
  await sees(session, /\[zk: \S+\(CONNECTED\) 0\] \||CONNECTING\) 0\] \|/);
  session.type('create /zk-tty "a b"\r');
  await sees(session, 'Created /zk-tty');
  session.type('get /zk-t\t');
  await sees(session, /get \/zk-tty *\|/); // a late completion would not come before the key behind it
  session.type('\r');
  await sees(session, /get \/zk-tty *\na b\n\[zk: \S+\(CONNECTED\) 2\] \|/);
  session.type('get -w /zk-tty\r');
  await sees(session, /CONNECTED\) 3\] \|/);
  session.type('ls /zo');
  await client.set('/zk-tty', 'c');
  await sees(
    session,
    /WATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:\/zk-tty zxid: \d+\n\[zk: \S+ 3\] ls \/zo\|/,
  );
  session.type('\x03quit\r');
  assert.equal(await session.ended(), 0);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WatchQueue } from '../../src/commands/watch-queue.ts';
import { WatchValues } from '../../src/commands/watch-values.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect, type WatchEvent } from '../../src/index.ts';
import type { CommandContext } from '../../src/shell/command.ts';
import { Session } from '../editor/session.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { BIN, type Running, zoosh, zooshProcess } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-watch-'));
let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ settings: { '4lw.commands.whitelist': '*' } });
  client = await connect(server.connectString);
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** The sessions that watch, and how many nodes each. */
async function standing(): Promise<Map<string, number>> {
  const socket = dial(Number(server.connectString.split(':')[1]), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.write('wchc');
  await once(socket, 'close');
  const found = new Map<string, number>();
  let session = '';
  for (const line of text.split('\n'))
    if (line.startsWith('0x')) session = line;
    else if (line !== '') found.set(session, (found.get(session) ?? 0) + 1);
  return found;
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A watch that stands at the server: a session that was not there before has it, whichever others end meanwhile. */
async function watching(args: readonly string[], options: readonly string[] = [], count = 1): Promise<Running> {
  const before = await standing();
  const running = zooshProcess([...options, server.connectString, 'watch', ...args]);
  const stands = async (): Promise<boolean> =>
    [...(await standing())].some(([session, nodes]) => !before.has(session) && nodes >= count);
  for (let left = PATIENCE_MS / 10; !(await stands()); left--) {
    assert.ok(left > 0, `no watch: ${running.stderr()}`);
    await sleep(10);
  }
  return running;
}
const told = (running: Running): string[][] =>
  running
    .stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t').slice(1));
async function tells(running: Running, lines: number): Promise<void> {
  for (let left = PATIENCE_MS / 10; running.stdout().split('\n').length <= lines; left--) {
    assert.ok(left > 0, `${running.stdout()}${running.stderr()}`);
    await sleep(10);
  }
}

/** Waits for a line of `-v`. */
async function traced(running: Running, line: RegExp): Promise<void> {
  for (let left = PATIENCE_MS / 10; !line.test(running.stderr()); left--) {
    assert.ok(left > 0, `never said: ${line}\n${running.stderr()}`);
    await sleep(10);
  }
}

/** What a program waits for in sh, and how that comes: all that is to come while it runs has come. */
function gate(name: string): { readonly wait: string; readonly open: () => void } {
  const file = join(folder, `gate-${name}`);
  return { wait: `until [ -e '${file}' ]; do sleep 0.05; done`, open: () => writeFileSync(file, '') };
}

test('one event is waited for; the watch goes with the process', async () => {
  await client.create('/one', 'a');
  const running = await watching(['/one']);
  await client.set('/one', 'b');
  assert.equal(await running.ended, 0);
  assert.deepEqual([told(running), running.stderr()], [[['NodeDataChanged', '/one']], '']);
  // the process may be gone before the end of its session has come here
  for (let left = PATIENCE_MS / 10; left > 0 && (await standing()).size > 0; left--) await sleep(10);
  assert.equal((await standing()).size, 0);
});

test('-R sees all below with --diff, --count ends it; as JSON old and new are there', async () => {
  await client.create('/tree', null);
  await client.create('/tree/config', '{"level":"info","n":1}');
  const plain = await watching(['-R', '--diff', '--count', '3', '/tree', '/tree/config'], ['-v']);
  const json = await watching(['-R', '--diff', '--count', '1', '/tree'], ['-v', '-o', 'ndjson']);
  // what was there is read once the watch stands
  for (const each of [plain, json]) await traced(each, /<- #\d+ getData \/tree\/config ok/);
  await client.set('/tree/config', '{"level":"debug","n":1}');
  await client.create('/tree/new', 'x');
  await tells(plain, 2); // what was written is read after the event: a node that is gone by then has nothing to show
  await client.delete('/tree/new');
  assert.equal(await plain.ended, 0);
  assert.deepEqual(told(plain), [
    ['NodeDataChanged', '/tree/config', 'v0 -> v1  level: "info" -> "debug"'],
    ['NodeCreated', '/tree/new', 'v0  "x"'],
    ['NodeDeleted', '/tree/new', 'was v0  "x"'],
  ]);
  assert.equal(await json.ended, 0);
  const event = JSON.parse(json.stdout()) as Record<string, unknown>;
  assert.deepEqual(event.old, { version: 0, data: '{"level":"info","n":1}', encoding: 'utf8' });
  assert.deepEqual(event.new, { version: 1, data: '{"level":"debug","n":1}', encoding: 'utf8' });
  assert.match(String(event.zxid), /^0x/);
});

test('-c tells who came and went, -d what was written; -f goes on until it is interrupted', async () => {
  await client.create('/kids', null);
  await client.create('/kids/a', null);
  const children = await watching(['-c', '--diff', '--count', '2', '/kids'], ['-v']);
  const data = await watching(['-d', '-f', '/kids']);
  await traced(children, /<- #\d+ getChildren\w* \/kids ok/);
  await client.create('/kids/b', null);
  await tells(children, 1);
  await client.set('/kids', 'x');
  await client.delete('/kids/a');
  assert.equal(await children.ended, 0);
  assert.deepEqual(told(children), [
    ['NodeChildrenChanged', '/kids', '+b (2 now)'],
    ['NodeChildrenChanged', '/kids', '-a (1 now)'],
  ]);
  await tells(data, 1);
  data.kill('SIGINT');
  assert.equal(await data.ended, 130);
  assert.deepEqual(told(data), [['NodeDataChanged', '/kids']]);
});

test('--until, --timeout, --quiet, and what is refused before anything is asked', async () => {
  await client.create('/state', 'starting');
  const until = await watching(['--quiet', '--until', 'data=*ready*', '/state']);
  await client.set('/state', 'warm');
  await client.set('/state', 'is ready');
  assert.equal(await until.ended, 0);
  assert.equal(until.stdout(), '');
  const gone = await watching(['--until', 'deleted', '/state']);
  await client.set('/state', 'x');
  await client.delete('/state');
  assert.equal(await gone.ended, 0);
  assert.deepEqual(told(gone), [
    ['NodeDataChanged', '/state'],
    ['NodeDeleted', '/state'],
  ]);
  const late = await zoosh([server.connectString, 'watch', '--timeout', '50ms', '/state']);
  assert.deepEqual([late.code, late.stderr], [124, 'error: no event in 50ms: /state\n']);
  assert.equal((await zoosh([server.connectString, 'watch', '--until', 'soon', '/state'])).code, 2);
  assert.equal((await zoosh([server.connectString, 'watch', '--count', '0', '/state'])).code, 2);
  assert.equal((await zoosh([server.connectString, 'watch'])).code, 2);
  assert.equal((await zoosh([server.connectString, 'watch', '/no*such'])).code, 10);
});

test('a program for each event: never two at once, what comes meanwhile counts as one, its code is the answer', async () => {
  await client.create('/run', '0');
  const { wait, open } = gate('run');
  const script = `echo "$ZOOSH_EVENT $ZOOSH_TYPE $ZOOSH_PATH $ZOOSH_DATA v$ZOOSH_VERSION"; ${wait}; exit 7`;
  const running = await watching(['--count', '4', '/run', '--', 'sh', '-c', script], ['-v']);
  await client.set('/run', '1');
  await tells(running, 1);
  for (const each of ['2', '3', '4']) await client.set('/run', each);
  await traced(running, /(?:<- event[^\n]*\n[\s\S]*?){4}/);
  open();
  assert.equal(await running.ended, 7);
  assert.equal(running.stdout(), 'changed NodeDataChanged /run 1 v1\nchanged NodeDataChanged /run 4 v4\n');
  const absent = await watching(['/run', '--', '/no/such']);
  await client.set('/run', '5');
  assert.equal(await absent.ended, 127);
});

test('the end is looked for in every event, also in those that came while a program ran', async () => {
  await client.create('/end', '0');
  const { wait, open } = gate('end');
  const script = `echo "$ZOOSH_EVENT"; ${wait}`;
  const running = await watching(['--until', 'deleted', '/end', '--', 'sh', '-c', script], ['-v']);
  await client.set('/end', '1');
  await tells(running, 1);
  await client.delete('/end');
  await client.create('/end', '2');
  await traced(running, /(?:<- event[^\n]*\n[\s\S]*?){3}/);
  open();
  for (let left = PATIENCE_MS / 10; running.stdout() !== 'changed\ncreated\n'; left--) {
    assert.ok(left > 0, running.stdout());
    await sleep(10);
  }
  const ended = await Promise.race([running.ended, sleep(PATIENCE_MS)]);
  running.kill('SIGKILL');
  assert.equal(ended, 0);
});

test('children that cannot be read are not told to be gone', async () => {
  await using own = await connect(server.connectString);
  const { signal } = new AbortController();
  const values = new WatchValues(async () => own, { signal } as CommandContext);
  await own.close();
  await assert.rejects(values.changeOf({ type: 'NodeChildrenChanged', path: '/', zxid: undefined }), {
    code: 'Closing',
  });
});

test('events that nobody takes are held within a bound, and it is said that some went', async () => {
  let tell: (event: WatchEvent) => void = () => {};
  const fake = {
    on: () => () => {},
    addWatch: async (_path: string, listener: typeof tell) => {
      tell = listener;
      return { remove: async () => {} };
    },
  } as unknown as Client;
  const warnings: string[] = [];
  await using queue = new WatchQueue(
    fake,
    (line) => void warnings.push(line),
    () => true,
  );
  const { signal } = new AbortController();
  await queue.add('/', true, signal);
  for (let i = 0; i < 10_003; i++) tell({ type: 'NodeDataChanged', path: `/${i}`, zxid: undefined });
  assert.equal((await queue.next(signal)).event.path, '/3');
  assert.equal(queue.rest().length, 9999);
  assert.deepEqual(warnings, ['events came too fast: 3 of them left out']);
});

test('at the prompt it goes on in the background until unwatch, with -f it holds the prompt', async () => {
  await client.create('/prompt', 'a');
  using one = new Session({
    sh: `exec '${process.execPath}' '${BIN}' ${server.connectString}`,
    env: { ZOOSH_HOME: folder, LANG: 'C.UTF-8', NO_COLOR: '1' },
  });
  await one.shows('type help');
  one.type('watch -R /prompt\r');
  await one.shows('watching /prompt and below');
  await one.until((screen) => /> \|$/.test(screen), 'the prompt');
  await client.set('/prompt', 'b');
  await one.shows('changed  /prompt');
  one.type('unwatch --all\r');
  await one.shows('stopped 1 watch');
  one.type('watch -f --diff /prompt\r');
  // what was there is read once the watch stands, which is not seen from outside
  let last = 'b';
  await timely(async (round) => {
    await sleep(500);
    const next = `c${round}`;
    await client.set('/prompt', next);
    const wanted = `changed  /prompt v${1 + round} -> v${2 + round}  "${last}" -> "${next}"`;
    last = next;
    const isTold = await one
      .until((screen) => screen.includes(wanted), wanted, 5000)
      .then(
        () => true,
        () => false,
      );
    return lateIf(!isTold, `${wanted}: ${one.text}`);
  });
  one.type('\x03');
  await one.until((screen) => /> \|$/.test(screen), 'the prompt after Ctrl-C');
  one.type('get /prompt\r');
  await one.shows(`\n${last}\n`);
});

/** A prompt that knows what serves it: the server has a second to say so, and this process may stand still as long. */
async function knowing(): Promise<Session> {
  for (let left = 2; ; left--) {
    const one = new Session({
      sh: `exec '${process.execPath}' '${BIN}' ${server.connectString}`,
      env: { ZOOSH_HOME: folder, LANG: 'C.UTF-8', NO_COLOR: '1' },
    });
    await one.shows('type help');
    if (left === 0 || /connected to \S+ \(/.test(one.text)) return one;
    one[Symbol.dispose]();
  }
}

test('at the prompt --diff, -c, --count and --until report above the line, too; a watch keeps its number', async () => {
  await client.create('/behind', 'a');
  using one = await knowing();
  await one.shows(/connected to \S+ \(standalone, 3\.\d+\.\d+\)/);
  one.type('settings prompt "{role} {rtt} {watches} $ "\r');
  one.type('pwd; exists -q /behind\r');
  await one.shows(/\nstandalone [\d.]+ms 0 \$ \|/);
  one.type('watch --diff /behind\r');
  await one.shows('watching /behind (watch 1)');
  one.type('watch -R -c --count 1 /behind\r');
  await one.shows('watching /behind and below (watch 2)');
  one.type('watch --until deleted /behind-2\r');
  await one.shows('watching /behind-2 (watch 3)');
  one.type('echo half');
  await one.shows('3 $ echo half|');
  await client.set('/behind', 'b');
  await one.shows('changed  /behind v0 -> v1  "a" -> "b"');
  await client.create('/behind/kid');
  await one.shows('children /behind +kid (1 now)');
  await one.shows('watch 2 ended: 1 event');
  await client.create('/behind-2');
  await client.delete('/behind-2');
  await one.shows('watch 3 ended: --until');
  await one.shows('1 $ echo half|');
  one.type('\x15watch --timeout 100ms /behind-2\r');
  await one.shows('watch 4 ended: --timeout');
  one.type('watches\r');
  await one.shows(/ 1 {2}\/behind {2}persistent {2}.*2\n/);
  one.type('watch /behind\r');
  await one.shows(/\$ watch \/behind\nwatching \/behind \(watch 1\)/); // the one before said so, too
  await client.set('/behind', 'c');
  await one.shows(/changed {2}\/behind\n/);
  one.type('unwatch 1\r');
  await one.shows('stopped 1 watch');
});

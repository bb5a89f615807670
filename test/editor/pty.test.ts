import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lateIf, timely } from '../patience.ts';
import { Session, type SessionOptions } from './session.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-editor-'));
after(() => rmSync(folder, { recursive: true }));

async function session(options?: SessionOptions): Promise<Session> {
  const one = new Session(options);
  await one.shows('local:/> |');
  return one;
}
const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('a line is typed, changed in the middle and entered; C-c clears, C-d leaves', async () => {
  using one = await session();
  one.type('gt /aap\x1b[D\x1b[D\x7f\x01\x06e');
  await one.shows('local:/> ge|t /ap');
  one.type('\x05p\r');
  await one.shows('got {"type":"line","text":"get /app"}');
  await one.shows('local:/> |');
  one.type('half');
  one.type('\x03');
  await one.shows('local:/> half^C\ngot {"type":"interrupt","again":false}\nlocal:/> |');
  one.type('\x03');
  await one.shows('got {"type":"interrupt","again":true}\nlocal:/> |');
  one.type('日本e\u0301👍x\x1b[D\x1b[D\x7f');
  await one.shows('local:/> 日本|👍x');
  one.type('\x15\x0b\x04');
  await one.shows('got {"type":"eof"}');
  assert.equal(await one.ended(), 0);
  assert.deepEqual([...one.screen.modes], []);
});

test('accept 14: two Tabs in one write show the menu; it moves, filters, restores and accepts', async () => {
  using one = await session();
  one.type('get /app/w\t\t');
  const menu = [
    '> worker-a/   3 children',
    '  worker-b/   3 children',
    '  worker-c    ephemeral  12B',
    '  wal         ephemeral  12B',
  ];
  await one.shows(`local:/> get /app/w|\n${menu.map((row) => `                ${row}`).join('\n')}`);
  one.type('\t\x1b[B');
  await one.shows('> worker-c');
  one.type('or');
  await one.until((screen) => screen.includes('get /app/wor|') && !screen.includes('wal'), 'a shorter menu');
  one.type('\x1b');
  await one.until((screen) => screen.endsWith('get /app/w|'), 'the line as it was');
  // all at once is the same as one by one
  one.type('or\t\t\r');
  await one.until((screen) => screen.endsWith('get /app/worker-a/|'), 'the candidate accepted');
  one.type('\r');
  await one.shows('got {"type":"line","text":"get /app/worker-a/"}');
});

test('notes come for the rows that come into view, once each', async () => {
  using one = await session();
  one.type('get /noted/\t\t');
  await one.shows(/node-009 +note 9\n.*1 to 10 of 400/);
  one.type('\x1b[6~'.repeat(4));
  await one.shows(/node-049 +note 49\n.*41 to 50 of 400/);
  one.type('\x1b[6~');
  await one.shows(/> node-050 +late 10\n[\s\S]*node-055\n[\s\S]*node-059 +late 10\n.*51 to 60 of 400/);
  one.type('\x1b[5~\x1b[6~\x1b[6~');
  await one.shows(/node-060 +late 20\n[\s\S]*61 to 70 of 400/);
  one.type('\r');
  await one.until((screen) => screen.includes('get /noted/node-060/'), 'what is known now is accepted');
});

test('a late answer is announced, one for another line is dropped, an error is a line', async () => {
  using one = await session();
  one.type('delay 700\r');
  await one.until((screen) => screen.endsWith('local:/> |'), 'a prompt');
  // of two that a process which stood still sees at once it does not know which came first
  await timely(async () => {
    one.type('\x15get /app/w\t');
    let isAnnounced = false;
    await one.until((screen) => {
      isAnnounced ||= screen.includes('get /app/w|\n  ...');
      return screen.includes('worker-b');
    }, 'the answer');
    return lateIf(!isAnnounced, 'not announced');
  });
  await timely(async () => {
    one.type('\x15ls /app/w\t');
    await sleep(400); // keys wait for the answer, but not for ever
    one.type('x');
    await sleep(600);
    return lateIf(!one.text.endsWith('local:/> ls /app/wx|'), one.text);
  });
  one.type('\x15delay 1\r');
  await one.shows('"delay 1"');
  one.type('ls /denied/\t');
  await one.shows('ls /denied/|\n  no permission');
  one.type('\x15ls /huge/\t');
  await one.shows('  121,402 children: type more, Tab again loads');
  one.type('\t');
  await one.shows('/huge/|\n  loaded');
});

test('accept 14: a paste goes in with its tabs and newlines and runs on Enter only', async () => {
  using one = await session();
  one.type('\x1b[200~get /x\t\ty\r\nls /\x1b[201~');
  await one.shows('local:/> get /x         y\n...> ls /|');
  await sleep(50);
  assert.doesNotMatch(one.text, /got/);
  one.type('\r');
  await one.shows('got {"type":"line","text":"get /x\\t\\ty\\nls /"}');
});

test('accept 13: lines from elsewhere go above; text and cursor stay', async () => {
  using one = await session();
  one.type('events 5 300\rset config {"level\x1b[D\x1b[D');
  await one.shows('event 5 changed /app/config\nlocal:/> set config {"lev|el');
  for (let i = 1; i <= 5; i++) assert.equal(one.text.split(`event ${i} `).length, 2);
  one.type('\x15\x0blater\r');
  await one.shows('local:/ (lost)> |');
});

test('accept 13: five thousand lines in a second do not freeze the keys', () =>
  timely(async () => {
    using one = await session();
    one.type('events 5000 1000\r');
    await one.until((screen) => /^event \d/m.test(screen), 'an event'); // the first may be far above by now
    let worst = 0;
    let typed = '';
    for (const char of 'get /app/config') {
      typed += char;
      const start = performance.now();
      one.type(char);
      await one.until(
        (screen) => screen.endsWith(`local:/> ${typed}|`) || screen.includes(`local:/> ${typed}|`),
        typed,
      );
      worst = Math.max(worst, performance.now() - start);
      await sleep(20);
    }
    await one.shows('event 5000 changed /app/config\nlocal:/> get /app/config|');
    const events = one.screen.all().filter((line) => line.startsWith('event '));
    assert.deepEqual(events.length, 5000);
    assert.ok(events.every((line, i) => line === `event ${i + 1} changed /app/config`));
    return lateIf(worst >= 1500, `a key took ${worst} ms`);
  }));

test('accept 18: a resize with the menu open, down to forty columns and back', async () => {
  using one = await session();
  one.type('ls /app/config and more 日本語 ');
  one.type('/many/\t\t');
  await one.shows('> node-000');
  await one.shows('400');
  for (const [columns, rows] of [
    [40, 24],
    [120, 24],
    [40, 12],
    [80, 24],
  ] as const) {
    await sleep(60);
    one.resize(columns, rows);
    const line = 'local:/>ls/app/configandmore日本語/many/node-'; // a blank at a row's end is not seen
    await one.until((screen) => screen.replace(/\s/g, '').includes(`${line}|`), `the line at ${columns}`);
    await one.until((screen) => /> node-000 .*node-001[\s\S]* of 400$/.test(screen), `the menu at ${columns}`);
  }
  one.type('\r\r');
  await one.shows('got {"type":"line","text":"ls /app/config and more 日本語 /many/node-000 "}');
});

test('keys typed ahead are kept, C-c while a command runs is for the command', async () => {
  using one = await session();
  one.type('slow\rget /ahead\rget /typed');
  await one.shows('working');
  one.type('\x03');
  await one.shows('slow was interrupted');
  // what was typed before C-c is gone, as at any terminal
  await one.until((screen) => screen.endsWith('local:/> |'), 'an empty prompt');
  one.type('delay 1\rget /ahead\rget /typed');
  await one.shows('got {"type":"line","text":"get /ahead"}\nlocal:/> get /typed|');
  one.type('\x15noeol\r');
  await one.shows('no newline\nlocal:/> |');
});

test('the terminal is lent to another program and taken back', async () => {
  using one = await session();
  one.type('lend\r');
  await one.shows('\nlent\n|');
  one.type('cooked\x7f\x7f text\r');
  await one.shows('child read cook text\nlocal:/> |');
  one.type('lend\r');
  await one.until((screen) => screen.endsWith('lent\n|'), 'lent again');
  one.type('\x03');
  await one.shows('interrupted while lent');
  await one.until((screen) => screen.endsWith('local:/> |'), 'the prompt');
  one.type('get\x1b[D!');
  await one.shows('local:/> ge!|t');
});

test('the line can be edited in $EDITOR', async () => {
  const script = join(folder, 'editor.sh');
  writeFileSync(script, '#!/bin/sh\nstty -a | grep -q " icanon" && sed -i "s/one/two\\nrows/" "$2"\n', { mode: 0o700 });
  using one = await session({ env: { EDITOR: `${script} -x` } });
  one.type('set one\x18\x05');
  await one.shows('local:/> set two\n...> rows|');
  one.type('!\r');
  await one.shows('got {"type":"line","text":"set two\\nrows!"}');
});

test('the history is found by prefix and by search, and proposed as a ghost', async () => {
  using one = await session({ env: { HISTORY_FILE: join(folder, 'history') } });
  one.type('get /first\rls /second\r addauth x y\raddauth digest bob:secret\r');
  await one.until((screen) => screen.includes('secret"}\n') && screen.endsWith('local:/> |'), 'four lines');
  one.type('ge');
  await one.shows('local:/> ge|t /first');
  one.type('\x1b[C');
  await one.shows('local:/> get /first|');
  one.type('\x15\x12sec');
  await one.shows("search 'sec': ls /|second\n> ls /second");
  one.type('\r');
  await one.shows('local:/> ls /second\ngot {"type":"line","text":"ls /second"}');
  const stored = readFileSync(join(folder, 'history'), 'utf8');
  assert.match(stored, /"text":"addauth digest \*\*\*\*"/);
  assert.doesNotMatch(stored, /secret|addauth x/);
});

const pidOf = (one: Session): number => Number(/pid (\d+)/.exec(one.screen.received)?.[1] ?? assert.fail('no pid'));

test('the terminal is given back by every way out', async () => {
  const ways: readonly (readonly [string, (one: Session) => void, number])[] = [
    ['quit', (one) => one.type('quit\r'), 0],
    ['an exception', (one) => one.type('throw\r'), 1],
    ['SIGTERM', (one) => process.kill(pidOf(one), 'SIGTERM'), 143],
    ['SIGHUP', (one) => process.kill(pidOf(one), 'SIGHUP'), 129],
  ];
  for (const [what, leave, code] of ways) {
    const state = join(folder, 'stty');
    // what is printed right before the end of all processes of a terminal may be lost: this one waits until it was seen
    const given = `stty -g | cmp - ${state} && echo same $code; read -r _`;
    const sh = `stty -g > ${state}; $RUN --pid 2> ${folder}/errors; code=$?; ${given}`;
    using one = await session({ sh });
    one.type('x');
    await one.shows('x|');
    one.type('\x15');
    leave(one);
    await one.shows(`same ${code}`);
    assert.deepEqual([...one.screen.modes], [], what);
  }
});

test('C-z stops the shell with the terminal given back, and fg brings the line back', async () => {
  const sh = 'exec bash --norc --noprofile --noediting -i';
  using one = new Session({ sh, env: { PS1: 'sh$ ' } });
  await one.shows('sh$');
  one.type('$RUN\r');
  await one.shows('local:/> |');
  one.type('get /app\x1b[D\x1a');
  await one.until((screen) => /Stopped.*\nsh\$ \|$/.test(screen), 'the shell above');
  assert.equal(one.screen.modes.has('?2004'), false);
  one.type('stty -a | grep -o " icanon"\r');
  await one.shows('\n icanon');
  one.type('fg\r');
  await one.until((screen) => screen.endsWith('local:/> get /ap|p'), 'the line again');
  one.type('!\r');
  await one.shows('got {"type":"line","text":"get /ap!p"}');
});

test('a plain terminal sees no escape code, and a list instead of a menu', async () => {
  using one = await session({ args: ['--plain'], env: { TERM: 'dumb' } });
  one.type('get /app/w\t');
  await one.shows('worker-a/');
  one.type('\x1b[D\x1b[C');
  await one.until((screen) => screen.endsWith('local:/> get /app/w|'), 'the line again');
  one.type('al\x01\x05\x03');
  await one.shows('"interrupt"');
  one.type('events 3 10\rget');
  await one.shows('event 3 changed /app/config\nlocal:/> get|');
  one.type('\r');
  await one.shows('"get"}');
  assert.doesNotMatch(one.screen.received, /\x1b/);
});

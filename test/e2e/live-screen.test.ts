/** What is shown again and again stays in one place on a terminal. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LiveScreen, type LiveTerminal } from '../../src/cli/live-screen.ts';
import { Session } from '../editor/session.ts';
import { Xterm } from '../editor/xterm.ts';
import { lateIf, timely } from '../patience.ts';
import { BIN, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['4lw.commands.whitelist=*']);
before(() => server.start());
after(() => server[Symbol.asyncDispose]());

const run = (words: string, term = 'xterm-256color'): Session =>
  new Session({
    sh: `TERM=${term}; echo before; exec ${process.execPath} ${BIN} --no-config ${server.hosts} ${words}`,
    env: { ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' },
  });
const count = (text: string, part: string): number => text.split(part).length - 1;

test('top draws its table in one place, and anew when the window has another size', () =>
  timely(async () => {
    using session = run('top -i 300ms -n 6');
    await session.until((screen) => screen.includes('req/s'), 'a table');
    // it is drawn for less than two seconds, for which this process may stand still: then it is not drawn anew
    if (session.exit !== undefined) return 'over before the window had another size';
    session.resize(48, 12);
    const isOne = (screen: string): boolean => !screen.includes('req/s') || count(screen, 'req/s') === 1;
    await session.until((screen) => isOne(screen) || session.exit !== undefined, 'one table');
    assert.equal(await session.ended(), 0);
    const all = session.screen.all().join('\n');
    assert.match(all, /^before/);
    return lateIf(!isOne(session.text) || count(all, server.hosts) !== 1, all);
  }));

test('off a terminal, and on one that cannot move its cursor, tables come one after the other', async () => {
  const ran = await zoosh([server.hosts, 'top', '-i', '100ms', '-n', '3']);
  assert.equal(count(ran.stdout, server.hosts), 3);
  assert.doesNotMatch(ran.stdout, /\x1b/);
  using session = run('top -i 100ms -n 3', 'dumb');
  await session.ended();
  assert.equal(count(session.screen.all().join('\n'), server.hosts), 3);
});

test('a view never scrolls, however tall it is, and leaves nothing of what it was', () => {
  const term = new Xterm(40, 8);
  let resized = (): void => {};
  const terminal: LiveTerminal = {
    get rows() {
      return term.rows;
    },
    write: (text) => term.write(text.replaceAll('\n', '\r\n')),
    on: (_, heard) => {
      resized = heard;
    },
    off: () => {
      resized = () => {};
    },
  };
  const rows = (): string[] => Array.from({ length: term.rows }, (_, row) => term.text(term.top + row));
  term.write('$ top\r\n');
  const live = new LiveScreen(terminal);
  const lines = (n: number) => () => Array.from({ length: n }, (_, at) => `line ${at} of ${n}\n`).join('');
  live.draw(lines(3));
  const top = term.top;
  assert.deepEqual(rows().slice(0, 4), ['line 0 of 3', 'line 1 of 3', 'line 2 of 3', '']);
  assert.equal(term.text(top - 1), '$ top');
  for (let i = 0; i < 20; i++) live.draw(lines(30));
  assert.equal(term.top, top);
  assert.equal(rows()[6], 'line 6 of 30');
  live.draw(lines(1));
  assert.deepEqual(
    rows().filter((row) => row !== ''),
    ['line 0 of 1'],
  );
  live.draw(lines(30));
  term.resize(30, 5);
  resized();
  assert.deepEqual(rows(), ['line 0 of 30', 'line 1 of 30', 'line 2 of 30', 'line 3 of 30', '']);
  live.end();
  resized();
});

test('q ends a view and not the shell around it, Ctrl-C ends it as before, and the terminal is as it was', async () => {
  for (const [key, exit] of [
    ['q', 0],
    ['\x03', 130],
  ] as const) {
    const words = `${process.execPath} ${BIN} --no-config ${server.hosts} top -i 100ms`;
    using session = new Session({
      sh: `stty -a >/dev/null; before=$(stty -g); ${words}; echo "ended $?"; [ "$before" = "$(stty -g)" ] && echo same`,
      env: { ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' },
    });
    // what is typed before the first look is not read as an answer to it
    await session.until((screen) => screen.includes('req/s'), 'a table');
    session.type('xyz');
    session.type(key);
    await session.ended();
    const all = session.screen.all().join('\n').trimEnd();
    assert.match(all, new RegExp(`\\d\nended ${exit}\nsame$`));
    assert.doesNotMatch(all, /xyz|\^C/);
  }
});

test('at a prompt q ends a view, and is a letter anywhere else', async () => {
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} --no-history --no-config ${server.hosts}`,
    env: { ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' },
  });
  await session.until((screen) => screen.includes('connected to'), 'the greeting');
  session.type('top -i 100ms\r');
  await session.until((screen) => screen.includes('req/s'), 'a table');
  session.type('q');
  await session.until((screen) => /:\/> \|$/.test(screen), 'the prompt');
  session.type('sleep 300ms\r');
  session.type('echo q${?}\r');
  await session.until((screen) => /^q0$/m.test(screen), 'what was typed ahead');
  session.type('quit\r');
  assert.equal(await session.ended(), 0);
});

test('a view in the background is drawn, and leaves the terminal alone', async () => {
  const words = `${process.execPath} ${BIN} --no-config ${server.hosts} top -i 100ms -n 3`;
  using session = new Session({
    sh: `exec bash -ic '${words} & wait $!; echo "ended $?"'`,
    env: { ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8', HOME: '/nonexistent' },
  });
  await session.until((screen) => screen.includes('ended') || session.exit !== undefined, 'the end');
  assert.match(session.screen.all().join('\n'), /ended 0/);
});

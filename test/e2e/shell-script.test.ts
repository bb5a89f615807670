import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** A script on standard input of a shell with a server of its own. */
const script = (text: string) => {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', ZOOSH_HOME: '/nonexistent', LC_ALL: 'C.UTF-8' };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['bin/zoosh.js', '--no-config', 'playground'], {
    env,
    input: text,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { stdout, stderr, status };
};
const names = Array.from({ length: 40 }, (_, at) => `/p/n${at}`);

test('a script hears every event, however many there are in a second', () => {
  const { stdout, stderr, status } = script(`create /p\naddWatch /p\nmkdir ${names.join(' ')}\n`);
  assert.deepEqual([stdout, status], [`/p\n${names.join('\n')}\n`, 0]);
  const heard = stderr.split('\n').map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''));
  assert.deepEqual(heard, [...names.map((name) => `created  ${name}`), '']);
});

test('many requests at once: no warning of the runtime on standard error', () => {
  const { stdout, stderr, status } = script(
    `mkdir -p ${names.join(' ')} > /dev/null\nls -R /p | wc -l\nls -l /p | wc -l\ndeleteall /p\n`,
  );
  assert.deepEqual([stdout.replace(/ /g, ''), stderr, status], ['41\n40\n41\n', '', 0]);
});

const run = (words: readonly string[], input: string) => {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', ZOOSH_HOME: '/nonexistent', LC_ALL: 'C.UTF-8' };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['bin/zoosh.js', '--no-config', ...words], {
    env,
    input,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { stdout, stderr, status };
};

test('errors of a script on standard input say which line, as those of a file do', () => {
  // nothing here needs a server
  const echo = run(['-k'], 'echo one\necho "a\nb"\n\nnosuch x\n');
  assert.deepEqual([echo.stdout, echo.status], ['one\na\nb\n', 127]);
  assert.match(echo.stderr, /^stdin:5: error: unknown command nosuch\n/);
  const open = run([], 'echo one\necho "a\n');
  assert.match(open.stderr, /^stdin:2: error: a double quote is not closed\n/);
  assert.equal(open.status, 2);
  const atomic = run(['--atomic'], 'mkdir /a\nls /\n');
  assert.match(atomic.stderr, /^stdin:2: error: ls cannot be part of --atomic\n/);
});

test('a line that ends in \\ goes on with the next, on standard input as in -c', () => {
  for (const end of ['\n', '\r\n']) {
    const text = ['echo one \\', '  two', 'echo three', ''].join(end);
    assert.equal(run([], text).stdout, 'one two\nthree\n');
    assert.equal(run(['-c', text], '').stdout, 'one two\nthree\n');
  }
  for (const text of ['echo one\necho two \\', 'echo one\necho two \\\n']) {
    const { stdout, stderr, status } = run([], text);
    assert.deepEqual([stdout, status], ['one\n', 2]);
    assert.match(stderr, /^stdin:2: error: the last line ends in \\, and no line follows\n/);
  }
});

test('standard input is a script when nothing else is, or when - names it: after -c, in one session, with arguments', () => {
  assert.equal(run([], 'echo in\n').stdout, 'in\n');
  // a command may want it as data: it is not taken away
  assert.equal(run(['-c', 'echo c'], 'echo in\n').stdout, 'c\n');
  assert.equal(run(['-c', 'let x = 1', '-c', 'echo c', '-', 'word'], 'echo ${x} ${1}\n').stdout, 'c\n1 word\n');
  const stopped = run(['-c', 'nosuch', '-'], 'echo in\n');
  assert.deepEqual([stopped.stdout, stopped.status], ['', 127]);
  assert.equal(run(['-', 'word'], '#: continue-on-error\nnosuch\necho ${1}\n').stdout, 'word\n');
});

test('a line that came as a word, a file that cannot be written, an editor without a terminal: what to do is said', () => {
  // the last needs no server either: nobody is asked for what cannot be edited
  const blocks = [
    ['txn {'],
    ['txn', '{'],
    ['multi', '{', 'set', '/a', 'x', '}'],
    ['repeat', '2', 'txn', '{', 'set', '/a', 'x', '}'],
  ];
  for (const words of blocks) {
    const { stderr, status } = run(words, '');
    assert.match(stderr, /\n hint: whole lines stand after -c: zoosh -c 'txn \{ set \/a x; delete \/b \}'\n$/);
    assert.equal(status, words.length === 1 ? 127 : 2);
  }
  const gone = run(['-c', 'echo x > /nonexistent/x'], '');
  assert.equal(
    gone.stderr,
    'error: cannot write /nonexistent/x: there is no folder /nonexistent\n hint: !mkdir -p /nonexistent makes it\n',
  );
  const folder = run(['-c', 'echo x > /tmp'], '');
  assert.equal(folder.stderr, 'error: cannot write /tmp: it is a folder\n hint: name a file in it\n');
  const edit = run(['edit', '/a'], '');
  assert.match(edit.stderr, /^error: edit: there is no terminal for an editor, .*\n hint: set PATH @FILE /);
  assert.deepEqual([gone.status, folder.status, edit.status], [2, 2, 2]);
});

test('two targets are refused whichever way they are said: none is dropped in silence', () => {
  for (const [words, message] of [
    [['-p', 'prod', '-s', '127.0.0.1:1', 'ls', '/'], 'two targets: 127.0.0.1:1 and @prod'],
    [['-s', '127.0.0.1:1', '--profile', '@prod', '-c', 'ls /'], 'two targets: 127.0.0.1:1 and @prod'],
    [['-s', '127.0.0.1:1', '127.0.0.1:2', 'ls', '/'], 'two targets: 127.0.0.1:1 and 127.0.0.1:2'],
    [['-p', 'prod', '@dev'], 'two targets: @prod and @dev'],
  ] as const) {
    const { stderr, status } = run(words, '');
    assert.deepEqual([stderr.split('\n')[0], status], [`error: ${message}`, 2]);
  }
});

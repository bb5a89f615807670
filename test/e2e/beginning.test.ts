/** What is wrong before there is a shell, and what a prompt does before the first line is typed. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

interface Told {
  readonly error: { readonly code: string; readonly exit: number; readonly message: string; readonly command: string };
}

test('with -o json a failure before there is a shell is JSON, too', async () => {
  const table: [words: string[], message: RegExp][] = [
    [['-o', 'json', 'none.zk'], /^cannot read none\.zk: /],
    [['--output=ndjson', '-q', '--set', 'bad', '-c', 'echo x'], /^--set is NAME=VALUE, not bad$/],
    [['-o', 'json', '--bogus', 'ls'], /^unknown option '--bogus'$/],
    [['localhost:1', '-o', 'json', '-c', 'ls', 'more'], /^-c runs its own commands; more is /],
    [['-o', 'json', '@one', '@two', 'ls'], /^two targets: @one and @two$/],
    [['-o', 'json', '--auth', 'digest:bob:secret', 'none.zk'], /^cannot read /],
  ];
  for (const [words, message] of table) {
    const { code, stdout, stderr } = await zoosh(words);
    assert.deepEqual([code, stdout], [2, ''], words.join(' '));
    const { error } = JSON.parse(stderr) as Told;
    assert.match(error.message, message, words.join(' '));
    assert.deepEqual([error.code, error.exit], ['Usage', 2]);
    assert.doesNotMatch(stderr, /secret/);
  }
  const { stderr } = await zoosh(['none.zk'], undefined, { ZOOSH_OUTPUT: 'json' });
  assert.equal((JSON.parse(stderr) as Told).error.exit, 2);
  // -o behind the command is the command's
  assert.match((await zoosh(['none.zk', '-o', 'json'])).stderr, /^error: cannot read none\.zk/);
});

test('the commands at the start: what is wrong with their file keeps nobody from the prompt', async () => {
  const home = mkdtempSync(join(tmpdir(), 'zoosh-rc-'));
  const file = join(home, 'config', 'rc.zk');
  mkdirSync(join(home, 'config'));
  const starts = async (write: () => void, seen: RegExp, words = '', unseen?: RegExp): Promise<void> => {
    rmSync(file, { recursive: true, force: true });
    write();
    using session = new Session({
      columns: 100,
      sh: `exec ${process.execPath} ${BIN} ${words} 127.0.0.1:1`,
      env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
    });
    const isThere = (screen: string): boolean => seen.test(screen) && /:\/[^\n]*> \|/.test(screen);
    await session.until(isThere, `${seen} and a prompt`, PATIENCE_MS);
    session.type('echo still-here\r');
    await session.until((screen) => /\nstill-here/.test(screen), 'still-here', PATIENCE_MS);
    if (unseen !== undefined) assert.doesNotMatch(session.screen.all().join('\n'), unseen);
  };
  try {
    await starts(
      () => writeFileSync(file, 'echo first\nnosuch\necho second\n'),
      /first\n[\s\S]*rc\.zk:2: error: unknown/,
    );
    await starts(() => mkdirSync(file), /error: cannot read \S+rc\.zk: it is a folder/);
    await starts(() => writeFileSync(file, Buffer.from([0xff, 10])), /rc\.zk:1: not UTF-8 text/);
    await starts(() => writeFileSync(file, 'echo first\n'), /not connected/, '--no-config', /first/);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test('a terminal that only prints, a locale without such characters and a screen reader get no boxes and no menu', async () => {
  await using server = await new ServerProcess().start();
  const home = mkdtempSync(join(tmpdir(), 'zoosh-boxes-'));
  // the pseudo terminal has its own opinion about TERM
  const opened = (setting: string): Session =>
    new Session({
      columns: 100,
      sh: `exec env ${setting} ${process.execPath} ${BIN} ${server.hosts}`,
      env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
    });
  const boxes = /[─│├└┌┬]/;
  const sees = (session: Session, seen: RegExp): Promise<void> =>
    session.until((screen) => seen.test(screen), String(seen), PATIENCE_MS);
  try {
    for (const setting of ['TERM=dumb', 'LC_ALL=C', 'ZOOSH_ASCII=1']) {
      using session = opened(setting);
      session.type('tree /zookeeper\r');
      await sees(session, /[`└]─? ?-? quota/);
      // the classic list, and the line again below it
      session.type('get /zookeeper/\t');
      await sees(session, /get \/zookeeper\/\|/);
      session.type('\t');
      await sees(session, /config +quota\/?\s+\S+> get \/zookeeper\/\|/);
      assert.doesNotMatch(session.screen.all().join('\n'), boxes, setting);
    }
    using session = opened('');
    session.type('tree /zookeeper\r');
    await sees(session, /└─ quota/);
    session.type('settings plain on\r');
    await sees(session, /plain is on/);
    session.type('tree /zookeeper\r');
    await sees(session, /`- quota/);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

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
    timeout: 30_000,
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

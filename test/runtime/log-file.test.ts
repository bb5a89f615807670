import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeLogger } from '../../src/runtime/log.ts';
import { LogFile } from '../../src/runtime/log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let nr = 0;
const place = (): string => join(folder, String(nr++), 'server.log');
const never = (sentence: string): never => assert.fail(sentence);
const read = (path: string): string => readFileSync(path, 'utf8');

test('a full file makes way, and no more are kept than asked for', () => {
  const path = place();
  const log = new LogFile({ path, maxBytes: 20, maxFiles: 3 }, never);
  for (let line = 1; line <= 9; line++) log.write(`line number ${line}\n`);
  log.close();
  assert.deepEqual(readdirSync(join(path, '..')).sort(), ['server.log', 'server.log.1', 'server.log.2']);
  assert.deepEqual([path, `${path}.1`, `${path}.2`].map(read), [
    'line number 9\n',
    'line number 8\n',
    'line number 7\n',
  ]);
  assert.equal(statSync(path).mode & 0o007, 0);
});

test('it goes on at the end of a file that is there, and a long line is whole in one file', () => {
  const path = place();
  const first = new LogFile({ path, maxBytes: 30, maxFiles: 2 }, never);
  first.write('twenty characters..\n');
  first.close();
  const log = new LogFile({ path, maxBytes: 30, maxFiles: 2 }, never);
  log.write('short\n');
  assert.equal(read(path), 'twenty characters..\nshort\n');
  log.write(`${'x'.repeat(100)}\n`);
  assert.equal(read(path), `${'x'.repeat(100)}\n`);
  assert.equal(read(`${path}.1`), 'twenty characters..\nshort\n');
  log.close();
  const single = new LogFile({ path, maxBytes: 30, maxFiles: 1 }, never);
  single.write('anew\n');
  assert.equal(read(path), 'anew\n');
  single.close();
});

test('opened again it leaves the file that was moved away to its mover', () => {
  const path = place();
  const log = new LogFile({ path, maxBytes: 1000, maxFiles: 2 }, never);
  log.write('before\n');
  renameSync(path, `${path}-moved`);
  log.write('meanwhile\n');
  log.reopen();
  log.write('after\n');
  log.close();
  assert.equal(read(`${path}-moved`), 'before\nmeanwhile\n');
  assert.equal(read(path), 'after\n');
});

test('a place that takes nothing stops nobody, is told once, and what was lost is counted', () => {
  const path = place();
  const told: string[] = [];
  const log = new LogFile({ path, maxBytes: 1000, maxFiles: 2 }, (sentence) => told.push(sentence));
  log.write('one\n');
  const away = join(path, '..');
  renameSync(away, `${away}-away`);
  writeBlock(away);
  log.reopen();
  log.write('two\n');
  log.write('three\n');
  assert.equal(told.length, 2); // of the reopening, and of the lines
  rmSync(away);
  renameSync(`${away}-away`, away);
  log.write('four\n');
  assert.equal(read(path), 'one\n2 lines could not be written here\nfour\n');
  log.close();
});

/** A file where a folder should be: also root can make nothing below it. */
function writeBlock(path: string): void {
  const log = new LogFile({ path, maxBytes: 10, maxFiles: 1 }, never);
  log.close();
}

test('text and ndjson go into a file, and the level changes while it runs', () => {
  for (const format of ['text', 'ndjson'] as const) {
    const path = place();
    const file = new LogFile({ path, maxBytes: 10_000, maxFiles: 2 }, never);
    const logger = makeLogger('info', format, file);
    logger.debug('not yet');
    logger.level = 'debug';
    logger.debug({ zxid: '0x1' }, 'now');
    logger.level = 'error';
    logger.warn('not any more');
    file.close();
    const [line = '', ...more] = read(path).trimEnd().split('\n');
    assert.deepEqual(more, []);
    if (format === 'text') assert.match(line, /^\d{4}-\S+Z debug now zxid="0x1"$/);
    else assert.deepEqual({ ...JSON.parse(line), time: 0 }, { level: 20, time: 0, zxid: '0x1', msg: 'now' });
  }
});

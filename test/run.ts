/**
 * Runs every compiled test file and fails when any failed, was skipped, or none ran. `--long`: those that do a part of what they
 * can do otherwise, with all of it. Words: only files whose names have one of them.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const long = process.argv.includes('--long');
const wanted = process.argv.slice(2).filter((word) => word !== '--long');
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js') && !name.startsWith('interop'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(here, name))
  .filter((file) => !long || readFileSync(file, 'utf8').includes('/amount.js'));
// those that wait for processes and timers, and those that do not, in turns
const waiting = files.filter((file) => /[\\/](e2e|ensemble|recipes|zkcli|client)[\\/]/.test(file));
const busy = files.filter((file) => !waiting.includes(file));
const mixed = Array.from({ length: files.length }, (_, i) => [waiting[i], busy[i]])
  .flat()
  .filter((file) => file !== undefined);
if (files.length === 0) {
  console.error(`no test file matches ${process.argv.slice(2).join(' ')}`);
  process.exit(1);
}
// three files at a time: two cores are what CI has, and many of them wait for processes and timers
const child = spawn(
  process.execPath,
  ['--test', `--test-concurrency=${long ? 2 : 3}`, '--test-reporter=spec', ...mixed],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FORCE_COLOR: '0', ...(long ? { ZOOSH_TEST: 'long' } : {}) },
  },
);
let text = '';
child.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk);
  text += chunk.toString();
});
child.on('close', (code) => {
  const figure = (name: string): number => Number(new RegExp(`^ℹ ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? -1);
  const [tests, fail, skipped, todo, cancelled] = ['tests', 'fail', 'skipped', 'todo', 'cancelled'].map(figure);
  console.log(`tests run: ${tests} in ${files.length} files, failed ${fail}, skipped ${skipped}`);
  const good = code === 0 && (tests ?? 0) > 0 && fail === 0 && skipped === 0 && todo === 0 && cancelled === 0;
  process.exit(good ? 0 : 1);
});

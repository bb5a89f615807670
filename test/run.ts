/** Runs every compiled test file and fails when any failed, was skipped, or none ran. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js') && !name.startsWith('interop'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(here, name));
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`);
  process.exit(1);
}
// two files at a time: most of them wait for processes and timers, and two cores are what CI has
const child = spawn(process.execPath, ['--test', '--test-concurrency=2', '--test-reporter=spec', ...files], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, FORCE_COLOR: '0' },
});
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

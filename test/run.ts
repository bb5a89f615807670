/**
 * Runs every compiled test file, each in a process of its own, and fails when any failed, was skipped, or none ran. `--long`:
 * those that do a part of what they can do otherwise, with all of it. `--times`: writes down how long each took, by which the
 * next run begins with the longest; for a machine that does nothing else. Words: only files whose names have one of them.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const TIMES = fileURLToPath(new URL('../../test/times.json', import.meta.url));
const [long, writesTimes] = ['--long', '--times'].map((word) => process.argv.includes(word));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
/** Two cores are what CI has: so many files at a time that need them, and beside these some that mostly wait. */
const BUSY = 2;
const ALL = long ? 4 : 5;
/** Those that wait for processes and timers. */
const WAITING = /[\\/](e2e|ensemble|recipes|zkcli|client|documents)[\\/]|peer-ports|[\\/]pty\./;
/** Shown at the end: so many files, and so much of what one that failed said. */
const SLOWEST = 25;
const TOLD = 4000;
/** A file that is not done by then is ended, and has failed: what a failed test left running may go on for ever. */
const MOST_SECONDS = long ? 3600 : 900;

const times: Record<string, number> = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, 'utf8')) : {};
/** Of which nobody has measured how long they take, these take long: they wait for sessions to end and for members to start. */
const LONG =
  /recipes|zkcli|storm|held|slow-learner|bulk|members|operations|kill|peer-|lock|ensemble|accept-|documents|sim[\\/]|crash/;
const secondsOf = (name: string): number => times[name] ?? (LONG.test(name) ? 30 : 5);
const names = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js') && !name.startsWith('interop'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .filter((name) => !long || readFileSync(join(here, name), 'utf8').includes('/amount.js'))
  .sort()
  .sort((a, b) => (secondsOf(a) === secondsOf(b) ? 0 : secondsOf(b) - secondsOf(a)));
if (names.length === 0) {
  console.error(`no test file matches ${process.argv.slice(2).join(' ')}`);
  process.exit(1);
}

/** What commands are run from, as by somebody who has run them before. */
const code = mkdtempSync(join(tmpdir(), 'zoosh-code-'));
process.on('exit', () => rmSync(code, { recursive: true, force: true }));

interface Result {
  readonly name: string;
  readonly seconds: number;
  readonly counts: Readonly<Record<(typeof COUNTS)[number], number>>;
  readonly good: boolean;
  readonly shown: string;
}
const COUNTS = ['tests', 'fail', 'skipped', 'todo', 'cancelled'] as const;

function run(name: string): Promise<Result> {
  const began = performance.now();
  const child = spawn(process.execPath, ['--test-reporter=spec', join(here, name)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ZOOSH_CODE_CACHE: code, FORCE_COLOR: '0', ...(long ? { ZOOSH_TEST: 'long' } : {}) },
  });
  // what came on both, and what is read: a piece may end within a character, and the other stream within a line
  let [text, report] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    report += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const late = setTimeout(() => {
    text += `not done in ${MOST_SECONDS} s: ended\n`;
    child.kill('SIGKILL');
    child.stdout.destroy(); // its own processes may hold them
    child.stderr.destroy();
  }, MOST_SECONDS * 1000);
  return new Promise((resolve) =>
    child.on('close', (code) => {
      clearTimeout(late);
      const seconds = (performance.now() - began) / 1000;
      const figure = (what: string): number => Number(new RegExp(`^ℹ ${what} (\\d+)$`, 'm').exec(report)?.[1] ?? -1);
      const counts = Object.fromEntries(COUNTS.map((what) => [what, figure(what)])) as Result['counts'];
      const { tests, fail, skipped, todo, cancelled } = counts;
      const good = code === 0 && tests > 0 && fail === 0 && skipped === 0 && todo === 0 && cancelled === 0;
      // of what went well its own words are enough
      const shown = good
        ? text.replace(/^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*\n/gm, '')
        : text;
      console.log(`== ${name}: ${seconds.toFixed(1)} s\n${shown.trimEnd()}`);
      resolve({ name, seconds, counts, good, shown });
    }),
  );
}

const left = { busy: names.filter((name) => !WAITING.test(join(here, name))), waiting: [] as string[] };
left.waiting = names.filter((name) => !left.busy.includes(name));
const running = { busy: 0, waiting: 0 };
const results: Result[] = [];
const began = performance.now();

/** One of `ALL` places: takes the next file as long as there is one. */
async function place(): Promise<void> {
  for (;;) {
    const kind = left.waiting.length === 0 || (running.busy < BUSY && left.busy.length > 0) ? 'busy' : 'waiting';
    const name = left[kind].shift();
    if (name === undefined) return;
    running[kind]++;
    results.push(await run(name));
    running[kind]--;
  }
}
await Promise.all(Array.from({ length: ALL }, place));

const sum = (what: (typeof COUNTS)[number]): number =>
  results.reduce((all, { counts }) => all + Math.max(0, counts[what]), 0);
const bad = results.filter(({ good }) => !good);
const slowest = results.toSorted((a, b) => b.seconds - a.seconds);
console.log(
  `the slowest: ${slowest
    .slice(0, SLOWEST)
    .map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`)
    .join(', ')}`,
);
// once more where it is looked for
for (const { name, shown } of bad) console.log(`✖ ${name}\n${shown.trimEnd().slice(-TOLD)}`);
for (const what of COUNTS) console.log(`ℹ ${what} ${sum(what)}`);
console.log(
  `tests run: ${sum('tests')} in ${names.length} files, failed ${sum('fail')} in ${bad.length}, skipped ${sum('skipped')}; ${((performance.now() - began) / 1000).toFixed(0)} s`,
);
if (writesTimes)
  writeFileSync(
    TIMES,
    `${JSON.stringify(Object.fromEntries(slowest.map(({ name, seconds }) => [name, Math.round(seconds * 10) / 10])), null, 2)}\n`,
  );
process.exit(bad.length === 0 ? 0 : 1);

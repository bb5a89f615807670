/**
 * `node dist/test/bench/big-trees.js [NODES [COMMAND...]]`: what the commands for many nodes take over NODES (1,000,000) in two shapes, a
 * square (1,000 nodes of 1,000 children each) and one folder of them all: seconds, nodes a second, the most resident memory
 * of the shell, and ms from SIGINT to its end while it works, on pipes and on a terminal; then Tab, a server that is gone,
 * and kazoo with a tenth as many. COMMAND: only these, or `square` or `wide` alone. Exits 1 when a bound is not kept. All of it runs for half an hour or more.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerProcess } from '../e2e/process.ts';
import { type Shape, writeTree } from './tree-file.ts';
import { type Watched, type WatchOptions, watch } from './watched.ts';

const NODES = Number(process.argv[2] ?? 1_000_000);
const SHAPES: readonly Shape[] = ['square', 'wide'];
const said = process.argv.slice(3);
const only = said.filter((word) => !SHAPES.some((shape) => shape === word));
const shapes = SHAPES.filter((shape) => only.length === said.length || said.includes(shape));
const MOST_MB = 300;
const MOST_STOP_MS = 200;
const LEAST_RATE = 20_000;
const MOST_TAB_MS = 300;
/** Into the work, ms: the session stands, and none of the commands is through. */
const INTERRUPT_MS = Math.min(1500, Math.max(400, NODES / 50));

const folder = mkdtempSync(join(tmpdir(), 'zoosh-big-'));
const home = join(folder, 'home');
await using server = await new ServerProcess().start();
const env = { ZOOSH_HOME: home, PAGER: 'cat' };
const broken: string[] = [];

interface Case {
  readonly words: readonly string[];
  /** Nodes a second, at least. */
  readonly least?: number;
  /** Makes things as they were before the command, and after the interrupted one. */
  readonly again?: readonly string[];
  readonly exit?: number;
}

const run = (words: readonly string[], options: WatchOptions = {}): Promise<Watched> =>
  watch(['-y', server.hosts, ...words], { env, ...options });
const verdict = (name: string, isKept: boolean): string => {
  if (!isKept) broken.push(name);
  return isKept ? '' : '  <-- not kept';
};

async function measure({ words, least, again, exit = 0 }: Case, nodes: number): Promise<void> {
  if (only.length > 0 && !only.includes(words[0] as string)) return;
  const name = words.map((word) => word.replace(`${folder}/`, '')).join(' ');
  const cut = await run(words, { interruptAfterMs: INTERRUPT_MS });
  if (again !== undefined) await run(again);
  const shown = await run(words, { interruptAfterMs: INTERRUPT_MS, onTerminal: true });
  if (again !== undefined) await run(again);
  const whole = await run(words);
  if (whole.code !== exit) throw new Error(`${name} ended with ${whole.code}: ${whole.stderr}`);
  const rate = Math.round(nodes / whole.seconds);
  const ms = (each: Watched): string => (each.code === 130 ? `${Math.round(each.stopMs ?? 0)}` : 'over');
  const stops = [cut, shown].map(({ code, stopMs = 0 }) => (code === 130 ? stopMs : 0));
  const peak = Math.max(whole.peakMb, cut.peakMb, shown.peakMb);
  const good = peak <= MOST_MB && Math.max(...stops) <= MOST_STOP_MS && rate >= (least ?? 0);
  const progress = /([\d,]+(?:\/[\d,]+)? nodes {2}[^\r\x1b]*)/.exec(shown.screen)?.[1]?.trim() ?? '-';
  console.log(
    `${name.padEnd(44)} ${whole.seconds.toFixed(1).padStart(6)} s ${String(rate).padStart(8)} /s ${String(Math.round(peak)).padStart(5)} MB   ` +
      `C-c ${ms(cut).padStart(4)}, terminal ${ms(shown).padStart(4)} ms   ${progress}${verdict(name, good)}`,
  );
}

/** Commands over one shape, the import first and the deletion last. */
async function over(shape: Shape): Promise<void> {
  const file = join(folder, `${shape}.ndjson`);
  const root = `/${shape}`;
  const nodes = writeTree(file, shape, NODES);
  console.log(`-- ${shape}: ${nodes} nodes, ${Math.round(statSync(file).size / 1e6)} MB of lines`);
  await measure({ words: ['import', file], least: LEAST_RATE, again: ['deleteall', root] }, nodes);
  if (only.length > 0 && !only.includes('import')) await run(['import', file]);
  const out = join(folder, 'out');
  const reads: Case[] = [
    { words: ['export', root, out], least: LEAST_RATE },
    { words: ['export', '--format', 'archive', '--gzip', root, out], least: 0 },
    { words: ['find', root, '-name', 'n*9'] },
    { words: ['find', root, '-count', '-size', '+1'] },
    { words: ['ls', '-R', root] },
    { words: ['ls', '-R', '-l', root] },
    { words: ['ls', root] },
    { words: ['ls', '-l', root] },
    { words: ['ls', '-t', '-1', root] },
    { words: ['ls', '-R', '-r', root] },
    { words: ['-c', `export ${root} | wc -c`] },
    { words: ['tree', root, '--limit', '2000000'] },
    { words: ['count', '-R', root] },
    { words: ['du', root] },
    { words: ['grep', '-c', '0123', root] },
    { words: ['getAcl', '-R', root] },
  ];
  for (const each of reads) await measure(each, nodes);
  const copy = `/${shape}-copy`;
  await measure({ words: ['cp', '-r', root, copy], again: ['deleteall', copy] }, nodes);
  await measure({ words: ['diff', '-r', root, copy] }, nodes);
  if (only.length > 0 && !only.includes('cp') && only.includes('find')) await run(['cp', '-r', root, copy]);
  const restored = ['cp', '-r', '-f', root, copy];
  await measure({ words: ['find', copy, '-name', 'n*', '-delete'], again: restored }, nodes);
  await run(['deleteall', copy]);
  await measure({ words: ['deleteall', root], again: ['import', file, '--on-conflict', 'skip'] }, nodes);
  await run(['deleteall', root]);
}

/** Tab in the operating system's shell, with nothing kept from an earlier one. */
async function tab(): Promise<void> {
  const took: number[] = [];
  for (let round = 0; round < 7; round++) {
    rmSync(join(home, 'cache'), { recursive: true, force: true });
    const { seconds } = await watch(['__complete', '--shell', 'bash', '--', `zoosh ${server.hosts} ls /wide/`], {
      env,
    });
    took.push(seconds * 1000);
  }
  const median = took.sort((a, b) => a - b)[3] as number;
  console.log(`Tab in /wide: ${Math.round(median)} ms, a process of its own${verdict('Tab', median <= MOST_TAB_MS)}`);
}

/** A server that stands still, and one that is gone: Ctrl-C comes while the shell waits for it. */
async function without(signal: 'SIGSTOP' | 'SIGKILL'): Promise<void> {
  const cut = await run(['find', '/wide', '-name', 'x'], {
    interruptAfterMs: INTERRUPT_MS,
    before: async () => {
      server.signal(signal);
      await sleep(300);
    },
  });
  const stop = cut.stopMs ?? 0;
  const name = `Ctrl-C after the server's ${signal}`;
  console.log(`${name}: ${Math.round(stop)} ms${verdict(name, stop <= MOST_STOP_MS)}`);
  server.signal('SIGCONT');
}

/** The same work by kazoo. */
function kazoo(nodes: number): void {
  const script = join(import.meta.dirname, '../../../test/bench/kazoo_bulk.py');
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', [script, server.hosts, String(nodes)], {
    encoding: 'utf8',
  });
  console.log(status === 0 ? stdout.trimEnd() : `kazoo: ${stderr}`);
}

console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}`);
try {
  for (const shape of shapes) await over(shape);
  kazoo(Math.round(NODES / 10));
  writeTree(join(folder, 'wide.ndjson'), 'wide', NODES);
  await run(['import', join(folder, 'wide.ndjson')]);
  await tab();
  await without('SIGSTOP');
  await without('SIGKILL');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (broken.length > 0) console.log(`not kept: ${broken.join('; ')}`);
process.exitCode = broken.length > 0 ? 1 : 0;

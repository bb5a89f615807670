/**
 * Tests the tests: each planted bug is put into a copy of what was compiled, and random seeds alone must find it.
 * `node dist/test/sim/planted.js [id ...] [--seeds 50] [--from 1]`; with --hist the named histories look for it instead, and
 * those that find it are told.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PLANTED, type Planted } from './planted/patches.ts';

const DIST = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    check: { type: 'boolean', default: false },
    hist: { type: 'boolean', default: false },
  },
});

/** The text with the bug in it. @throws when the place is not there, or there twice */
function patched({ id, file, find, put }: Planted): string {
  const text = readFileSync(join(DIST, 'src', file), 'utf8');
  // layout does not count
  const pattern = new RegExp(
    find
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
    'g',
  );
  const found = text.match(pattern)?.length ?? 0;
  if (found !== 1) throw new Error(`${id}: its place stands ${found} times in ${file}`);
  return text.replace(pattern, () => put);
}

/** Runs seeds over the copy until one finds something. */
function look(copy: string, bug: Planted): Promise<{ found: boolean; text: string }> {
  const script = values.hist ? 'test/sim/hist.js' : 'test/sim/main.js';
  const args = values.hist
    ? ['--seeds', '1', '--from', values.from]
    : ['--seeds', values.seeds, '--from', values.from, ...(bug.with ?? ['--voters', '3'])];
  const child = spawn(process.execPath, [join(copy, script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ found: code !== 0, text })));
}

const wanted = PLANTED.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
for (const bug of wanted) patched(bug);
if (values.check) {
  console.log(`${wanted.length} places found`);
  process.exit(0);
}
const copy = mkdtempSync(join(tmpdir(), 'zoosh-planted-'));
let missed = 0;
try {
  cpSync(DIST, join(copy, 'dist'), { recursive: true });
  symlinkSync(join(DIST, '../node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'package.json'), readFileSync(join(DIST, '../package.json')));
  for (const bug of wanted) {
    const target = join(copy, 'dist/src', bug.file);
    const kept = readFileSync(target, 'utf8');
    writeFileSync(target, patched(bug));
    const began = performance.now();
    const { found, text } = await look(join(copy, 'dist'), bug);
    writeFileSync(target, kept);
    const seeds = text.match(/^seed /gm)?.length ?? 0;
    const line = /^ {2}(.{0,140})/m.exec(text)?.[1] ?? text.trim().split('\n').at(-1);
    if (!found) missed++;
    const tales = new Set([...text.matchAll(/^hist\/(\S+) .*VIOLATED/gm)].map(([, id]) => id));
    if (values.hist) {
      console.log(`${bug.id.padEnd(28)} ${[...tales].join(' ') || 'is found by no history'}`);
      continue;
    }
    console.log(
      `${found ? 'found ' : 'MISSED'} ${bug.id.padEnd(28)} after ${String(seeds).padStart(2)} seeds, ${Math.round((performance.now() - began) / 1000)} s: ${found ? line : bug.about}`,
    );
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${wanted.length - missed} of ${wanted.length} found`);
process.exit(missed === 0 ? 0 : 1);

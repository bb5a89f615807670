import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registry } from '../../src/commands/index.ts';
import { complete } from '../../src/shell/complete.ts';
import { PathSource } from '../../src/shell/path-source.ts';
import { amount } from '../amount.ts';
import { rig } from './rig.ts';

const COUNT = amount(100_000, 10_000);
const SEED = Number(process.env.ZOOSH_SEED ?? 20261127);

/** mulberry32: the same lines for the same seed. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const PIECES = [
  ...registry.all.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
  ..."/ /a /a/b ../.. . * ** [a [z-a] {a,b} {\"x\": 1} {\"x [1, 2 -s -w -R -v -1 --limit --limit=3 -- -zz @file @@x @ ' \" $' $'\\x41 ${_} ${nope} ${ <<END <<'END' <<+E # ; && || | > >> \\ \\; \\# !ls world:anyone:r auth::cdrwa x:y ".split(
    ' ',
  ),
  '\n',
  'END\n',
  '\t',
  '\u0000',
  '\u001b[2J',
  '\ud83d',
  'é'.repeat(40),
  '-'.repeat(500),
];

test(`${COUNT} hostile lines: each is read or refused, at once`, async () => {
  const random = randomOf(SEED);
  const told = new Map<string, number>();
  const perCommand = new Map<string, number>();
  let structured = 0;
  let bound = 0;
  let slowest = 0;
  let slowestLine = '';
  const { shell, told: failures, shown, os } = rig();
  const paths = new PathSource(
    () => undefined,
    () => 0,
  );
  const none = (): [] => [];
  const ports = {
    registry,
    cwd: '/',
    paths,
    settings: none,
    settingValues: none,
    profiles: none,
    hosts: none,
    topics: none,
    watched: none,
    files: none,
    variables: none,
    ensembleWords: none,
  };
  for (let i = 0; i < COUNT; i++) {
    let line = '';
    if (random(10) < 8) {
      structured++;
      const name = PIECES[random(registry.all.length)] as string;
      line = random(10) < 8 ? name : '';
      for (let n = random(7); n > 0; n--) line += (random(8) > 0 ? ' ' : '') + PIECES[random(PIECES.length)];
    } else for (let n = random(80); n > 0; n--) line += String.fromCharCode(random(random(3) === 0 ? 0x10000 : 0x80));
    const name = registry.find(line.trim().split(/\s/)[0] ?? '')?.name;
    const before = performance.now();
    failures.length = 0;
    shown.length = 0;
    os.length = 0;
    shell.leaving = undefined;
    const status = await shell.run(line);
    const failure = failures[0]?.failure;
    if (i % 4 === 0) await complete(line, random(line.length + 1), random(2) === 0, ports);
    let took = performance.now() - before;
    // another process may have had the processor: what is slow by itself is slow every time
    for (let again = 0; took > 50 && again < 20; again++) {
      const start = performance.now();
      await shell.run(line);
      took = Math.min(took, performance.now() - start);
    }
    if (took > slowest) [slowest, slowestLine] = [took, line];
    assert.ok(Number.isInteger(status), JSON.stringify(line));
    // 70 is the session that this shell does not have: the line was read, bound and sent on
    const none = 'no session in this test';
    const isSent =
      failure?.exit === 70 &&
      (failure.message.includes(none) || String((failure.cause as Error)?.message).includes(none));
    assert.ok(
      failure?.exit !== 70 || isSent,
      `${JSON.stringify(line)}: ${failure?.message}\n${(failure?.cause as Error)?.stack}`,
    );
    if (isSent || failure === undefined) bound++;
    if (name !== undefined) perCommand.set(name, (perCommand.get(name) ?? 0) + 1);
    const kind = isSent ? 'sent on' : failure === undefined ? 'done' : `${failure.exit} ${failure.code}`;
    told.set(kind, (told.get(kind) ?? 0) + 1);
  }
  const show = (counts: Map<string, number>): string =>
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([what, n]) => `${what} ${n}`)
      .join(', ');
  const bindable = [...perCommand.values()].reduce((sum, n) => sum + n, 0);
  console.log(
    `seed ${SEED}: ${COUNT} lines, ${structured} structured, ${bindable} began with a command, ${bound} reached a command; slowest ${slowest.toFixed(1)} ms`,
  );
  console.log(`  ${show(told)}`);
  console.log(`  ${show(perCommand)}`);
  assert.ok(structured > COUNT / 2 && bindable > structured / 2);
  assert.ok(bound > COUNT / 20, 'too few lines reach a command to prove anything');
  assert.equal(perCommand.size, registry.all.length, 'a command was never tried');
  assert.ok(slowest < 100, `${slowest} ms: ${JSON.stringify(slowestLine)}`);
});

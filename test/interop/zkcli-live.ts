/** The same 300 lines for Debian's zkCli.sh and for zoosh as zkCli, on one server: every answer alike but for those listed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { normalise } from '../zkcli/captures.ts';
import { split } from './zkcli-rig.ts';

const SERVER = process.env.ZOOKEEPER ?? '';
const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));

/** Lines of one side that may differ; each is said once. */
const ALLOWED: readonly { readonly line: RegExp; readonly why: string }[] = [
  { line: /^Created \/live-odd$/, why: 'an unknown letter of an ACL is an error here' },
  { line: /^odd data$/, why: 'so that node is not there' },
  { line: /^Node does not exist: \/live-odd$/, why: 'the same' },
  {
    line: /^\[(?:\/live\/e\d, )+\/live\/e\d\]$/,
    why: 'zkCli lists ephemerals in the order of a table, here they are sorted',
  },
];

function script(): string[] {
  const lines: string[] = ['create /live root', 'get /live', 'stat /live'];
  const data = [
    'plain',
    '"two words"',
    "'single quotes'",
    '{"k":"v"}',
    '\'{"k": "v w"}\'',
    '""',
    "''",
    'a"b',
    "it's",
    'a\\ b',
    '"tab\\tx"',
    'grün',
    '"unterminated',
  ];
  for (const [at, value] of data.entries())
    lines.push(
      `create /live/d${at} ${value}`,
      `get /live/d${at}`,
      `set /live/d${at} ${value}`,
      `get -s /live/d${at}`,
      `ls /live/d${at}`,
      `delete /live/d${at}`,
    );
  for (let at = 0; at < 8; at++)
    lines.push(
      `create -s /live/s- ${at}`,
      `create -e /live/e${at} x`,
      `create -c /live/c${at}`,
      `create /live/c${at}/in y`,
    );
  lines.push(
    'ls /live',
    'ls -s /live',
    'ls -R /live',
    'getEphemerals',
    'getEphemerals /live/e1',
    'getAllChildrenNumber /live',
  );
  for (const words of ['', ' rel', ' /live/', ' /a//b', ' /a/./b', ' /missing', ' -z /live', ' /live true'])
    for (const command of ['ls', 'get', 'stat', 'getAcl', 'sync']) lines.push(`${command}${words}`);
  for (const words of ['', ' /live/v', ' /live/v x y z', ' -v 7 /live x', ' -s /live again', ' /live now -s', ' rel x'])
    lines.push(`set${words}`);
  for (const words of ['', ' /live', ' /live/e0 0', ' -v 9 /live/e1', ' -v 0 /live/e1', ' /', ' rel', ' /zookeeper'])
    lines.push(`delete${words}`);
  for (const words of [
    '-t 0 /live/t',
    '-t x /live/t',
    '-t 5000 -e /live/t',
    '-c -e /live/t',
    '-e -s /live/t',
    '/live/t d garbage',
    '/live/t d world:nobody:r',
    '/live/t d auth::r',
    '/live-odd "odd data" world:anyone:rwq',
    '/live/a d world:anyone:r',
    '-z /live/t',
    '/live/n -5',
    '/live/n -- -5',
    '-s /live/ d',
    '/none/x d',
    '/live d',
  ])
    lines.push(`create ${words}`);
  lines.push(
    'get /live-odd',
    'delete /live-odd',
    'getAcl /live/a',
    'setAcl /live/a',
    'setAcl /live/a bad',
    'setAcl /live/a ip:127.0.0.1:cdrwa,world:anyone:cdrwa',
    'getAcl -s /live/a',
    'setAcl -v 9 /live/a world:anyone:r',
    'setAcl -R /live/c1 world:anyone:cdrwa',
    'getAcl /live/c1/in',
  );
  lines.push('addauth', 'addauth digest bob:secret', 'whoami', 'create /live/auth x auth::cdrwa', 'getAcl /live/auth');
  for (const words of [
    '',
    '-n /live',
    '-n 50 /live',
    '-b 1000 /live',
    '-N 60 /live',
    '-B 100000 /live',
    '-n 0 /live',
    '-n x /live',
    '-b -5 /live',
    '-n 3 -b 9 /live',
    '-n 5 /missing',
    '-n 5 /live/c1',
    '-n 5 /zookeeper/quota',
    '-n 1 /live',
  ])
    lines.push(`setquota ${words}`.trimEnd(), 'listquota /live');
  lines.push(
    'delquota',
    'delquota -n /live',
    'listquota /live',
    'delquota -n -b /live',
    'delquota /live',
    'delquota /live',
    'listquota /live',
  );
  lines.push(
    'get -w /live',
    'set /live w1',
    'ls -w /live',
    'create /live/w x',
    'stat -w /live/w',
    'set /live/w y',
    'addWatch /live',
    'create /live/p x',
    'set /live/p y',
    'delete /live/p',
    'removewatches /live -a',
    'removewatches /live',
    'addWatch -m bad /live',
    'addWatch /live x',
    'printwatches',
    'printwatches off',
    'printwatches',
    'printwatches on',
  );
  lines.push(
    'history',
    'redo 0',
    'redo 999',
    'redo -1',
    '#comment',
    'nosuch /x',
    'ls / ; ls /live',
    '   ls   /live/c1   ',
    'version x',
    'config',
    'config -c',
    'reconfig',
    'reconfig -remove 5 -members x',
    'reconfig -v zz -remove 5',
    'reconfig -file nosuch',
    'deleteall',
    'deleteall -b x /live',
    'deleteall /missing',
  );
  while (lines.length < 296) lines.push(`create /live/f${lines.length} ${lines.length}`);
  lines.push('deleteall -b 7 /live', 'ls /live', 'close', 'ls /');
  return lines;
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

const run = (program: string, args: readonly string[], input: string): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ZOOSH_HOME: '/nonexistent' } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${program} did not end`));
    }, 300_000);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ stdout, stderr, exit: code ?? 1 });
    });
    child.stdin.end(input);
  });

test('an event in the midst of a line, or of another print, leaves the line whole', () => {
  const text = 'a\n[1, \nWATCHER::\n2, \nWatchedEvent x\n3]\n\nWATCHER::\n\nWatchedEvent y\nb\n';
  assert.deepEqual(split(text), { lines: ['a', '[1, 2, 3]', 'b'], events: ['WatchedEvent x', 'WatchedEvent y'] });
});

/** Lines that are on one side only, in order. */
function differences(ours: readonly string[], theirs: readonly string[]): string[] {
  const out: string[] = [];
  let [a, b] = [0, 0];
  while (a < ours.length || b < theirs.length) {
    if (ours[a] === theirs[b]) {
      a++;
      b++;
      continue;
    }
    const skipOurs = ours.indexOf(theirs[b] as string, a);
    const skipTheirs = theirs.indexOf(ours[a] as string, b);
    const takesOurs = b >= theirs.length || (skipOurs >= 0 && (skipTheirs < 0 || skipOurs - a <= skipTheirs - b));
    if (takesOurs && a < ours.length) out.push(`+${ours[a++]}`);
    else out.push(`-${theirs[b++]}`);
  }
  return out;
}

test('3: a script of 300 lines, by zkCli.sh and by zoosh', async () => {
  assert.ok(ALLOWED.length <= 10);
  const lines = script();
  assert.ok(lines.length >= 300);
  const input = `${lines.join('\n')}\n`;
  const theirs = await run('/usr/share/zookeeper/bin/zkCli.sh', ['-server', SERVER], input);
  const ours = await run(process.execPath, [BIN, '--compat', 'zkcli=3.8', '-server', SERVER], input);
  const found: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    const [us, them] = [split(normalise(ours[stream])), split(normalise(theirs[stream]))];
    found.push(...differences(us.lines, them.lines).map((line) => `${stream} ${line}`));
    assert.deepEqual(us.events, them.events);
  }
  const odd = found.filter((line) => !ALLOWED.some((each) => each.line.test(line.replace(/^\w+ [+-]/, ''))));
  assert.deepEqual(odd, []);
  assert.equal(ours.exit, theirs.exit);
});

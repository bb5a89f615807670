/** Acceptance check 7: plain output has no colours, and a terminal of somebody who wants none gets none; of every command. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { registry } from '../../src/commands/index.ts';
import { startEmbedded } from '../../src/embed.ts';
import { connect } from '../../src/index.ts';
import { Session } from '../editor/session.ts';
import { BIN, patiently, zoosh } from './cli.ts';
import { FIGURES, LINES } from './every-command.ts';
import { Folder } from './folders.ts';

/** What each command printed. */
type Said = ReadonlyMap<string, string>;
interface Ran {
  readonly stdout: Said;
  readonly stderr: string;
  readonly isColoured: boolean;
}
const MARK = '@@ ';
const CODES = /\x1b\[[\d;]*m/g;

/** All of them, or some, on a tree that is always the same; `run` is given what says them and the server. */
async function onTree<T>(run: (script: string, hosts: string, folder: Folder) => Promise<T>): Promise<T> {
  await using server = await startEmbedded({ logLevel: 'error', settings: { '4lw.commands.whitelist': '*' } });
  using folder = new Folder();
  const client = await connect(server.connectString);
  await client.create('/tree', 'x');
  await client.create('/tree/one', '{"a":1}');
  await client.create('/tree/low', null);
  await client.create('/tree/low/a', 'x');
  await client.create('/tree/low/b', 'y');
  await client.close();
  writeFileSync(folder.in('few.zk'), 'get /tree/low/a\nget /nope\n');
  const script = Object.entries(LINES).flatMap(([name, lines]) => [`echo "${MARK}${name}"`, ...lines]);
  return await run(`${script.join('\n').replaceAll('{folder}', folder.path)}\n`, server.connectString, folder);
}

/** What differs each time: addresses, ids, times, spans, the folder; of those that show figures every number. */
function steady(text: string, name: string, folder: string): string {
  const alike = text
    .replaceAll(folder, 'FOLDER')
    .replace(/127\.0\.0\.1:\d{4,}/g, 'ADDRESS')
    .replace(/\b(?:0x[0-9a-f]{6,}|[0-9a-f]{16})\b/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, 'TIME')
    .replace(/\b\d{13}\b|\b\d\d:\d\d:\d\d\b/g, 'TIME');
  return FIGURES.has(name)
    ? alike
        .replace(/\d+(?:\.\d+)?/g, 'N')
        .replace(/\((?:N ms\/op N\/sec|included in prior)\)/g, 'RATE')
        .replace(/ +/g, ' ')
    : alike;
}
function byCommand(stdout: string, folder: string): Said {
  const out = new Map<string, string>();
  for (const part of stdout.split(new RegExp(`^${MARK}`, 'm')).slice(1)) {
    const end = part.indexOf('\n');
    const name = part.slice(0, end).trim();
    out.set(name, steady(part.slice(end + 1), name, folder));
  }
  return out;
}
const inPipe = (env: Record<string, string> = {}): Promise<Ran> =>
  onTree(async (script, hosts, folder) => {
    const ran = await zoosh(['-k', hosts], script, { ZOOSH_HOME: folder.in('home'), ...env });
    // errors and events have colours where they are forced, and are otherwise the same
    const stderr = steady(ran.stderr.replace(CODES, ''), '', folder.path).replace(/\b[\d.]+ ?m?s\b/g, 'SPAN');
    return { stdout: byCommand(ran.stdout, folder.path), stderr, isColoured: ran.stderr.includes('\x1b') };
  });

test('accept 7: every command has lines here', () => {
  assert.deepEqual(Object.keys(LINES).sort(), registry.all.map(({ name }) => name).sort());
  for (const [name, lines] of Object.entries(LINES))
    assert.ok(
      lines.some((line) => line === name || line.startsWith(`${name} `)),
      name,
    );
  assert.equal(Object.keys(LINES).at(-1), 'quit');
});

test('accept 7: plain output of every command is the same whatever the environment says of colours', async () => {
  const plain = await inPipe();
  assert.deepEqual([...plain.stdout.keys()], Object.keys(LINES), 'one of them ended the script');
  for (const env of [
    { NO_COLOR: '1' },
    { FORCE_COLOR: '0' },
    { FORCE_COLOR: '3', CLICOLOR_FORCE: '1' },
    { TERM: 'xterm-256color', COLORTERM: 'truecolor' },
  ] as const) {
    const ran = await inPipe(env as Record<string, string>);
    for (const [name, text] of ran.stdout) {
      assert.ok(!text.includes('\x1b'), `${name} with ${JSON.stringify(env)}`);
      assert.equal(text, plain.stdout.get(name), `${name} with ${JSON.stringify(env)}`);
    }
    assert.equal(ran.stdout.size, plain.stdout.size);
    assert.equal(ran.stderr, plain.stderr, JSON.stringify(env));
    assert.equal(ran.isColoured, 'CLICOLOR_FORCE' in env, JSON.stringify(env));
  }
});

/** All of them at a terminal, whose user is asked nothing; what it was sent, raw. */
const atTerminal = (env: Record<string, string>): Promise<string> =>
  onTree(async (script, hosts, folder) => {
    writeFileSync(folder.in('all.zk'), script);
    let sent = '';
    const words = [process.execPath, BIN, ...patiently(['-k', '-y', '--no-pager', hosts, folder.in('all.zk')])];
    const own = { ZOOSH_HOME: folder.in('home'), LANG: 'C.UTF-8', EDITOR: 'true', ZOOSH_CODE_CACHE: 'off' };
    using one = new Session({
      sh: `exec ${words.join(' ')}`,
      env: { ...own, ...env },
      seen: (text) => {
        sent += text;
      },
    });
    await one.ended();
    return sent;
  });

/** To empty a screen is nothing but an escape sequence. */
const ESCAPES: ReadonlySet<string> = new Set(['clear']);

test('accept 7: a terminal with NO_COLOR is sent no escape byte by any command', async () => {
  const partsOf = (sent: string): string[] => sent.split(MARK).slice(1);
  const nameOf = (part: string): string => part.slice(0, part.indexOf('\r'));
  const bare = partsOf(await atTerminal({ NO_COLOR: '1' }));
  assert.deepEqual(bare.map(nameOf), Object.keys(LINES), 'one of them ended the script');
  for (const part of bare) assert.equal(part.includes('\x1b'), ESCAPES.has(nameOf(part)), JSON.stringify(part));
  // the same with colours has them
  const coloured = partsOf(await atTerminal({}))
    .filter((part) => part.includes('\x1b'))
    .map(nameOf);
  assert.ok(coloured.length >= 60, coloured.join());
});

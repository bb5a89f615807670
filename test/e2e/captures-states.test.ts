/**
 * What a server answers that serves nobody, that serves reads alone, or that has no list of words: against captures of ZooKeeper
 * 3.8.0, all words and all commands that were captured.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../patience.ts';
import { form, keysOf, leftOut, lines, plural } from './answers.ts';
import { type MemberOfTest, Members, until } from './members.ts';
import { ServerProcess } from './process.ts';

const SAMPLES = fileURLToPath(new URL('../../../test/samples/', import.meta.url));
const sample = (name: string): string => readFileSync(join(SAMPLES, name), 'utf8');
const LINES = ['4lw.commands.whitelist=*', 'admin.enableServer=true', 'admin.serverAddress=127.0.0.1'];
const ADMIN = 'digest super:adminpass';
const SUPER = 'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=';

/** Of a capture of all words: each with its answer. */
function captured(name: string): (readonly [word: string, answer: string])[] {
  const found = [...sample(name).matchAll(/^>>> '?([^'\n]*)'?\n([\s\S]*?)<EOF>$/gm)];
  assert.ok(found.length > 10, name);
  return found.map(([, word = '', answer = '']) => [word, answer] as const);
}
/** The whole answer to a word, and to `stmk` with a mask of 0, as it was captured. */
function ask(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1', () => {
      socket.write(word === 'stmk' ? Buffer.concat([Buffer.from(word), Buffer.alloc(8)]) : word);
    });
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer to ${word}`)));
    socket.on('error', reject).on('close', () => resolve(text));
  });
}
/** One of three, whom no other member has met. */
async function alone(lines: readonly string[]): Promise<{ members: Members; member: MemberOfTest }> {
  const members = await Members.make({ voters: 3, lines: [...LINES, SUPER, 'admin.serverPort=0', ...lines] });
  const member = members.member(1);
  member.start();
  return { members, member };
}
const soon = (is: () => boolean | Promise<boolean>, log: () => string): Promise<void> => until(is, PATIENCE_MS, log);

test('words of a member that finds no leader, byte for byte', async () => {
  const { members, member } = await alone([]);
  await using _members = members;
  await soon(
    async () => (await ask(member.clientPort, 'ruok').catch(() => '')) === 'imok',
    () => member.log,
  );
  const ours: [string, string][] = [];
  const theirs = captured('4lw-3.8.0-not-serving.txt');
  for (const [word] of theirs) ours.push([word, await ask(member.clientPort, word)]);
  assert.deepEqual(ours, theirs);
});

test('words that are not on the list, when nothing is said of it', async () => {
  await using server = await new ServerProcess(['4lw.commands.whitelist=srvr']).start();
  for (const [word, theirs] of captured('4lw-3.8.0-whitelist-default.txt'))
    assert.deepEqual(lines(await ask(server.port, word)), lines(theirs), word);
});

test('words and commands of a member that serves reads alone', async () => {
  const { members, member } = await alone(['readonlymode.enabled=true', 'localSessionsEnabled=true']);
  await using _members = members;
  await soon(
    async () => (await ask(member.clientPort, 'isro').catch(() => '')) === 'ro',
    () => member.log,
  );
  const rules = leftOut();
  for (const [word, theirs] of captured('4lw-3.8.0-readonly-mode.txt')) {
    const answer = await ask(member.clientPort, word);
    if (word === 'mntr') {
      const have = new Set(keysOf(answer));
      const missing = keysOf(theirs).filter((key) => !have.has(key) && !rules.some((rule) => rule.test(key)));
      assert.deepEqual(missing, []);
      assert.match(answer, /^zk_server_state\tread-only$/m);
    } else if (word === 'dump') assert.deepEqual(lines(answer).map(plural), lines(theirs).map(plural));
    else if (word === 'hash') assert.equal(answer.trim(), theirs.trim());
    else assert.deepEqual(lines(answer), lines(theirs), word);
  }
  const port = /admin server on 127\.0\.0\.1:(\d+)/.exec(member.log)?.[1];
  const admin = async (name: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}/commands/${name}`, { headers: { authorization: ADMIN } })).json();
  const files = readdirSync(SAMPLES).filter((file) => file.startsWith('admin-3.8.0-readonly-'));
  assert.ok(files.length >= 5);
  for (const file of files) {
    const name = /readonly-(.*)\.json$/.exec(file)?.[1] ?? file;
    const [ours, theirs] = [await admin(name), JSON.parse(sample(file))];
    // what stands there are figures of that server, but for these
    if (name === 'server_stats') assert.deepEqual(form(ours), form(theirs), name);
    else assert.deepEqual(ours, theirs, name);
  }
});

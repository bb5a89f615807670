/** What an operator ran into who tried the shell once more: what was refused for a reason that was none, or told in words that were not so. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-third-'));
const file = (name: string, text?: string): string => {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const one = (...words: string[]): Promise<Ran> => zoosh([server.hosts, ...words]);
const isThere = async (path: string): Promise<boolean> => (await client.exists(path)) !== undefined;

test('apply and mirror make the levels that a file does not hold', async () => {
  const kv = file('kv.txt', '/k/a=1\n/k/b=x\n');
  const dry = await zoosh(['-n', server.hosts, 'apply', '-f', kv]);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^create\t\/k\t\ncreate\t\/k\/a\t/);
  assert.equal(await isThere('/k'), false);
  const applied = await one('apply', '-f', kv);
  assert.deepEqual([applied.code, /^created\t3$/m.test(applied.stdout)], [0, true], applied.stderr);
  const rooted = await one('apply', '-f', kv, '--root', '/deep/er/k');
  assert.deepEqual([rooted.code, /^created\t5$/m.test(rooted.stdout)], [0, true], rooted.stderr);
  const whole = file('whole.nd');
  for (const path of ['/mp', '/mp/a', '/mp/a/b']) await client.create(path, path);
  assert.equal((await one('export', '/mp', whole)).code, 0);
  const part = file('part.nd');
  const lines = readFileSync(whole, 'utf8').split('\n');
  writeFileSync(part, lines.filter((line) => !/"path":"\/mp(\/a)?"/.test(line)).join('\n'));
  const mirrored = await one('mirror', `file:${part}`, '/there/mpp');
  assert.deepEqual([mirrored.code, /^created\t4$/m.test(mirrored.stdout)], [0, true], mirrored.stderr);
  assert.equal((await client.get('/there/mpp/a/b')).data?.toString(), '/mp/a/b');
});

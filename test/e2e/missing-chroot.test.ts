/** A connect string whose chroot is not there: every command that fails for it says so. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lateIf, timely } from '../patience.ts';
import { ServerProcess } from './process.ts';

const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));

function zoosh(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}

test('the chroot is named, not a path inside of it', { timeout: 600_000 }, async () => {
  await using server = await new ServerProcess().start();
  const at = `${server.hosts}/app/one`;
  const lines = [
    'ls /',
    'get /x',
    'create /x y',
    'set /x y',
    'delete /x',
    'stat /x',
    'getAcl /',
    'ls -R /',
    'mv /a /b',
    'lock /l true',
    'queue put /q x',
    'counter incr /c',
  ];
  // a server that does not tell in three seconds whether it is there is believed that the node is missing
  await timely(async () => {
    const told = await Promise.all(lines.map((line) => zoosh('-s', at, '-c', line)));
    const late: string[] = [];
    for (const [i, { code, err }] of told.entries()) {
      assert.equal(code, 10, `${lines[i]}: ${err}`);
      if (!/the chroot \/app\/one does not exist/.test(err) || /node does not exist/.test(err))
        late.push(`${lines[i]}: ${err}`);
    }
    const words = await zoosh('-s', at, 'ls', '/');
    if (!/the chroot \/app\/one does not exist\n.*create -p \/app\/one/s.test(words.err)) late.push(words.err);
    return lateIf(late.length > 0, late.join('\n'));
  });
  // where it is there, what is missing is the node
  assert.equal((await zoosh('-s', server.hosts, 'create', '-p', '/app/one')).code, 0);
  const inside = await zoosh('-s', at, 'get', '/x');
  assert.match(inside.err, /node does not exist: \/x/);
  const completed = await zoosh('-s', `${server.hosts}/none`, '--complete', 'ls /');
  assert.doesNotMatch(completed.err, /chroot/);
});

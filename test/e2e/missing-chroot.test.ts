/** A connect string whose chroot is not there: every command that fails for it says so. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
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

test('the chroot is named, not a path inside of it', { timeout: 120_000 }, async () => {
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
  ];
  const told = await Promise.all(lines.map((line) => zoosh('-s', at, '-c', line)));
  for (const [i, { code, err }] of told.entries()) {
    assert.equal(code, 10, `${lines[i]}: ${err}`);
    assert.match(err, /the chroot \/app\/one does not exist/, lines[i]);
    assert.doesNotMatch(err, /node does not exist/, lines[i]);
  }
  const words = await zoosh('-s', at, 'ls', '/');
  assert.match(words.err, /the chroot \/app\/one does not exist\n.*create -p \/app\/one/s);
  // where it is there, what is missing is the node
  assert.equal((await zoosh('-s', server.hosts, 'create', '-p', '/app/one')).code, 0);
  const inside = await zoosh('-s', at, 'get', '/x');
  assert.match(inside.err, /node does not exist: \/x/);
  const completed = await zoosh('-s', `${server.hosts}/none`, '--complete', 'ls /');
  assert.doesNotMatch(completed.err, /chroot/);
});

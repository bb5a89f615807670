/** Exit codes of the built binary that need a server which says what servers seldom say, or one that does not start. */
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { KEEPER_CODES, type KeeperCode } from '../../src/base/errors.ts';
import { connect } from '../../src/index.ts';
import { SECTOR } from '../../src/records/log-record.ts';
import { isLogName } from '../../src/storage/files.ts';
import { zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-exits-'));
after(() => rmSync(home, { recursive: true, force: true }));

const PING = -2;
const CLOSE = -11;

/** A server that greets and refuses every request with `code`, or hangs up on it. */
async function refusing(code: KeeperCode | 'hangs up'): Promise<Server & AsyncDisposable> {
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('error', () => {});
    const send = (body: Buffer): void => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(body.length);
      socket.write(Buffer.concat([length, body]));
    };
    const answer = (xid: number, error: number): void => {
      const header = Buffer.alloc(16);
      header.writeInt32BE(xid);
      header.writeBigInt64BE(1n, 4);
      header.writeInt32BE(error, 12);
      send(header);
    };
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE()) {
        const frame = bytes.subarray(4, 4 + bytes.readInt32BE());
        bytes = bytes.subarray(4 + frame.length);
        if (!isGreeted) {
          isGreeted = true;
          // protocol 0, timeout, session 1, a password of 16 bytes, not read-only
          const greeting = Buffer.alloc(37);
          greeting.writeInt32BE(10_000, 4);
          greeting.writeBigInt64BE(1n, 8);
          greeting.writeInt32BE(16, 16);
          send(greeting);
          continue;
        }
        const [xid, type] = [frame.readInt32BE(), frame.readInt32BE(4)];
        if (xid === PING || type === CLOSE) answer(xid, 0);
        else if (code === 'hangs up') {
          server.close();
          return void socket.destroy();
        } else answer(xid, KEEPER_CODES[code]);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  });
}
const hostOf = (server: Server): string => `127.0.0.1:${(server.address() as { port: number }).port}`;

describe('the built binary', { concurrency: 4 }, () => {
  for (const [refusal, code, words] of [
    ['SessionExpired', 5, ['set', '/a', 'x']],
    ['hangs up', 6, ['set', '/a', 'x']],
    ['hangs up', 3, ['get', '/a']],
    ['NotReadOnly', 18, ['set', '/a', 'x']],
    ['ReconfigInProgress', 22, ['reconfig', '--remove', '5']],
    ['NewConfigNoQuorum', 23, ['reconfig', '--remove', '5']],
    ['ReconfigDisabled', 24, ['reconfig', '--remove', '5']],
    ['DataInconsistency', 44, ['get', '/a']],
  ] as const)
    test(`exit code ${code}: the server ${refusal === 'hangs up' ? refusal : `says ${refusal}`}`, async () => {
      await using server = await refusing(refusal);
      // one that hung up is looked for as long
      const patience = refusal === 'hangs up' ? '9s' : '40s';
      const ran = await zoosh(['--yes', '--connect-timeout', patience, hostOf(server), ...words]);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, /^error: /m);
    });

  test('exit code 70: a bug of ours, told as one', async () => {
    await using server = await refusing('NoNode');
    const break_ = `--import=data:text/javascript,JSON.stringify=()=>{throw%20new%20TypeError('a%20bug')}`;
    const ran = await zoosh(['-o', 'json', hostOf(server), 'exists', '/a'], '', { NODE_OPTIONS: break_ });
    assert.equal(ran.code, 70, ran.stderr);
    assert.match(ran.stderr, /a bug/);
  });

  test('exit code 40: a data directory that cannot be made', async () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    const ran = await zoosh(['start', 'standalone', '--port', '0', '--data', file]);
    assert.equal(ran.code, 40, ran.stderr);
    assert.match(ran.stderr, /^error: the data directory \S+ cannot be used: it is not a folder/m);
  });

  test('exit codes 42 and 44: data in use, data of another member, damaged data and archives', async () => {
    await using server = await new ServerProcess().start();
    const data = join(server.folder, 'data');
    const again = await zoosh(['start', 'standalone', '--port', '0', '--data', data]);
    assert.equal(again.code, 42, again.stderr);
    assert.match(again.stderr, /^error: another zoosh server uses/m);
    {
      await using client = await connect(server.hosts);
      for (let at = 0; at < 20; at++) await client.create(`/n${at}`, 'x'.repeat(600));
    }
    const archive = join(home, 'all.zka');
    assert.equal((await zoosh([server.hosts, 'export', '--format', 'archive', '/n1', archive])).code, 0);
    truncateSync(archive, statSync(archive).size - 9);
    const cut = await zoosh([server.hosts, 'import', '--root', '/copy', archive]);
    assert.equal(cut.code, 44, cut.stderr);
    assert.match(cut.stderr, /^error: \S+all\.zka is damaged: it ends after 1 node,/m);
    await server.kill('SIGKILL');
    const [folder = ''] = readdirSync(data).filter((name) => name.startsWith('zoosh-'));
    // the same directory, given to server 2 of two
    const member = join(home, 'member');
    mkdirSync(member);
    cpSync(join(data, folder), join(member, folder), { recursive: true });
    writeFileSync(join(member, 'myid'), '2\n');
    const servers = [1, 2].map((id) => `server.${id}=127.0.0.1:${2 * id}:${2 * id + 1};127.0.0.1:0`);
    writeFileSync(
      join(home, 'zoo.cfg'),
      [`dataDir=${member}`, 'initLimit=5', 'syncLimit=5', ...servers, ''].join('\n'),
    );
    const strange = await zoosh(['start', 'server', '--config', join(home, 'zoo.cfg')]);
    assert.equal(strange.code, 42, strange.stderr);
    assert.match(strange.stderr, /belongs to server 1; this one is server 2/);
    const log = readdirSync(join(data, folder)).find(isLogName);
    assert.ok(log !== undefined);
    const file = join(data, folder, log);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(2 * SECTOR) ^ 0xff, 2 * SECTOR);
    writeFileSync(file, bytes);
    const damaged = await zoosh(['start', 'standalone', '--port', '0', '--data', data]);
    assert.equal(damaged.code, 44, damaged.stderr);
    assert.match(damaged.stderr, /^error: data damaged: /m);
  });

  test('exit code 45: an ensemble without a quorum in time, of which nothing is left', async () => {
    const env = { ZOOSH_HOME: join(home, 'zoosh') };
    const ran = await zoosh(['start', 'ensemble', 'late', '-n', '3', '--timeout', '50ms', '-d'], '', env);
    assert.equal(ran.code, 45, ran.stderr);
    assert.match(ran.stderr, /^error: late: no quorum in 0\.05s/m);
    assert.equal((await zoosh(['ensemble', 'list'], '', env)).stdout, '');
  });
});

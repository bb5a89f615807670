/** The end of a session with very many ephemerals is spread over turns of the loop; what others see of it meanwhile. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FrameCutter } from '../../src/protocol/frame.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { ServerNode } from '../../src/runtime/node.ts';
import { REAL_PORTS } from '../../src/runtime/node-options.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { hello, parent, replies, request } from '../bench/load.ts';

const COUNT = 40_000;
const PING = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);
const EVENT = -1;

/** A session of its own; `heard` is given each frame but the handshake's. */
function open(port: number, heard: (xid: number, err: number) => void): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const cutter = new FrameCutter(1_000_000);
  return new Promise((resolve) => {
    let ready = false;
    socket.on('data', (chunk: Buffer) =>
      cutter.push(chunk, (bytes, start) => {
        if (ready) heard(bytes.readInt32BE(start), bytes.readInt32BE(start + 12));
        else resolve(socket);
        ready = true;
        return true;
      }),
    );
    socket.write(hello());
  });
}
/** getChildren of `/p` with a watch. */
function watchParent(xid: number): Buffer {
  const bytes = Buffer.alloc(19);
  bytes.writeInt32BE(15, 0);
  bytes.writeInt32BE(xid, 4);
  bytes.writeInt32BE(8, 8);
  bytes.writeInt32BE(2, 12);
  bytes.latin1Write('/p', 16);
  bytes[18] = 1;
  return bytes;
}

test('while a session with many ephemerals ends, pings are answered, and no event of it is told before the rest', {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  const lines = ['clientPort=0', 'clientPortAddress=127.0.0.1', 'maxClientCnxns=0', 'snapCount=1000000'];
  const config = checkConfig(parseProperties(`dataDir=${folder}\n${lines.join('\n')}`, 'zoo.cfg'));
  const logger = { info() {}, warn() {}, error() {} } as unknown as Logger;
  const node = new ServerNode({ config, logger, onFailed: assert.fail }, () => {}, REAL_PORTS);
  try {
    await using server = await node.start();
    const owner = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve) => {
      let done = 0;
      replies(
        owner,
        () => {
          owner.write(parent());
          for (let i = 0; i < COUNT; i++) {
            const create = request('create', i, i + 2);
            create.writeInt32BE(1, create.length - 4);
            owner.write(create);
          }
        },
        (err) => {
          assert.equal(err, 0);
          if (++done === COUNT + 1) resolve();
        },
        () => {},
      );
      owner.write(hello());
    });
    const pongs: boolean[] = [];
    const pinger = await open(server.port, (xid) => {
      assert.equal(xid, -2);
      pongs.push(node.server.applying);
      if (node.server.applying) pinger.write(PING);
    });
    const told: string[] = [];
    const watcher = await open(server.port, (xid, err) => {
      told.push(`${xid} ${err}`);
      if (xid === EVENT) assert.equal(node.server.inParts, false, 'an event of half a transaction');
    });
    watcher.write(watchParent(7));
    // its write waits for the transaction before it, and its ping for its write
    const order: number[] = [];
    const writer = await open(server.port, (xid, err) => {
      assert.equal(err, 0);
      order.push(xid);
    });
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const close = Buffer.alloc(12);
    close.writeInt32BE(8, 0);
    close.writeInt32BE(COUNT + 3, 4);
    close.writeInt32BE(-11, 8);
    owner.write(close);
    while (!node.server.applying) await new Promise((resolve) => setImmediate(resolve));
    pinger.write(PING);
    writer.write(Buffer.concat([PING, request('create', COUNT + 1, 5), PING]));
    while (node.server.applying) await new Promise((resolve) => setImmediate(resolve));
    while (order.length < 3 || told.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pongs.filter((early) => early).length >= 2, `${pongs}`);
    assert.deepEqual(order, [-2, 5, -2]);
    assert.deepEqual(told, ['7 0', '-1 0']);
    assert.equal(node.server.tree.ephemerals, 0);
    for (const socket of [owner, pinger, watcher, writer]) socket.destroy();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a cutter skips the frame that is asked for, whole and next, and no other', () => {
  const cutter = new FrameCutter(1000);
  const other = Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.alloc(8, 1)]);
  assert.equal(cutter.skip(PING), false);
  cutter.hold(PING.subarray(0, 5));
  assert.equal(cutter.skip(PING), false);
  cutter.hold(Buffer.concat([PING.subarray(5), PING, other, PING]));
  assert.deepEqual([cutter.skip(PING), cutter.skip(PING), cutter.skip(PING)], [true, true, false]);
  const seen: string[] = [];
  cutter.push(PING.subarray(0, 3), (bytes, start, end) => {
    seen.push(bytes.subarray(start, end).toString('hex'));
    return true;
  });
  assert.deepEqual(seen, [other.subarray(4).toString('hex'), PING.subarray(4).toString('hex')]);
  assert.equal(cutter.pending, 3);
});

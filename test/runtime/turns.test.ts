/** One turn of the loop takes a bounded share of what arrived; nothing that was read is lost by waiting for a later one. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { FrameCutter } from '../../src/protocol/frame.ts';
import { SHARE, TurnBudget } from '../../src/runtime/turn-budget.ts';
import { hello, makeParent, replies, request } from '../bench/load.ts';
import { ServerProcess } from '../e2e/process.ts';

test('a turn gives whole shares first, then one request each, then none', () => {
  let now = 1000;
  let long = 0;
  const budget = new TurnBudget(
    () => long++,
    () => now,
  );
  for (let spent = 0; spent < 256; spent += SHARE) {
    now += 100; // between them: the requests take no time
    assert.equal(budget.share(), SHARE);
    budget.spend(SHARE);
  }
  assert.equal(long, 0);
  assert.equal(budget.share(), SHARE);
  assert.equal(long, 1);
  now += 7;
  assert.equal(budget.share(), 1);
  now += 6;
  assert.equal(budget.share(), 0);
  assert.equal(long, 1);
  budget.restart();
  assert.equal(budget.share(), SHARE);
});

test('a share that takes long counts from its beginning, and is seen to be used while it is done', () => {
  let now = 1000;
  let long = 0;
  const budget = new TurnBudget(
    () => long++,
    () => now,
  );
  assert.equal(budget.share(), SHARE);
  now += 11;
  assert.equal(budget.isUsed, false);
  now += 1;
  assert.equal(budget.isUsed, true);
  budget.spend(1);
  assert.equal(long, 1);
  assert.equal(budget.share(), 0);
  budget.restart();
  assert.equal(budget.share(), SHARE);
  now += 7;
  budget.spend(1);
  assert.equal(budget.share(), 1);
});

test('a cutter that is stopped again and again hands out every frame once, in order, also with chunks that came meanwhile', () => {
  const cutter = new FrameCutter(1000);
  const frame = (n: number): Buffer => {
    const bytes = Buffer.alloc(4 + 4 + (n % 7));
    bytes.writeInt32BE(bytes.length - 4, 0);
    bytes.writeInt32BE(n, 4);
    return bytes;
  };
  const stream = Buffer.concat(Array.from({ length: 1000 }, (_, n) => frame(n)));
  const got: number[] = [];
  let share = 0;
  const take = (bytes: Buffer, start: number): boolean => {
    got.push(bytes.readInt32BE(start));
    return --share > 0;
  };
  for (let at = 0, n = 0; at < stream.length; n++) {
    const chunk = stream.subarray(at, at + 1 + ((n * 37) % 101));
    at += chunk.length;
    share = n % 4;
    if (share === 0) cutter.hold(chunk);
    else cutter.push(chunk, take);
  }
  for (let rounds = 0; cutter.pending > 0 && rounds < 1000; rounds++) {
    share = 3;
    cutter.push(Buffer.alloc(0), take);
  }
  assert.deepEqual(
    got,
    Array.from({ length: 1000 }, (_, n) => n),
  );
});

test('requests sent at once and closed behind are all done, though they take several turns', {
  timeout: 300_000,
}, async () => {
  const count = 3000;
  await using server = await new ServerProcess(['4lw.commands.whitelist=*']).start();
  await makeParent(server.port);
  const close = Buffer.alloc(12);
  close.writeInt32BE(8, 0);
  close.writeInt32BE(count + 1, 4);
  close.writeInt32BE(-11, 8);
  const creates = Array.from({ length: count }, (_, key) => request('create', key, key + 1));
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  replies(
    socket,
    () => socket.end(Buffer.concat([...creates, close])),
    (err) => assert.equal(err, 0),
    () => {},
  );
  socket.write(hello());
  await new Promise((resolve) => socket.once('end', resolve));
  // nobody waited for the answers: what was asked counts all the same
  const wanted = [/^zk_znode_count\t3006$/m, /^zk_global_sessions\t1$/m];
  let seen = '';
  for (let tries = 0; tries < 1200 && !wanted.every((each) => each.test(seen)); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = await word(server.port, 'mntr');
  }
  for (const each of wanted) assert.match(seen, each);
});

function word(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(out));
  });
}

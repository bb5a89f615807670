/** A server whose memory is nearly used up refuses what would take more of it, in time, and goes on with all else. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { goOnUntil } from '../patience.ts';
import { ServerProcess } from './process.ts';
import { frame, hello } from './raw.ts';

const THROTTLED = -127;
/** Of names that V8 has to keep: an ACL of each node's own. */
const ACL_BYTES = 2000;
/** More than four times what fits. */
const MOST = 200_000;
const AT_ONCE = 64;

/** One connection with a session, its replies in order; undefined when the server ends it before there is one. */
class Client {
  readonly socket: Socket;
  private readonly waiting: ((err: number) => void)[] = [];
  private xid = 0;
  private constructor(socket: Socket) {
    this.socket = socket;
  }
  static open(port: number): Promise<Client | undefined> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const client = new Client(socket);
      let rest: Buffer = Buffer.alloc(0);
      let ready = false;
      socket.on('error', () => {});
      socket.once('close', () => {
        resolve(undefined);
        for (const each of client.waiting.splice(0)) each(Number.NaN);
      });
      socket.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
          if (ready) client.waiting.shift()?.(rest.readInt32BE(16));
          else resolve(client);
          ready = true;
          rest = rest.subarray(4 + rest.readInt32BE(0));
        }
      });
      socket.write(hello());
    });
  }
  ask(op: number, body: (to: Writer) => void): Promise<number> {
    const to = new Writer();
    to.int32(++this.xid);
    to.int32(op);
    body(to);
    this.socket.write(frame(to.take()));
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  create(key: number): Promise<number> {
    const { create } = OPERATIONS;
    const acl = [{ perms: 31, id: { scheme: 'digest', id: `u${key}:${'x'.repeat(ACL_BYTES)}` } }];
    return this.ask(create.code, (to) =>
      create.request.write(to, { path: `/n${key}`, data: Buffer.alloc(0), acl, flags: 0 }),
    );
  }
  delete(key: number): Promise<number> {
    const { delete: row } = OPERATIONS;
    return this.ask(row.code, (to) => row.request.write(to, { path: `/n${key}`, version: -1 }));
  }
  read(path: string): Promise<number> {
    const { exists } = OPERATIONS;
    return this.ask(exists.code, (to) => exists.request.write(to, { path, watch: false }));
  }
  ping(): Promise<number> {
    return this.ask(OPERATIONS.ping.code, () => {});
  }
}

/** Creates until one is refused; how many were made. */
async function fill(client: Client, most: number): Promise<number> {
  let refused = false;
  let made = 0;
  for (let at = 0; at < most && !refused; at += AT_ONCE) {
    const batch = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => client.create(at + i)));
    for (const err of batch) assert.ok(err === 0 || err === THROTTLED, `create: ${err} after ${made}`);
    refused = batch.includes(THROTTLED);
    made += batch.filter((err) => err === 0).length;
  }
  return refused ? made : Number.NaN;
}

test('a server with a small heap refuses writes and sessions in time, and takes them again after deletes', {
  timeout: 240_000,
}, async () => {
  await using server = await new ServerProcess(['memory.limit=64m', '4lw.commands.whitelist=*']).start();
  const client = await Client.open(server.port);
  assert.ok(client !== undefined);
  const made = await fill(client, MOST);
  console.log(`${made} nodes with an ACL of their own, then the first refusal`);
  assert.ok(made > 1000, `${made} of ${MOST} creates, and none refused`);
  assert.match(server.stderr, /error memory: \d+ of 64 MiB of V8's heap[^\n]*refused/);
  // whoever insists changes nothing: it neither grows nor ends
  for (let round = 0; round < 200; round++) {
    const again: number[] = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => client.create(MOST + i)));
    assert.deepEqual(new Set(again), new Set([THROTTLED]));
  }
  assert.equal(await client.read('/n1'), -102);
  assert.equal(await client.ping(), 0);
  assert.equal(await Client.open(server.port), undefined, 'a new session');
  // an order is kept: what was refused is answered in its turn
  const order: string[] = [];
  await Promise.all([
    client.delete(0).then((err) => order.push(`delete ${err}`)),
    client.create(0).then((err) => order.push(`create ${err}`)),
    client.ping().then((err) => order.push(`ping ${err}`)),
  ]);
  assert.deepEqual(order, ['delete 0', `create ${THROTTLED}`, 'ping 0']);
  for (let at = 1; at < made; at += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, made - at) }, (_, i) => client.delete(at + i)));
  let taken = THROTTLED;
  await goOnUntil(
    () => taken === 0,
    600,
    async () => {
      taken = await client.create(0);
      await new Promise((resolve) => setTimeout(resolve, 100));
    },
  );
  assert.equal(taken, 0);
  assert.ok((await Client.open(server.port)) !== undefined, 'a new session');
  assert.match(server.stderr, /warn {2}memory: [^\n]* are taken again/);
});

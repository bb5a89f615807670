/** Connections that do nothing take descriptors; the log and the snapshots need some. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { until } from './members.ts';
import { ServerProcess } from './process.ts';

const MANY = 300;

test('idle connections beyond what the process may open end no server: they are refused, and it says what to raise', async () => {
  await using server = new ServerProcess(['maxClientCnxns=0', 'snapCount=100']);
  server.openLimit = 128;
  await server.start();
  await using client = await connect(server.hosts);
  await client.create('/n');
  const idle: Socket[] = [];
  try {
    for (let i = 0; i < MANY; i++) {
      const socket = dial(server.port, '127.0.0.1').on('error', () => {});
      idle.push(socket);
      await once(socket, 'connect');
    }
    // each snapshot begins with another file of the log
    for (let i = 0; i < 600; i++) await client.set('/n', String(i));
    assert.equal(String((await client.get('/n')).data), '599');
    const open = idle.filter((socket) => !socket.destroyed).length;
    assert.ok(open < 128 && open > 16, `${open} are open`);
    const told = server.stderr.split('\n').filter((line) => / was not let in: .*LimitNOFILE/.test(line));
    assert.equal(told.length, 1, server.stderr);
    assert.doesNotMatch(server.stderr, /EMFILE/);
  } finally {
    for (const socket of idle) socket.destroy();
  }
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('who sets maxCnxns has it', async () => {
  await using server = await new ServerProcess(['maxClientCnxns=0', 'maxCnxns=3']).start();
  const all = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const socket = dial(server.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      return socket;
    }),
  );
  const cut = await Promise.race(all.map((socket) => once(socket.resume(), 'close')));
  assert.ok(cut);
  assert.equal(all.filter((socket) => socket.destroyed).length, 1);
  for (const socket of all) socket.destroy();
});

test('who is turned away by maxClientCnxns is told of in the log, once and not each time', async () => {
  await using server = await new ServerProcess(['maxClientCnxns=2']).start();
  const dialled = async (): Promise<Socket> => {
    const socket = dial(server.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const inside = [await dialled(), await dialled()];
  try {
    for (let i = 0; i < 3; i++) await once((await dialled()).resume(), 'close');
    await until(
      () => /maxClientCnxns/.test(server.stderr),
      PATIENCE_MS,
      () => `not told: ${server.stderr}`,
    );
    const told = server.stderr.match(/a client at .*/g);
    assert.deepEqual(told, ['a client at 127.0.0.1 was not let in: maxClientCnxns=2 of that address are connected']);
  } finally {
    for (const socket of inside) socket.destroy();
  }
});

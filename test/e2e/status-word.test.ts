/** What `server status` says of a server whose client port turns the command itself away, and serves others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { Home } from './home.ts';

const jsonOf = (text: string): unknown => JSON.parse(text);

test('with no connection left for this machine its mode is known all the same', async () => {
  const home = await Home.make('maxClientCnxns=2');
  assert.equal((await home.server('start')).code, 0);
  const held: Socket[] = [];
  try {
    for (let left = 2; left > 0; left--) {
      const socket = connect(home.port, '127.0.0.1');
      await once(socket, 'connect');
      held.push(socket);
    }
    const told = await home.server('status');
    assert.deepEqual(
      [told.code, told.stdout],
      [0, `Client port found: ${home.port}. Client address: 127.0.0.1. Client SSL: false.\nMode: standalone\n`],
    );
    assert.match(
      told.stderr,
      /^warning: 127\.0\.0\.1:\d+ does not let this command in \(.+\); the server itself says so\n$/,
    );
    const { refused, ...rest } = jsonOf((await home.server('status', '-o', 'json')).stdout) as Record<string, unknown>;
    assert.equal(typeof refused, 'string');
    assert.deepEqual(rest, { host: '127.0.0.1', port: home.port, mode: 'standalone' });
    for (const socket of held) socket.destroy();
    const free = await home.server('status', '-o', 'json');
    assert.deepEqual(jsonOf(free.stdout), { host: '127.0.0.1', port: home.port, mode: 'standalone' });
  } finally {
    for (const socket of held) socket.destroy();
    assert.equal((await home.server('stop')).code, 0);
  }
});

test("a secure port that does not know the server's own certificate; java.env says with which to come", async () => {
  const clients = makeAuthority('clients');
  const others = makeAuthority('others');
  const home = await Home.make();
  const write = (name: string, text: string): string => {
    const file = join(home.dir, 'conf', name);
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    return file;
  };
  const pemOf = ({ pem, key }: ReturnType<typeof makeCertificate>): string =>
    pem + key.export({ type: 'pkcs8', format: 'pem' }).toString();
  home.configure([
    'clientPort=',
    'clientPortAddress=',
    `secureClientPort=${home.port}`,
    'secureClientPortAddress=127.0.0.1',
    `ssl.keyStore.location=${write('own.pem', pemOf(makeCertificate(others, { hosts: ['127.0.0.1'] })))}`,
    `ssl.trustStore.location=${write('clients.pem', clients.pem)}`,
  ]);
  assert.equal((await home.server('start')).code, 0);
  try {
    const told = await home.server('status');
    assert.deepEqual([told.code, told.stdout.split('\n')[1]], [0, 'Mode: standalone']);
    assert.match(told.stderr, /does not let this command in/);
    const store = (name: string, file: string): string => `-Dzookeeper.ssl.${name}.location=${file}`;
    const words = [
      '-Dzookeeper.client.secure=true',
      store('keyStore', write('mine.pem', pemOf(makeCertificate(clients, { hosts: ['127.0.0.1'] })))),
      store('trustStore', write('others.pem', others.pem)),
    ];
    write('java.env', `CLIENT_JVMFLAGS="${words.join(' ')}"\n`);
    const known = await home.server('status');
    assert.deepEqual([known.code, known.stdout.split('\n')[1], known.stderr], [0, 'Mode: standalone', '']);
  } finally {
    assert.equal((await home.server('stop')).code, 0);
  }
});

/** Settings whose effect is seen from outside: where members listen and how long they wait, what the admin server answers to, what metrics tell. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { PATIENCE_MS } from '../patience.ts';
import { EXPORTER, figures } from './figures.ts';
import { type MemberOfTest, Members, until } from './members.ts';
import { ServerProcess } from './process.ts';

/** ms until the other end hangs up on who says no more than this; undefined: nobody listens there. */
function hungUp(port: number, host: string, says = ''): Promise<number | undefined> {
  return new Promise((resolve) => {
    let since: number | undefined;
    const socket = connect(port, host, () => {
      since = performance.now();
      socket.write(says);
    });
    socket.on('error', () => {}).resume();
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('close', () => resolve(since === undefined ? undefined : performance.now() - since));
  });
}

const HAS_IPV6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');

test('clientPortAddress=0.0.0.0: every address, of IPv6 too', { skip: !HAS_IPV6 }, async () => {
  await using server = await new ServerProcess(['clientPortAddress=0.0.0.0', 'tickTime=2000']).start();
  for (const host of ['127.0.0.1', '::1'])
    assert.notEqual(await hungUp(server.port, host, 'srvr'), undefined, `nobody listens at ${host}`);
});

test('quorumListenOnAllIPs, and cnxTimeout for who says nothing', async () => {
  await using members = await Members.make({
    voters: 3,
    lines: ['peer.insecure=true'],
    linesOf: (id) => (id === 1 ? ['quorumListenOnAllIPs=true', 'cnxTimeout=300'] : []),
  });
  const [everywhere, narrow] = members.all as [MemberOfTest, MemberOfTest];
  for (const member of [everywhere, narrow]) {
    member.start();
    await until(
      async () => (await member.word('ruok').catch(() => '')) === 'imok',
      PATIENCE_MS,
      () => member.log,
    );
  }
  // behind the port for clients: that of the quorum, and that of elections. All of 127.0.0.0/8 is this machine
  for (const step of [100, 200]) {
    const silent = await hungUp(everywhere.clientPort + step, '127.0.0.2');
    assert.ok(silent !== undefined, `nobody listens at 127.0.0.2:${everywhere.clientPort + step}`);
    assert.ok(silent > 200 && silent < 4500, `${silent} ms, and 5000 are the default`);
    assert.equal(await hungUp(narrow.clientPort + step, '127.0.0.2'), undefined);
    if (!HAS_IPV6) continue;
    assert.ok((await hungUp(everywhere.clientPort + step, '::1')) !== undefined, 'nobody listens at ::1');
    assert.equal(await hungUp(narrow.clientPort + step, '::1'), undefined);
  }
});

test('admin.commandURL, admin.idleTimeout and metricsProvider.exportJvmInfo', async () => {
  const lines = ['admin.enableServer=true', 'admin.serverAddress=127.0.0.1', 'admin.serverPort=0'];
  await using server = await new ServerProcess(
    [
      ...lines,
      'admin.commandURL=/ops/zk/',
      'admin.idleTimeout=300',
      ...EXPORTER,
      'metricsProvider.exportJvmInfo=false',
    ],
    'info',
  ).start();
  const said = /admin server on 127\.0\.0\.1:(\d+)\/ops\/zk$/m;
  await until(
    () => said.test(server.stderr),
    PATIENCE_MS,
    () => server.stderr,
  );
  const port = Number(said.exec(server.stderr)?.[1]);
  const ask = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    return [answer.status, await answer.text()];
  };
  assert.match((await ask('/ops/zk/ruok')).join(), /^200,.*"command" : "ruok"/s);
  assert.equal((await ask('/commands/ruok'))[0], 404);
  assert.match((await ask('/ops/zk'))[1], /^<a href="\/ops\/zk\/configuration">/);
  // a connection that may be used again, and is not
  const idle = await hungUp(port, '127.0.0.1', 'GET /ops/zk/ruok HTTP/1.1\r\nhost: x\r\n\r\n');
  assert.ok(idle !== undefined && idle > 250 && idle < 20_000, `${idle} ms, and 30000 are the default`);
  // what ZooKeeper calls figures of its Java machine; with the default they are there (metrics.test.ts)
  const told = await figures(() => server.stderr);
  const own = [...told.keys()].filter((name) => /^(process|nodejs|jvm_memory)_/.test(name));
  assert.ok(told.has('znode_count'));
  assert.deepEqual(own, []);
});

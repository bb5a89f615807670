/** The four-letter words that tell of sessions, connections and watches, byte by byte but for what differs from run to run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, fourLetterWord } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { PlainClient } from './plain-client.ts';
import { ServerProcess } from './process.ts';

const DATE = '[A-Z][a-z]{2} [A-Z][a-z]{2} \\d\\d \\d\\d:\\d\\d:\\d\\d UTC \\d{4}';
const ADDRESS = '/127\\.0\\.0\\.1:\\d+';
const ask = (word: string, port: number): Promise<string> =>
  fourLetterWord(word, { host: '127.0.0.1', port, timeoutMs: PATIENCE_MS });

test('words about sessions and watches', async () => {
  await using server = await new ServerProcess(['4lw.commands.whitelist=*']).start();
  const { port } = server;
  const say = async (word: string, pattern: string): Promise<void> =>
    assert.match(await ask(word, port), new RegExp(`^${pattern}$`));
  await say('wchc', '\n');
  await say('wchp', '\n');
  await say(
    'dump',
    `SessionTracker dump:\nSession Sets \\(0\\)/\\(0\\):\nephemeral nodes dump:\nSessions with Ephemerals \\(0\\):\nConnections dump:\nConnections Sets \\(1\\)/\\(1\\):\n1 expire at ${DATE}:\n\tip: ${ADDRESS} sessionId: 0x0\n`,
  );
  // of a shorter session a client would ping after a few seconds, and that is counted, too
  await using client = await connect(server.hosts, { timeoutMs: 40_000 });
  await client.create('/eph', 'x', { mode: 'ephemeral' });
  await client.create('/eph2', 'x', { mode: 'ephemeral' });
  await client.get('/eph', { watch: () => {} });
  await client.exists('/none', { watch: () => {} });
  await client.getChildren('/', { watch: () => {} });
  await client.set('/eph2', 'yz');
  const sid = '0x[0-9a-f]{15,16}';
  await say('wchc', `${sid}\n\t/eph\n\t/none\n\n`);
  await say('wchp', `/eph\n\t${sid}\n/none\n\t${sid}\n\n`);
  await say('wchs', '1 connections watching 2 paths\nTotal watches:2\n');
  await say(
    'dump',
    `SessionTracker dump:\nSession Sets \\(1\\)/\\(1\\):\n1 expire at ${DATE}:\n\t${sid}\nephemeral nodes dump:\nSessions with Ephemerals \\(1\\):\n${sid}:\n(\t/eph2?\n){2}Connections dump:\nConnections Sets \\(\\d\\)/\\(2\\):\n(\\d expire at ${DATE}:\n(\tip: ${ADDRESS} sessionId: (0x0|${sid})\n)+)+`,
  );
  await say(
    'cons',
    ` ${ADDRESS}\\[1\\]\\(queued=0,recved=7,sent=7,sid=${sid},lop=SETD,est=\\d{13},to=40000,lcxid=0x6,lzxid=0x\\d0000000[0-9a-f],lresp=\\d+,llat=\\d+,minlat=\\d+,avglat=\\d+,maxlat=\\d+\\)\n ${ADDRESS}\\[0\\]\\(queued=0,recved=1,sent=0\\)\n\n`,
  );
  await say('crst', 'Connection stats reset\\.\n');
  await say(
    'cons',
    ` ${ADDRESS}\\[1\\]\\(queued=0,recved=0,sent=0,sid=${sid},lop=NA,est=\\d{13},to=40000,lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0\\)\n ${ADDRESS}\\[0\\]\\(queued=0,recved=1,sent=0\\)\n\n`,
  );
  await say('srst', 'Server stats reset\\.\n');
  assert.match(await ask('mntr', port), /^zk_packets_received\t1$/m);
  await say('dirs', 'datadir_size: [1-9]\\d*\nlogdir_size: [1-9]\\d*\n');
  await say('hash', '');
  assert.match(await ask('envi', port), /^Environment:\nzookeeper\.version=.*\nhost\.name=.+\n(.+=.+\n)+$/);
});

test('answers to words count as sent, as ZooKeeper 3.8.0 was seen to count them', async () => {
  await using server = await new ServerProcess(['4lw.commands.whitelist=*']).start();
  const counted = async (): Promise<number[]> => {
    const [, received, sent] = /Received: (\d+)\nSent: (\d+)\n/.exec(await ask('srvr', server.port)) ?? [];
    return [Number(received), Number(sent)];
  };
  // its own question is counted before it is answered, its answer behind it
  for (const want of [0, 1, 2]) assert.deepEqual(await counted(), [want + 1, want]);
  await ask('ruok', server.port);
  assert.deepEqual(await counted(), [5, 4]);
  const client = await PlainClient.open(server.port);
  assert.deepEqual(await counted(), [7, 6]);
  await client?.ping();
  assert.deepEqual(await counted(), [9, 8]);
  client?.socket.destroy();
  // a word that is none, and a connection on which nothing is said
  await ask('nope', server.port).catch(() => '');
  assert.deepEqual(await counted(), [10, 9]);
  await ask('srst', server.port);
  assert.deepEqual(await counted(), [1, 1]);
  const figures = await ask('mntr', server.port);
  assert.match(figures, /^zk_packets_received\t2$/m);
  assert.match(figures, /^zk_packets_sent\t2$/m);
});

test('without a whitelist only srvr is answered', async () => {
  await using server = await new ServerProcess().start();
  for (const word of ['cons', 'dump', 'envi', 'wchc', 'wchp', 'crst', 'srst', 'dirs', 'hash', 'ruok'])
    assert.equal(await ask(word, server.port), `${word} is not executed because it is not in the whitelist.\n`);
  assert.match(await ask('srvr', server.port), /^Zookeeper version: /);
});

test('a server alone goes by the time of each request, not by that of its last timer', async () => {
  await using server = await new ServerProcess(['tickTime=5000', '4lw.commands.whitelist=*']).start();
  await using client = await connect(server.hosts);
  await sleep(1200);
  const before = Date.now();
  const { stat } = await client.create('/now', 'x');
  assert.ok(Number(stat?.ctime) >= before, `made at ${stat?.ctime}, asked for at ${before}`);
  const uptime = async (): Promise<number> => Number(/^zk_uptime\t(\d+)$/m.exec(await ask('mntr', server.port))?.[1]);
  const first = await uptime();
  await sleep(300);
  assert.ok((await uptime()) >= first + 250);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_REQUESTS } from '../../src/client/exchange.ts';
import { Rig, seeded, statAt } from './rig.ts';

const get = (path: string) => ({ path, watch: false });

test('a new session: greeting, then requests in one write, replies in order', () => {
  const rig = new Rig({ allowReadOnly: true });
  rig.ask('getData', get('/early'));
  rig.up({ silent: false });
  assert.deepEqual(rig.log(), ['connecting', 'dial a:1 2000', 'connected a:1 new']);
  const [hello] = rig.greetings;
  assert.deepEqual(
    [hello?.sessionId, hello?.timeoutMs, hello?.lastZxidSeen, hello?.readOnly, hello?.password?.length],
    [0n, 6000, 0n, true, 16],
  );
  rig.ask('getData', get('/a'), { flush: false });
  rig.ask('delete', { path: '/b', version: -1 }, { flush: false });
  assert.deepEqual(rig.frames(), ['getData 1']);
  rig.flush();
  assert.deepEqual(rig.frames(), ['getData 2', 'delete 3']);
  rig.reply('getData', 1, 7, { data: null, stat: statAt(1) }).reply('getData', 2, 8, { data: null, stat: statAt(1) });
  rig.reply('delete', 3, 9, undefined, -101);
  assert.deepEqual(rig.log(), ['settle /early', 'settle /a', 'fail /b NoNode']);
  assert.equal(rig.session.lastZxid, 9n);
});

const brokenReplies: [name: string, act: (rig: Rig) => void, reason: RegExp][] = [
  ['out of order', (rig) => rig.reply('getData', 2, 1, undefined, -101), /reply 2 came where 1 was due/],
  [
    'to nothing',
    (rig) => rig.reply('delete', 1, 1, undefined, -101).reply('delete', 2, 1, undefined, -101).reply('delete', 3, 1),
    /xid 3 that nothing/,
  ],
  ['cut short', (rig) => rig.receive(Buffer.from('000000040000000100', 'hex').subarray(0, 8)), /protocol.*needs/],
  ['too large', (rig) => rig.receive(Buffer.from('7fffffff', 'hex')), /protocol.*2147483647 bytes/],
  ['negative length', (rig) => rig.receive(Buffer.from('ffffffff', 'hex')), /protocol/],
  [
    'with a body that ends early',
    (rig) => rig.receive(Buffer.from('00000010' + '00000001' + '0000000000000001' + '00000000', 'hex')),
    /protocol/,
  ],
  ['to watches never set', (rig) => rig.reply('setWatches', -8, 1), /watches that were not set/],
  ['to a credential never sent', (rig) => rig.reply('auth', -4, 0), /not sent/],
];
for (const [name, act, reason] of brokenReplies)
  test(`a reply ${name} ends the connection; what was sent is lost, the rest waits`, () => {
    const rig = new Rig().up();
    rig.ask('getData', get('/a'));
    rig.ask('getData', get('/b'));
    rig.ask('getData', get('/c'), { flush: false });
    act(rig);
    const log = rig.log();
    assert.ok(log.includes('hangUp'), log.join('; '));
    const suspended = log.find((line) => line.startsWith('suspended')) ?? '';
    assert.match(suspended, reason);
    assert.ok(!log.some((line) => line.includes('/c')));
    if (name !== 'to nothing')
      assert.ok(log.includes('fail /a ConnectionLoss') && log.includes('fail /b ConnectionLoss'));
    rig.again();
    assert.deepEqual(
      rig
        .frames()
        .slice(-1)
        .map((frame) => frame.split(' ')[0]),
      ['getData'],
    );
  });

test('a lost connection: suspended at once, then the next host with id, password and last zxid', () => {
  const rig = new Rig({ servers: 'a:1,b:2' }).up({ id: 9n });
  const first = rig.session.server;
  rig.ask('setData', { path: '/a', data: null, version: -1 });
  rig.reply('setData', 1, 44, { stat: statAt(44) }).log();
  rig.ask('setData', { path: '/b', data: null, version: -1 });
  rig.drop('the connection was reset');
  const log = rig.log();
  assert.match(log[0] ?? '', /^suspended \(.*the connection was reset\)$/);
  assert.equal(log[1], 'fail /b ConnectionLoss');
  rig.again({ id: 9n, silent: false });
  assert.notEqual(rig.session.server, first);
  assert.match(rig.log().join(), /connected .:. resumed/);
  const hello = rig.greetings.at(-1);
  assert.deepEqual([hello?.sessionId, hello?.lastZxidSeen, hello?.password], [9n, 44n, Buffer.alloc(16, 9)]);
});

test('pings keep an idle connection; silence for 2/3 of the timeout ends it; 4/3 expires the session', () => {
  const rig = new Rig().up();
  rig.wait(1999);
  assert.deepEqual(rig.frames(), []);
  rig.wait(2);
  assert.deepEqual(rig.frames(), ['ping']);
  rig.reply('ping', -2, 0).wait(3990);
  assert.deepEqual(rig.frames(), ['ping']);
  assert.deepEqual(rig.log(), []);
  rig.wait(20);
  const log = rig.log();
  assert.equal(log[0], 'hangUp');
  assert.match(log[1] ?? '', /^suspended \(a:1: no answer for 4000 ms\)$/);
  const lost = rig.now;
  while (!rig.session.over) rig.wait(50);
  const gone = rig.log().at(-1) ?? '';
  assert.match(gone, /^expired .*4\/3 of the session timeout of 6000 ms/);
  assert.ok(Math.abs(rig.now - lost - 4000) < 60, `${rig.now - lost} ms after the loss`);
  rig.ask('getData', get('/late'));
  assert.deepEqual(rig.log(), ['fail /late SessionExpired']);
});

test('pings are at most 10 s apart, whatever the timeout', () => {
  const rig = new Rig({ timeoutMs: 100_000 }).up({ timeoutMs: 100_000 });
  rig.wait(10_001);
  assert.deepEqual(rig.frames(), ['ping']);
});

test('requests are as good as pings', () => {
  const rig = new Rig().up();
  for (let i = 1; i <= 10; i++) {
    rig.wait(1500).ask('getData', get('/a'));
    rig.reply('getData', i, 1, undefined, -101);
  }
  assert.ok(rig.frames().every((frame) => frame.startsWith('getData')));
});

test('expired by the server: everything that waits is told, nothing is tried again', () => {
  const rig = new Rig().up();
  rig.watch('data', '/w', 'w');
  rig.drop().log();
  rig.ask('getData', get('/queued'));
  rig.again({ timeoutMs: 0, id: 0n, silent: false });
  assert.deepEqual(rig.log(), [
    'hangUp',
    'expired (a:1 does not know session 0x5 any more)',
    'fail /queued SessionExpired',
  ]);
  assert.equal(rig.session.wakeAt, Number.POSITIVE_INFINITY);
  assert.equal(rig.session.watches.size, 0);
});

test('a server that silently begins another session has lost ours', () => {
  const rig = new Rig().up({ id: 5n }).drop();
  rig.log();
  rig.again({ id: 6n, silent: false });
  assert.match(rig.log().join(), /expired \(a:1 began another session/);
});

test('each host gets its turn, then a pause that grows to a bound; the attempts grow more patient', () => {
  const rig = new Rig({ servers: 'a:1,b:2,c:3', timeoutMs: 30_000 });
  rig.take(rig.session.start(rig.now));
  const rounds: string[] = [];
  for (let round = 0; round < 7; round++) {
    const hosts: string[] = [];
    let patience = 0;
    for (let i = 0; i < 3; i++) {
      const [, host = '', ms] = (rig.log().find((line) => line.startsWith('dial')) ?? '').split(' ');
      hosts.push(host);
      patience = Number(ms);
      rig.drop('refused');
      if (i < 2) rig.wait(0);
    }
    const before = rig.now;
    rig.wait(rig.session.wakeAt - rig.now);
    rounds.push(`${hosts.sort().join(' ')}: ${patience} ms each, pause ${rig.now - before} ms`);
  }
  assert.deepEqual(rounds, [
    'a:1 b:2 c:3: 3333 ms each, pause 50 ms',
    'a:1 b:2 c:3: 6667 ms each, pause 100 ms',
    'a:1 b:2 c:3: 10000 ms each, pause 200 ms',
    'a:1 b:2 c:3: 10000 ms each, pause 400 ms',
    'a:1 b:2 c:3: 10000 ms each, pause 800 ms',
    'a:1 b:2 c:3: 10000 ms each, pause 1000 ms',
    'a:1 b:2 c:3: 10000 ms each, pause 1000 ms',
  ]);
  assert.deepEqual(rig.session.failures.map(({ host, reason }) => `${host} ${reason}`).sort(), [
    'a:1 refused',
    'b:2 refused',
    'c:3 refused',
  ]);
});

test('hosts are shuffled by the chance handed in', () => {
  const firsts = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const rig = seeded('a:1,b:2,c:3', seed);
    rig.take(rig.session.start(0));
    firsts.add(rig.log()[1]?.split(' ')[1] ?? '');
  }
  assert.deepEqual([...firsts].sort(), ['a:1', 'b:2', 'c:3']);
});

test('why a host failed, as connect() tells it', () => {
  const reasons: [act: (rig: Rig) => void, reason: string][] = [
    [(rig) => rig.drop('refused'), 'refused'],
    [(rig) => rig.take(rig.session.connected(rig.now)).drop(), 'answers but is not serving'],
    [(rig) => rig.take(rig.session.connected(rig.now)).wait(2001), 'answers but is not serving'],
    [(rig) => rig.wait(2001), 'timed out'],
    [(rig) => rig.take(rig.session.connected(rig.now)).receive(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])), 'TLS required'],
    [
      (rig) => rig.take(rig.session.connected(rig.now)).receive(Buffer.from('HTTP/1.1 400 Bad')),
      "does not speak ZooKeeper's protocol: a frame of 1213486160 bytes; at most 1048576 are accepted",
    ],
    [(rig) => rig.take(rig.session.connected(rig.now)).greet({ timeoutMs: 0, id: 0n }), 'refused a new session'],
    [() => {}, 'timed out'],
  ];
  for (const [act, reason] of reasons) {
    const rig = new Rig();
    rig.take(rig.session.start(rig.now));
    act(rig);
    assert.deepEqual(rig.session.failures, [{ host: 'a:1', reason }]);
  }
});

test('after a reconnect: credentials, then watches, then requests, in one go', () => {
  const rig = new Rig({ auth: [{ scheme: 'digest', auth: 'u:p' }] }).up();
  assert.deepEqual(rig.frames(), ['auth']);
  rig.reply('auth', -4, 0);
  assert.deepEqual(rig.log(), ['auth digest ok']);
  rig
    .take(rig.session.addAuth({ scheme: 'ip', auth: '' }, rig.now))
    .reply('auth', -4, 0)
    .log();
  rig.watch('data', '/d', 'd', 20).frames();
  rig.drop().log();
  rig.ask('getData', get('/x'));
  rig.again();
  const [first, second, watches] = rig.sent;
  assert.deepEqual([first?.body.scheme, second?.body.scheme], ['digest', 'ip']);
  assert.deepEqual(watches?.body, { relativeZxid: 20n, dataWatches: ['/d'], existWatches: [], childWatches: [] });
  assert.deepEqual(rig.frames(), ['auth', 'auth', 'setWatches', 'getData 2']);
});

test('a refused credential ends the session', () => {
  const rig = new Rig({ auth: [{ scheme: 'digest', auth: 'u:p' }] }).up();
  rig.ask('getData', get('/x'));
  rig.reply('auth', -4, 0, undefined, -115);
  assert.deepEqual(rig.log(), [
    'hangUp',
    'authFailed (the server refused the digest credential)',
    'fail /x AuthFailed',
    'auth digest AuthFailed',
  ]);
});

test('watches of every kind come back; the old packet is used where no persistent one is among them', () => {
  const rig = new Rig().up();
  for (const kind of ['data', 'exists', 'children', 'persistent', 'persistentRecursive'] as const)
    rig.watch(kind, `/${kind}`, kind, 30);
  rig.frames();
  rig.drop().log();
  rig.again();
  assert.deepEqual(rig.sent.at(-1), {
    xid: -8,
    op: 'setWatches2',
    body: {
      relativeZxid: 30n,
      dataWatches: ['/data'],
      existWatches: ['/exists'],
      childWatches: ['/children'],
      persistentWatches: ['/persistent'],
      persistentRecursiveWatches: ['/persistentRecursive'],
    },
  });
});

test('what was missed is told: one-shot watches by events, persistent ones by a gap after the last catch-up', () => {
  const rig = new Rig().up();
  rig.watch('data', '/a', 'once', 30).watch('persistent', '/p', 'stays', 30);
  rig.drop().log();
  rig.again();
  rig.event('NodeDataChanged', '/a');
  assert.deepEqual(rig.log(), ['event NodeDataChanged /a - to once']);
  rig.reply('setWatches', -8, 35);
  assert.deepEqual(rig.log(), ['gap /p after 30']);
  rig.event('NodeDataChanged', '/a').event('NodeCreated', '/p', 36);
  assert.deepEqual(rig.log(), ['event NodeCreated /p 36 to stays']);
});

test('no gap when the server has applied nothing new', () => {
  const rig = new Rig().up();
  rig.watch('persistent', '/p', 'stays', 30);
  rig.drop().again();
  rig.reply('setWatches', -8, 30);
  assert.deepEqual(rig.log(), []);
});

test('a catch-up that breaks off starts over from the same zxid, though replies were seen', () => {
  const rig = new Rig().up();
  for (let i = 0; i < 3000; i++) rig.watch('data', `/${'x'.repeat(100)}${i}`, `w${i}`, 50);
  rig.frames();
  rig.drop().again();
  assert.deepEqual(rig.frames(), ['setWatches', 'setWatches', 'setWatches']);
  rig.reply('setWatches', -8, 60);
  assert.equal(rig.session.lastZxid, 60n);
  rig.drop().again();
  assert.equal(rig.greetings.at(-1)?.lastZxidSeen, 60n);
  assert.deepEqual(
    rig.sent.map(({ body }) => body.relativeZxid),
    [50n, 50n, 50n],
  );
  for (let i = 0; i < 3; i++) rig.reply('setWatches', -8, 61);
  rig.frames();
  rig.drop().again();
  assert.equal(rig.sent[0]?.body.relativeZxid, 61n);
});

test('events do not move the last zxid: those of one transaction may come one by one', () => {
  const rig = new Rig().up();
  rig.watch('data', '/a', 'a', 10).watch('data', '/b', 'b', 10);
  rig.log();
  rig.event('NodeDataChanged', '/a', 11);
  rig.drop().again();
  assert.equal(rig.greetings.at(-1)?.lastZxidSeen, 10n);
  assert.deepEqual(rig.sent.at(-1)?.body, {
    relativeZxid: 10n,
    dataWatches: ['/b'],
    existWatches: [],
    childWatches: [],
  });
});

test('a deleted node in the catch-up is told once to each watcher', () => {
  const rig = new Rig().up();
  rig.watch('data', '/a', 'w').watch('children', '/a', 'w').watch('children', '/a', 'v').watch('persistent', '/a', 'p');
  rig.drop().again().log();
  rig.event('NodeDeleted', '/a').event('NodeDeleted', '/a');
  assert.deepEqual(rig.log(), ['event NodeDeleted /a - to w,v,p']);
});

test('a watch begins with the reply: not on failure, on a missing node only for exists', () => {
  const rig = new Rig().up();
  rig.ask('getData', { path: '/a', watch: true }, { watch: ['data', 'w'] });
  rig.ask('exists', { path: '/a', watch: true }, { watch: ['exists', 'e'] });
  rig.ask('exists', { path: '/b', watch: true }, { watch: ['exists', 'e'] });
  rig.reply('getData', 1, 1, undefined, -101).reply('exists', 2, 1, undefined, -101);
  rig.reply('exists', 3, 1, { stat: statAt(1) });
  assert.deepEqual(rig.session.watches.list(), [
    { path: '/b', kind: 'data' },
    { path: '/a', kind: 'exists' },
  ]);
});

test('a one-shot watch under a persistent one is kept here only, and set at the server once that one is gone', () => {
  const rig = new Rig().up();
  rig.watch('persistent', '/a', 'p', 9);
  rig.frames();
  rig.ask('getData', { path: '/a', watch: true }, { watch: ['data', 'w'] });
  assert.equal(rig.sent[0]?.body.watch, false);
  rig.session.watches.remove('persistent', '/a', 'p');
  rig.frames();
  rig.reply('getData', 2, 9, { data: null, stat: statAt(1) });
  assert.deepEqual(rig.sent[0]?.body.dataWatches, ['/a']);
});

test('a request given up: never sent if it was not yet, its reply dropped and no watch begun if it was', () => {
  const rig = new Rig().up();
  const unsent = rig.ask('getData', get('/unsent'), { flush: false });
  rig.session.abandon(unsent);
  const sent = rig.ask('getData', { path: '/sent', watch: true }, { watch: ['data', 'w'] });
  rig.session.abandon(sent);
  assert.deepEqual(rig.frames(), ['getData 1']);
  rig.ask('getData', get('/next'));
  rig.reply('getData', 1, 3, { data: null, stat: statAt(1) }).reply('getData', 2, 3, undefined, -101);
  assert.deepEqual(rig.log(), ['fail /next NoNode']);
  assert.equal(rig.session.watches.size, 0);
});

test('queues are bounded: count, bytes, and the size of one request', () => {
  const rig = new Rig({ maxRequestBytes: 1000 });
  rig.ask('getData', get('/big'), { bytes: 1001 });
  rig.ask('getData', get(`/${'x'.repeat(990)}`), { bytes: 1 });
  rig.up({ silent: false });
  assert.deepEqual(rig.log().slice(0, 2), ['refuse /big tooLarge', 'connecting']);
  const full = new Rig({ maxRequestBytes: 1 << 25 });
  for (let i = 0; i < 3; i++) full.ask('getData', get('/mb'), { bytes: 30 << 20, flush: false });
  assert.deepEqual(full.log(), ['refuse /mb overloaded']);
  const many = new Rig();
  for (let i = 0; i <= MAX_REQUESTS; i++) many.ask('getData', get('/n'), { flush: false });
  assert.deepEqual(many.log(), ['refuse /n overloaded']);
});

test('a frame found too large when written is refused and leaves no trace among its neighbours', () => {
  const rig = new Rig({ maxRequestBytes: 100 }).up();
  rig.ask('getData', get('/a'), { flush: false });
  rig.ask('getData', get(`/${'x'.repeat(200)}`), { bytes: 1, flush: false });
  rig.ask('getData', get('/b'));
  assert.deepEqual(
    rig.sent.map(({ body }) => body.path),
    ['/a', '/b'],
  );
  assert.match(rig.log().join(), /^refuse \/x+ tooLarge$/);
});

test('one request may be larger than the connection says, or not as large', () => {
  const rig = new Rig({ maxRequestBytes: 100 }).up();
  const long = `/${'x'.repeat(200)}`;
  rig.ask('getData', get(long), { bytes: 1, maxBytes: 1000, flush: false });
  rig.ask('getData', get('/said'), { bytes: 500, maxBytes: 1000, flush: false });
  rig.ask('getData', get(long), { bytes: 1, flush: false });
  rig.ask('getData', get('/small'), { maxBytes: 10 });
  assert.deepEqual(
    rig.sent.map(({ body }) => body.path),
    [long, '/said'],
  );
  assert.match(rig.log().join(), /^refuse \/x+ tooLarge,refuse \/small tooLarge$/);
});

test('a full socket holds requests back until it has room', () => {
  const rig = new Rig().up();
  rig.session.blocked();
  rig.ask('getData', get('/a'));
  assert.deepEqual(rig.frames(), []);
  rig.take(rig.session.drained(rig.now));
  assert.deepEqual(rig.frames(), ['getData 1']);
});

test('close: what was submitted is sent first, later requests are refused, pings go on, the reply ends it', () => {
  const rig = new Rig().up();
  rig.ask('delete', { path: '/a', version: -1 }, { flush: false });
  rig.take(rig.session.close(rig.now));
  assert.deepEqual(rig.frames(), ['delete 1', 'closeSession 2']);
  rig.ask('getData', get('/late'));
  assert.deepEqual(rig.log(), ['fail /late Closing']);
  rig.wait(2001);
  assert.deepEqual(rig.frames(), ['ping']);
  rig.reply('delete', 1, 5).reply('closeSession', 2, 6);
  assert.deepEqual(rig.log(), ['settle /a', 'hangUp', 'closed']);
  assert.equal(rig.session.wakeAt, Number.POSITIVE_INFINITY);
});

test('close without an answer ends when its time is up', () => {
  const rig = new Rig().up();
  rig.take(rig.session.close(rig.now));
  while (!rig.session.over && rig.now < 60_000) rig.wait(100);
  assert.ok(rig.now <= 1000 + 4000 + 100, `${rig.now}`);
});

test('close while suspended looks for a server a short while, so that ephemerals go at once', () => {
  const rig = new Rig().up().drop();
  rig.log();
  rig.ask('getData', get('/queued'));
  rig.take(rig.session.close(rig.now));
  assert.deepEqual(rig.log(), ['fail /queued Closing']);
  rig.again();
  assert.deepEqual(rig.frames(), ['closeSession 1']);
  rig.reply('closeSession', 1, 9);
  assert.deepEqual(rig.log(), ['hangUp', 'closed']);
  const alone = new Rig().up().drop();
  alone.log();
  alone.take(alone.session.close(alone.now)).wait(2001);
  assert.equal(alone.log().at(-1), 'closed');
  const never = new Rig();
  never.take(never.session.start(0)).take(never.session.close(0));
  assert.deepEqual(never.log().slice(2), ['hangUp', 'closed']);
});

test('on a read-only server: told so, another that can write is looked for and moved to with a new session', () => {
  const rig = new Rig({ servers: 'a:1,b:2', allowReadOnly: true });
  rig.up({ readOnly: true, silent: false });
  assert.match(rig.log().at(-1) ?? '', /^connectedReadOnly (.:.) new$/);
  const [here, there] = rig.session.server?.host === 'a' ? ['a:1', 'b:2'] : ['b:2', 'a:1'];
  rig.wait(2000);
  assert.deepEqual(
    rig.log().filter((line) => line !== `probe ${there}`),
    [],
  );
  rig.reply('ping', -2, 0);
  rig.take(rig.session.probed({ host: there?.[0] ?? '', port: 0 }, false, rig.now));
  assert.deepEqual(rig.log(), []);
  const other = { host: there?.split(':')[0] ?? '', port: Number(there?.split(':')[1]) };
  rig.take(rig.session.probed(other, true, rig.now));
  assert.deepEqual(rig.log(), ['hangUp', `suspended (${here}: ${there} is not read-only)`]);
  rig.again({ id: 77n, silent: false });
  assert.equal(rig.greetings.at(-1)?.sessionId, 0n);
  assert.deepEqual(rig.log(), [`connected ${there} new`]);
});

test('an early tick does nothing, and bytes that trickle in count as an answer', () => {
  const rig = new Rig().up();
  rig.take(rig.session.tick(rig.now));
  rig
    .wait(3900)
    .receive(Buffer.from([0, 0]))
    .wait(3900);
  assert.equal(rig.session.state, 'connected');
  rig.wait(200);
  assert.equal(rig.session.state, 'suspended');
});

test('a request that cannot be written is refused alone: no half a frame goes out, those around it do', () => {
  const rig = new Rig().up();
  const broken = { path: '/broken', data: null, version: 3n as unknown as number };
  rig.ask('getData', { path: '/a', watch: false }, { flush: false });
  rig.ask('setData', broken, { flush: false });
  rig.ask('getData', { path: '/b', watch: false }, { flush: false });
  rig.flush();
  assert.deepEqual(
    rig.sent.map(({ op, body }) => `${op} ${body.path}`),
    ['getData /a', 'getData /b'],
  );
  assert.deepEqual(rig.log(), ['refuse /broken invalid']);
  const [first, second] = rig.sent.map(({ xid }) => xid) as [number, number];
  rig.reply('getData', first, 1, { data: null, stat: statAt(1) });
  rig.reply('getData', second, 1, { data: null, stat: statAt(1) });
  assert.deepEqual(rig.log(), ['settle /a', 'settle /b']);
});

test('a request whose length is not known when it is written is refused, and the loop that writes ends', () => {
  const rig = new Rig().up();
  rig.ask('setData', { path: '/broken', data: 5 as never, version: -1 });
  rig.ask('getData', { path: '/a', watch: false });
  assert.deepEqual(rig.log(), ['refuse /broken invalid']);
  assert.deepEqual(
    rig.sent.map(({ op, body }) => `${op} ${body.path}`),
    ['getData /a'],
  );
});

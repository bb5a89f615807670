import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Beside,
  ConfigError,
  checkConfig,
  type EnsembleConfig,
  parseProperties,
} from '../../src/server/config.ts';
import { parseDynamicFile } from '../../src/server/config-members.ts';
import { addressesOf, isLoopback, showHost } from '../../src/server/config-servers.ts';

const BASE = 'dataDir=/data\ntickTime=2000\nclientPort=2181\n';
const TICKS = 'initLimit=10\nsyncLimit=5\n';
const THREE = [1, 2, 3].map((n) => `server.${n}=127.0.0.1:${20 + n}:${30 + n}`).join('\n');
const beside = (myid: string, dynamic?: Beside['dynamic']): Beside => ({
  myid: { text: myid, from: { file: '/data/myid', line: 1 } },
  ...(dynamic !== undefined && { dynamic }),
});
const read = (text: string, myid = '1\n', dynamic?: Beside['dynamic']) =>
  checkConfig(parseProperties(BASE + text, 'zoo.cfg'), beside(myid, dynamic));
const ensemble = (text: string, myid?: string, dynamic?: Beside['dynamic']): EnsembleConfig => {
  const found = read(text, myid, dynamic).ensemble;
  assert.ok(found !== undefined);
  return found;
};

test('three server lines and myid make a member', () => {
  const { own, servers, members, lines, linesHash, ...rest } = ensemble(`${TICKS}${THREE}`, ' 2 \nrest is ignored');
  assert.equal(own.id, 2);
  assert.deepEqual(
    servers.map(({ id }) => id),
    [1, 2, 3],
  );
  assert.deepEqual(members[0], {
    sid: 1,
    role: 'participant',
    incarnation: null,
    addresses: ['127.0.0.1:21:31'],
    client: null,
  });
  assert.deepEqual(lines, [
    'server.1=127.0.0.1:21:31:participant',
    'server.2=127.0.0.1:22:32:participant',
    'server.3=127.0.0.1:23:33:participant',
  ]);
  assert.match(linesHash, /^[0-9a-f]{16}$/);
  assert.deepEqual(rest, {
    sid: 2,
    role: 'participant',
    linesVersion: 0n,
    dynamicConfigFile: undefined,
    listen: { quorum: [{ host: '127.0.0.1', port: 22 }], election: [{ host: '127.0.0.1', port: 32 }] },
    multiAddress: false,
    initLimit: 10,
    syncLimit: 5,
    silenceTicks: 2,
    connectTimeoutMs: 5000,
    bindAttempts: 3,
    commitLogCount: 100_000,
    voteSilenceMs: undefined,
    notify: { leastMs: 200, mostMs: 60_000 },
    mostSyncs: { snap: 10, diff: 100 },
    reconnectDelayMs: 0,
    leaderServes: true,
    standaloneEnabled: true,
    name: 'zoosh',
    secretFile: undefined,
    tls: undefined,
    insecure: false,
    trustsAnyone: true,
  });
  assert.equal(read(TICKS + THREE).serverId, 1);
  assert.deepEqual(read(TICKS + THREE).notes, []);
});

test('every setting of an ensemble', () => {
  const text =
    `initLimit=7\nsyncLimit=2\nleaderServes=no\ncnxTimeout=900\nelectionPortBindRetry=0\nquorumCnxnTimeoutMs=700\ncommitLogCount=500\n` +
    'quorumListenOnAllIPs=true\nleader.silenceTicks=4\npeer.ensembleName=blue\npeer.secretFile=/etc/s\npeer.insecure=false\n' +
    `standaloneEnabled=false\n${THREE}`;
  const found = ensemble(text);
  assert.deepEqual(
    [found.initLimit, found.syncLimit, found.silenceTicks, found.connectTimeoutMs, found.bindAttempts],
    [7, 2, 4, 900, 0],
  );
  assert.deepEqual(found.listen, {
    quorum: [{ host: '0.0.0.0', port: 21 }],
    election: [{ host: '0.0.0.0', port: 31 }],
  });
  assert.deepEqual([found.leaderServes, found.standaloneEnabled, found.name], [false, false, 'blue']);
  assert.deepEqual([found.secretFile, found.commitLogCount, found.voteSilenceMs], ['/etc/s', 500, 700]);
  assert.equal(ensemble(`initLimit=1\nsyncLimit=2\n${THREE}`).silenceTicks, 2); // never under two ticks
});

test('addresses: IPv6, several of one server, clients, roles', () => {
  const several =
    'multiAddress.enabled=true\nstandaloneEnabled=false\npeer.insecure=true\n' +
    'server.7=zz:1:2|[fe80::1]:3:4|10.0.0.1:5:6:Participant;[::1]:2181';
  const { members, listen, lines } = ensemble(TICKS + several, '7');
  assert.deepEqual(lines, ['server.7=10.0.0.1:5:6|[fe80:0:0:0:0:0:0:1]:3:4|zz:1:2:participant;[0:0:0:0:0:0:0:1]:2181']);
  assert.equal(members[0]?.client, '[0:0:0:0:0:0:0:1]:2181');
  assert.deepEqual(listen.election, [
    { host: 'zz', port: 2 },
    { host: 'fe80::1', port: 4 },
    { host: '10.0.0.1', port: 6 },
  ]);
  assert.deepEqual(addressesOf(members[0] ?? { addresses: [] }), {
    quorum: [
      { host: '10.0.0.1', port: 5 },
      { host: 'fe80:0:0:0:0:0:0:1', port: 3 },
      { host: 'zz', port: 1 },
    ],
    election: [
      { host: '10.0.0.1', port: 6 },
      { host: 'fe80:0:0:0:0:0:0:1', port: 4 },
      { host: 'zz', port: 2 },
    ],
  });
  assert.deepEqual(addressesOf({ addresses: [] }), { quorum: [], election: [] });
  // what is written is read back to the same
  const again = ensemble(
    `${TICKS}multiAddress.enabled=true\nstandaloneEnabled=false\npeer.insecure=true\n${lines[0]}`,
    '7',
  );
  assert.deepEqual(again.members, members);
  assert.equal(showHost('::ffff:10.0.0.1'), '10.0.0.1');
  const loopback = ['localhost', '127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'];
  for (const host of loopback) assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'h', '7f00::1', '127.0.0.1.example.org'])
    assert.ok(!isLoopback(host), host);
});

test('an observer: its line counts, peerType may say so too', () => {
  const four = `${THREE}\nserver.4=127.0.0.1:24:34:observer`;
  assert.equal(ensemble(TICKS + four, '4').role, 'observer');
  assert.deepEqual(read(`${TICKS}peerType=observer\n${four}`, '4').notes, []);
  const lonely = read(`${TICKS}peerType=observer\n${four}`, '1');
  assert.equal(lonely.ensemble?.role, 'participant');
  assert.match(lonely.notes.join(), /peerType=observer, and server\.1 \(zoo\.cfg:7\) says participant/);
  const one = ensemble(
    `${TICKS}standaloneEnabled=false\nserver.1=127.0.0.1:21:31\nserver.4=127.0.0.1:24:34:observer`,
    '4',
  );
  assert.deepEqual([one.role, one.servers.length], ['observer', 2]);
});

test('the name of an ensemble fits into what members tell each other', () => {
  assert.equal(ensemble(`${TICKS}peer.ensembleName=${'é'.repeat(32)}\n${THREE}`).name.length, 32);
  assert.throws(
    () => ensemble(`${TICKS}peer.ensembleName=${'é'.repeat(33)}\n${THREE}`),
    /a name of 66 bytes.*give a shorter one, 64 at most/s,
  );
});

test('groups and weights', () => {
  const groups = 'group.1=1:2\ngroup.5=3\nweight.2=0\nserver.4=127.0.0.1:24:34:observer';
  const { members, lines } = ensemble(`${TICKS}${THREE}\n${groups}`);
  assert.deepEqual(
    members.map(({ sid, group, weight }) => [sid, group, weight]),
    [
      [1, 1, 1],
      [2, 1, 0],
      [3, 5, 1],
      [4, undefined, undefined],
    ],
  );
  assert.deepEqual(lines, [
    'group.1=1:2',
    'group.5=3',
    'server.1=127.0.0.1:21:31:participant',
    'server.2=127.0.0.1:22:32:participant',
    'server.3=127.0.0.1:23:33:participant',
    'server.4=127.0.0.1:24:34:observer',
    'weight.1=1',
    'weight.2=0',
    'weight.3=1',
  ]);
});

test('the hash is that of who votes: machines may have other names for each other', () => {
  const hash = (text: string) => ensemble(`${TICKS}peer.insecure=true\n${text}`).linesHash;
  const named = 'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2';
  assert.equal(hash('server.3=c:1:2;2181\nserver.1=0.0.0.0:1:2:participant\nserver.2=b.example.org:1:2'), hash(named));
  for (const other of [
    'server.1=a:1:2\nserver.2=b:1:2\nserver.4=c:1:2',
    `${named}\nserver.4=d:1:2`,
    `${named}\ngroup.1=1:2:3`,
    `${named}\ngroup.1=1:2:3\nweight.2=2`,
    'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer',
  ])
    assert.notEqual(hash(other), hash(named), other);
});

test('members in a file of their own', () => {
  const file = { text: `# ours\n${THREE}`, file: '/etc/zoo.cfg.dynamic.10000002a' };
  const config = read(`${TICKS}dynamicConfigFile=${file.file}`, '3', file);
  assert.equal(config.ensemble?.linesVersion, 0x10000002an);
  assert.equal(config.ensemble?.dynamicConfigFile, file.file);
  assert.deepEqual(config.inForce.find(({ key }) => key === 'server.1')?.from, { file: file.file, line: 2 });
  assert.equal(parseDynamicFile(THREE, '/etc/zoo.cfg.dynamic').version, 0n);
  // one participant in it runs alone, as it does in zoo.cfg
  const alone = read('dynamicConfigFile=/d', '1', { text: 'server.1=127.0.0.1:21:31;2181', file: '/d' });
  assert.deepEqual([alone.ensemble, alone.serverId, alone.clientPort], [undefined, 1, 2181]);
});

test('clients are served where the own line says', () => {
  const line = 'server.1=127.0.0.1:21:31;127.0.0.1:2181\nserver.2=127.0.0.1:22:32;127.0.0.1:2182';
  const config = (text: string, myid: string) =>
    checkConfig(parseProperties(`dataDir=/data\n${TICKS}${text}${line}`, 'zoo.cfg'), beside(myid));
  assert.deepEqual([config('', '2').clientPort, config('', '2').clientPortAddress], [2182, '127.0.0.1']);
  // every address in the file, one of them in the line
  assert.equal(config('clientPort=2181\n', '1').clientPortAddress, '127.0.0.1');
  assert.equal(config('clientPort=2181\nclientPortAddress=0.0.0.0\n', '1').clientPortAddress, '127.0.0.1');
  assert.throws(() => config('clientPort=2181\nclientPortAddress=10.0.0.1\n', '1'), /10\.0\.0\.1:2181 here/);
  assert.throws(() => config('clientPort=2181\n', '2'), /2181 here and on 127\.0\.0\.1:2182 in server\.2/);
});

test('a line may say where clients are served by TLS, beside the plain port or alone', () => {
  const settings = `${TICKS}ssl.keyStore.location=/k.pem\nssl.trustStore.location=/t.pem\n`;
  const config = (client: string, more = '') =>
    checkConfig(
      parseProperties(
        `dataDir=/data\n${settings}${more}server.1=127.0.0.1:21:31${client}\nserver.2=127.0.0.1:22:32`,
        'zoo.cfg',
      ),
      beside('1'),
    );
  const ports = ({ clientPort, secureClientPort, secureClientPortAddress }: ReturnType<typeof config>) => [
    clientPort,
    secureClientPort,
    secureClientPortAddress,
  ];
  const shown = (of: ReturnType<typeof config>) => of.ensemble?.lines[0]?.replace(/^.*participant/, '');
  for (const [client, want, text] of [
    [';2181;2281', [2181, 2281, undefined], ';0.0.0.0:2181;0.0.0.0:2281'],
    [';;2281', [undefined, 2281, undefined], ';;0.0.0.0:2281'],
    [';10.0.0.1:2181;[::1]:2281', [2181, 2281, '::1'], ';10.0.0.1:2181;[0:0:0:0:0:0:0:1]:2281'],
    [';2181;', [2181, undefined, undefined], ';0.0.0.0:2181'],
    [';;', [undefined, undefined, undefined], ''],
  ] as const) {
    assert.deepEqual(ports(config(client)), want, client);
    assert.equal(shown(config(client)), text);
    assert.equal(shown(config(text)), text, 'it is read as it is written');
  }
  assert.deepEqual(ports(config(';2181', 'secureClientPort=2281\n')), [2181, 2281, undefined]);
  assert.deepEqual(ports(config(';2181;2281', 'secureClientPort=2281\n')), [2181, 2281, undefined]);
  assert.throws(
    () => config(';;127.0.0.1:2281', 'secureClientPort=2282\n'),
    /clients by TLS are served on 0\.0\.0\.0:2282 here and on 127\.0\.0\.1:2281 in server\.1/,
  );
  assert.throws(() => config(';2181;2181'), /secureClientPort and clientPort are both 2181/);
  assert.throws(() => config(';2181;2281;2381'), /has more than two places for clients/);
  assert.throws(() => config(';;1:2:3'), /has no client address where 1:2:3 stands/);
  assert.match(config('', 'clientPort=2181\n').notes.join(), /without secureClientPort .* ssl\.keyStore\.location/);
});

test('servers beyond this machine need a secret, or the word that the network is trusted', () => {
  const far = 'server.1=10.0.0.1:1:2\nserver.2=10.0.0.2:1:2\nserver.3=10.0.0.3:1:2';
  assert.throws(() => ensemble(TICKS + far), /at 10\.0\.0\.1, .*head -c 48 \/dev\/urandom \| base64/);
  assert.ok(ensemble(`${TICKS}${far}\npeer.secretFile=/s`));
  assert.ok(ensemble(`${TICKS}${far}\npeer.insecure=true`));
  assert.throws(() => ensemble(`${TICKS}${THREE}\nquorumListenOnAllIPs=true`), /at 0\.0\.0\.0/);
});

test('a server alone has the id of its line, or of myid', () => {
  assert.equal(read('').serverId, 1);
  assert.equal(checkConfig(parseProperties(BASE, 'zoo.cfg')).serverId, 0);
  assert.equal(read('server.4=h:1:2', '1').serverId, 4);
});

test('even numbers of voters are remarked on', () => {
  const five = `${THREE}\nserver.4=127.0.0.1:24:34`;
  assert.match(read(TICKS + five).notes.join(), /4 voters tolerate no more failures than 3/);
  assert.match(read(`${TICKS}${THREE.split('\n').slice(1).join('\n')}`, '2').notes.join(), /two voters/);
});

test('what cannot be used is refused, with the place and what to do', () => {
  const cases: [string, RegExp, { myid?: string; key?: string; dynamic?: string }?][] = [
    [`syncLimit=5\n${THREE}`, /^zoo\.cfg: initLimit is not set/, { key: 'initLimit' }],
    [`initLimit=5\n${THREE}`, /^zoo\.cfg: syncLimit is not set/, { key: 'syncLimit' }],
    [`initLimit=-1\nsyncLimit=5\n${THREE}`, /zoo\.cfg:4: initLimit/, { key: 'initLimit' }],
    [TICKS + THREE, /\/data\/myid:1: the server id "abc"/, { myid: 'abc', key: 'myid' }],
    [TICKS + THREE, /server id ""/, { myid: '\n1' }],
    [TICKS + THREE, /server id "255"/, { myid: '255' }],
    [TICKS + THREE, /id 9, and there is no line server\.9; correct its myid \(there are 1, 2, 3\)/, { myid: '9' }],
    [`${TICKS}${THREE}\nserver.255=127.0.0.1:4:5`, /server.255=.* has no server id from 1 to 254/],
    [`${TICKS}${THREE}\nelectionAlg=1`, /only 3/],
    [
      `${TICKS}${THREE}\nserver.4=127.0.0.1:21:34`,
      /zoo\.cfg:9: server 4 and server 1 have one address, 127\.0\.0\.1:21/,
    ],
    [`${TICKS}${THREE}\nserver.4=127.0.0.1:31:34`, /one address, 127\.0\.0\.1:31/],
    [`${TICKS}${THREE}\nserver.01=127.0.0.1:5:6`, /server 1 has another line, zoo\.cfg:6/],
    [`${TICKS}${THREE}\ngroup.1=1:2`, /server 3 is in no group/],
    [`${TICKS}${THREE}\nweight.1=2`, /server 1 is in no group/],
    [`${TICKS}${THREE}\ngroup.1=1:2:3:1`, /server 1 is in group 1 and group 1/],
    [`${TICKS}${THREE}\ngroup.1=1:2:3:4`, /server 4, which has no line/],
    [`${TICKS}${THREE}\nserver.4=127.0.0.1:24:34:observer\ngroup.1=1:2:3:4`, /server 4, an observer/],
    [`${TICKS}${THREE}\ngroup.x=1:2:3`, /group\.x has no number/],
    [`${TICKS}${THREE}\ngroup.1=1:2:3\nweight.1=-1`, /no weight/],
    [`${TICKS}${THREE}\ngroup.1=1:2:3\nweight.1=0\nweight.2=0\nweight.3=0`, /no server has a weight/],
    ['group.1=1:2:3', /names server 1, which has no line/],
    [`${TICKS}server.1=127.0.0.1:21:31:observer\nserver.2=127.0.0.1:22:32:observer`, /observers without a participant/],
    [
      `${TICKS}server.1=127.0.0.1:21:31\nserver.2=127.0.0.1:22:32:observer`,
      /single participant.*standaloneEnabled=false/,
    ],
    ['standaloneEnabled=false', /without a server line/, { key: 'standaloneEnabled' }],
    [`standaloneEnabled=false\nserver.1=127.0.0.1:1:2`, /initLimit/],
    [`${TICKS}${THREE}\npeer.insecure=yes`, /neither true nor false/],
    [`dynamicConfigFile=/d\n${THREE}`, /server\.1 stands beside dynamicConfigFile/, { dynamic: THREE }],
    ['dynamicConfigFile=/d', /no server line in \/d/, { dynamic: '' }],
    ['dynamicConfigFile=/d', /\/d:4: tickTime in a dynamic file/, { dynamic: `${THREE}\ntickTime=1` }],
    ['dynamicConfigFile=/d', /\/d:1: a dynamic file with a version inside/, { dynamic: `version=1\n${THREE}` }],
    [`${TICKS}server.1=:1:2`, /names no host/],
  ];
  for (const [text, want, { myid, key, dynamic } = {}] of cases) {
    const error = (() => {
      try {
        read(text, myid, dynamic === undefined ? undefined : { text: dynamic, file: '/d' });
      } catch (thrown) {
        return thrown;
      }
      return assert.fail(`accepted: ${text}`);
    })();
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, want);
    assert.ok(error.remedy.length > 10 && error.exitCode === 43);
    if (key !== undefined) assert.equal(error.key, key);
  }
  const HOSTS = [1, 2, 3].map((n) => `server.${n}=h${n}:21:31`).join('\n');
  const lost = parseProperties(BASE + TICKS + HOSTS, 'zoo.cfg');
  // pasted as it is it makes nobody the first server
  const told = 'mkdir -p /data && echo';
  for (const [here, command] of [
    [undefined, `: ${told} N > /data/myid, with that number for N`],
    [['elsewhere', '::1'], `: ${told} N > /data/myid, with that number for N`],
    [['h2', 'h1'], `: ${told} N > /data/myid, with that number for N`],
    [['me', 'h2'], `into it: ${told} 2 > /data/myid`],
  ] as const)
    assert.throws(
      () => checkConfig(lost, { here: here ?? [] }),
      (error: Error) => error.message.includes('/data/myid is missing') && error.message.endsWith(command),
      command,
    );
  const spaced = parseProperties(`dataDir=/my data\n${TICKS}${THREE}`, 'zoo.cfg');
  assert.throws(() => checkConfig(spaced), /mkdir -p '\/my data' && echo N > '\/my data'\/myid/);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KEEPER_CODES } from '../../src/base/errors.ts';
import { configText, dynamicText } from '../../src/records/member-text.ts';
import { type Config, type Member, READ_ACL } from '../../src/records/txns.ts';
import { membership, parseDynamicFile } from '../../src/server/config-members.ts';
import { parseProperties } from '../../src/server/config-text.ts';
import { dynamicFileOf, repointed, seenFrom } from '../../src/server/dynamic-file.ts';
import { type AppliedNodes, PendingChanges } from '../../src/server/pending.ts';
import { Decider } from '../../src/server/prepare.ts';
import { decideReconfig, type ReconfigRequest, type ReconfigView } from '../../src/server/reconfig.ts';

const VECTORS = fileURLToPath(new URL('../../../test/vectors/quorum/', import.meta.url));

/** Members by their lines, server N having the incarnation iN. */
const configOf = (text: string): Config => ({
  members: membership(parseProperties(text, 'f'), true).members.map((each) => ({
    ...each,
    incarnation: `i${each.sid}`,
  })),
  maxTxnBytes: 1e6,
});
const ONE = 'server.1=127.0.0.1:21034:21035:participant;127.0.0.1:21030';
const view = (changes: Partial<ReconfigView> = {}, text = ONE, synced = [1]): ReconfigView => ({
  enabled: true,
  last: { config: configOf(text), version: 0x100000000n },
  inProgress: false,
  standaloneEnabled: false,
  multiAddress: false,
  synced: synced.map((sid) => ({ sid, incarnation: `i${sid}` })),
  mayWrite: true,
  ...changes,
});
const ask = (changes: Partial<ReconfigRequest>): ReconfigRequest => ({
  joiningServers: null,
  leavingServers: null,
  newMembers: null,
  curConfigId: -1n,
  ...changes,
});
const made = (config: Config | number): readonly Member[] => {
  assert.ok(typeof config !== 'number', `code ${config}`);
  return config.members;
};

interface Step {
  readonly decoded?: {
    readonly request?: { readonly op?: string; readonly Reconfig?: Record<string, string | number | null> };
    readonly response?: {
      readonly op?: string;
      readonly ReplyHeader?: { readonly zxid: string | number; readonly err: number };
      readonly DataStat?: { readonly data: { readonly hex: string } };
    };
  };
}

test('the golden captures of reconfig: every answer, and the text of every config', () => {
  let decided = 0;
  for (const name of ['reconfig-errors', 'reconfig-ok']) {
    const { steps } = JSON.parse(readFileSync(`${VECTORS}${name}.json`, 'utf8')) as { steps: Step[] };
    let last = { config: configOf(ONE), version: 0x100000000n };
    let mayWrite = false;
    let waiting: Config | number | undefined;
    for (const { decoded } of steps) {
      const { request, response } = decoded ?? {};
      if (request?.op === 'auth') mayWrite = true;
      const { Reconfig } = request ?? {};
      if (Reconfig !== undefined) {
        const { joiningServers, leavingServers, newMembers, curConfigId } = Reconfig as unknown as ReconfigRequest;
        const asked = { joiningServers, leavingServers, newMembers, curConfigId: BigInt(curConfigId) };
        waiting = decideReconfig(asked, view({ last, mayWrite }));
      }
      if (response?.op !== 'reconfig' || response.ReplyHeader === undefined) continue;
      const { err, zxid } = response.ReplyHeader;
      decided++;
      if (typeof waiting === 'number' || waiting === undefined) {
        assert.equal(waiting, err, JSON.stringify(Reconfig));
        continue;
      }
      last = { config: waiting, version: BigInt(zxid) };
      const hex = response.DataStat?.data.hex ?? '';
      assert.equal(
        configText(waiting, Number(last.version >> 32n), Number(last.version & 0xffff_ffffn)),
        Buffer.from(hex, 'hex').toString(),
      );
    }
  }
  assert.equal(decided, 9);
});

const THREE = [1, 2, 3].map((n) => `server.${n}=127.0.0.1:${20 + n}:${30 + n};${40 + n}`).join('\n');

test('of several errors the earlier one wins', () => {
  const bad = ask({ joiningServers: 'nonsense', curConfigId: 7n });
  const all: Partial<ReconfigView> = { enabled: false, last: undefined, inProgress: true, synced: [], mayWrite: false };
  const order: [keyof typeof KEEPER_CODES, Partial<ReconfigView>, ReconfigRequest][] = [
    ['ReconfigDisabled', all, bad],
    ['Unimplemented', { ...all, enabled: true }, bad],
    ['ReconfigInProgress', { inProgress: true, synced: [], mayWrite: false }, bad],
    ['BadVersion', { synced: [], mayWrite: false }, bad],
    ['BadArguments', { synced: [], mayWrite: false }, { ...bad, curConfigId: 0x100000000n }],
    ['NewConfigNoQuorum', { synced: [], mayWrite: false }, ask({ leavingServers: '9' })],
    ['NoAuth', { mayWrite: false }, ask({ leavingServers: '9' })],
  ];
  for (const [code, changes, request] of order)
    assert.equal(decideReconfig(request, view(changes)), KEEPER_CODES[code], code);
});

test('one that serves by TLS alone may join; one that serves nobody may not', () => {
  const next = made(decideReconfig(ask({ joiningServers: 'server.4=h:1:2:observer;;2281' }), view()));
  assert.equal(next.find(({ sid }) => sid === 4)?.client, ';0.0.0.0:2281');
  assert.equal(decideReconfig(ask({ joiningServers: 'server.4=h:1:2:observer;;' }), view()), KEEPER_CODES.BadArguments);
});

test('joining and leaving: lists are trimmed, a member that joins again is replaced', () => {
  const three = view({ standaloneEnabled: true }, THREE, [1, 2, 3]);
  assert.deepEqual(
    made(decideReconfig(ask({ leavingServers: ' 3 ,, 8' }), three)).map(({ sid }) => sid),
    [1, 2],
  );
  const moved = made(
    decideReconfig(
      ask({ joiningServers: 'server.2=127.0.0.9:1:2:observer;3, 4 = h:1:2;5' }),
      view({}, THREE, [1, 2, 3]),
    ),
  );
  assert.deepEqual(
    moved.map(({ sid, role, addresses, client, incarnation }) => [sid, role, addresses[0], client, incarnation]),
    [
      [1, 'participant', '127.0.0.1:21:31', '0.0.0.0:41', 'i1'],
      [2, 'observer', '127.0.0.9:1:2', '0.0.0.0:3', 'i2'], // connected, so its incarnation is known
      [3, 'participant', '127.0.0.1:23:33', '0.0.0.0:43', 'i3'],
      [4, 'participant', 'h:1:2', '0.0.0.0:5', null],
    ],
  );
  // leaves and comes back elsewhere in one request
  const both = ask({ leavingServers: '3', joiningServers: 'server.3=127.0.0.1:99:98;97' });
  assert.equal(made(decideReconfig(both, three))[2]?.addresses[0], '127.0.0.1:99:98');
});

test('incarnations: who stays where it is keeps the one listed, even when another is connected', () => {
  const config = configOf(THREE);
  const [one, two, three] = config.members as [Member, Member, Member];
  const last = { config: { ...config, members: [one, two, { ...three, incarnation: null }] }, version: 1n };
  const synced = [
    { sid: 1, incarnation: 'i1' },
    { sid: 2, incarnation: 'wiped' },
    { sid: 3, incarnation: 'new' },
    { sid: 4, incarnation: 'i4' },
  ];
  const next = made(decideReconfig(ask({ joiningServers: 'server.4=h:1:2;3' }), view({ last, synced })));
  assert.deepEqual(
    next.map(({ incarnation }) => incarnation),
    ['i1', 'i2', 'new', 'i4'],
  );
});

test('an observer that was emptied and came back becomes a voter as it is now', () => {
  // its old incarnation is listed until it is admitted; as that one it would be asked in vain for ever
  const lines = 'server.1=h:1:2;3\nserver.2=h:4:5;6\nserver.3=h:7:8:observer;9';
  const synced = [
    { sid: 1, incarnation: 'i1' },
    { sid: 2, incarnation: 'i2' },
    { sid: 3, incarnation: 'anew' },
  ];
  const last = { config: configOf(lines), version: 1n };
  const next = made(decideReconfig(ask({ joiningServers: 'server.3=h:7:8;9' }), view({ last, synced })));
  assert.deepEqual([next[2]?.role, next[2]?.incarnation], ['participant', 'anew']);
  const away = view({ last, synced: synced.slice(0, 2) });
  assert.equal(made(decideReconfig(ask({ joiningServers: 'server.3=h:7:8;9' }), away))[2]?.incarnation, 'i3');
});

test('all members anew, groups too; after groups only so', () => {
  const lines = `${THREE.replaceAll('\n', ',')},group.1=1:2:3,weight.2=0,version=55`;
  const grouped = decideReconfig(ask({ newMembers: lines, joiningServers: 'ignored' }), view({}, THREE, [1, 2, 3]));
  assert.deepEqual(
    made(grouped).map(({ group, weight }) => [group, weight]),
    [
      [1, 1],
      [1, 0],
      [1, 1],
    ],
  );
  assert.equal(
    configText(grouped as Config, 2, 0xffff_ffff | 0),
    'server.1=127.0.0.1:21:31:participant;0.0.0.0:41\nserver.2=127.0.0.1:22:32:participant;0.0.0.0:42\n' +
      'server.3=127.0.0.1:23:33:participant;0.0.0.0:43\ngroup.1=1:2:3\nweight.1=1\nweight.2=0\nweight.3=1\nversion=2ffffffff',
  );
  const last = { config: grouped as Config, version: 5n };
  const after = view({ last, synced: [1, 2, 3].map((sid) => ({ sid, incarnation: `i${sid}` })) });
  assert.equal(decideReconfig(ask({ leavingServers: '3' }), after), KEEPER_CODES.BadArguments);
  assert.equal(made(decideReconfig(ask({ newMembers: `${THREE}\n` }), after)).length, 3);
});

test('what cannot be read is refused as ZooKeeper refuses it', () => {
  const cases: [keyof typeof KEEPER_CODES, Partial<ReconfigRequest>, Partial<ReconfigView>?][] = [
    ['BadArguments', { joiningServers: 'server.4' }],
    ['BadArguments', { joiningServers: 'server.4=h:1:2;3=4' }],
    ['BadArguments', { joiningServers: 'server.4=h:1:2' }],
    ['BadArguments', { joiningServers: 'server.4=h:1;3' }],
    ['BadArguments', { joiningServers: 'server.4=h:1:2:king;3' }],
    ['BadArguments', { joiningServers: 'server.4=h:1:2|g:1:2;3' }],
    ['BadArguments', { joiningServers: 'server.300=h:1:2;3' }],
    ['BadArguments', { joiningServers: 'server.4=127.0.0.1:21:99;3' }],
    ['MarshallingError', { joiningServers: 'server.x=h:1:2;3' }],
    ['MarshallingError', { leavingServers: '1,x' }],
    ['BadArguments', { leavingServers: '1,2' }, { standaloneEnabled: true }],
    ['BadArguments', { leavingServers: '1,2,3' }],
    ['BadArguments', { newMembers: 'tickTime=1' }],
    ['BadArguments', { newMembers: 'server.1=h:1' }],
    ['BadArguments', { newMembers: `${THREE},group.1=1:2` }],
    ['BadArguments', { newMembers: 'server.1=127.0.0.1:1:2;3' }, { standaloneEnabled: true }],
    ['MarshallingError', { newMembers: 'server.x=h:1:2;3' }],
    ['MarshallingError', { newMembers: `${THREE},version=zz` }],
    ['MarshallingError', { newMembers: '' }],
    ['BadArguments', { newMembers: '' }, { standaloneEnabled: true }],
    ['MarshallingError', { newMembers: 'server.1=h:1:2:observer;3' }],
    ['NewConfigNoQuorum', { newMembers: 'server.7=h:1:2;3' }],
  ];
  for (const [code, request, changes] of cases)
    assert.equal(
      decideReconfig(ask(request), view(changes, THREE, [1, 2, 3])),
      KEEPER_CODES[code],
      JSON.stringify(request),
    );
  // one that stood alone has no address; it needs a line before others can join it
  const alone = {
    config: { members: [{ ...configOf(ONE).members[0], addresses: [] } as Member], maxTxnBytes: 1 },
    version: 1n,
  };
  assert.equal(
    decideReconfig(ask({ joiningServers: 'server.2=h:1:2:observer;3' }), view({ last: alone })),
    KEEPER_CODES.BadArguments,
  );
  const own = ask({ joiningServers: `server.2=h:1:2:observer;3,${ONE}` });
  assert.equal(made(decideReconfig(own, view({ last: alone }))).length, 2);
});

test('ids that no server here can have are refused last: who may not change the members hears that, as with ZooKeeper', () => {
  for (const id of ['300', '999', '0', '-1', '00300', '999999999999999999']) {
    const line = `server.${id}=0.0.0.0:1234:2345:observer;3456`;
    for (const request of [{ joiningServers: line }, { newMembers: `${THREE},${line}` }])
      for (const [mayWrite, code] of [
        [false, KEEPER_CODES.NoAuth],
        [true, KEEPER_CODES.BadArguments],
      ] as const)
        assert.equal(decideReconfig(ask(request), view({ mayWrite }, THREE, [1, 2, 3])), code, `${line} ${mayWrite}`);
  }
  for (const id of ['+9', '0009'])
    assert.equal(made(decideReconfig(ask({ joiningServers: `server.${id}=h:1:2:observer;3` }), view()))[1]?.sid, 9);
});

test('the dynamic file says the same as the config', () => {
  const config = configOf(`${THREE}\nserver.10=127.0.0.1:60:61:observer`);
  const { file, text } = dynamicFileOf('/etc/zoo.cfg', config, 0x10000000dn);
  assert.equal(file, '/etc/zoo.cfg.dynamic.10000000d');
  assert.equal(
    text,
    'server.10=127.0.0.1:60:61:observer\nserver.1=127.0.0.1:21:31:participant;0.0.0.0:41\n' +
      'server.2=127.0.0.1:22:32:participant;0.0.0.0:42\nserver.3=127.0.0.1:23:33:participant;0.0.0.0:43',
  );
  const read = parseDynamicFile(text, file);
  assert.equal(read.version, 0x10000000dn);
  const again = { ...config, members: membership(read.settings, true).members };
  assert.equal(dynamicText(again), text);
});

test('0.0.0.0 stays where it is right: in the own line', () => {
  // found by server 1, whose own zoo.cfg says 0.0.0.0 for itself
  const config = configOf('server.1=0.0.0.0:1:2\nserver.2=b:1:2\nserver.3=[::]:1:2;3');
  const written = (sid: number, own: string): string =>
    dynamicText(seenFrom({ sid, members: configOf(own).members }, config));
  assert.equal(
    written(2, 'server.1=a:1:2\nserver.2=0.0.0.0:8:9\nserver.3=c:1:2|[fe80::1]:1:2'),
    'server.1=a:1:2:participant\nserver.2=0.0.0.0:1:2:participant\n' +
      'server.3=c:1:2|[fe80:0:0:0:0:0:0:1]:1:2:participant;0.0.0.0:3',
  );
  assert.equal(
    written(1, 'server.1=0.0.0.0:1:2\nserver.2=x:1:2'),
    'server.1=0.0.0.0:1:2:participant\nserver.2=b:1:2:participant\nserver.3=[0:0:0:0:0:0:0:0]:1:2:participant;0.0.0.0:3',
  );
});

test('zoo.cfg is pointed at the dynamic file, and nothing else in it is lost', () => {
  const before = [
    '# our ensemble',
    'tickTime=2000',
    'clientPort=2181',
    'peerType=observer',
    'server.1=h:1:2',
    'zookeeper.snapCount=5',
    '  server.2 = h:\\',
    '   3:4',
    'group.1=1:2',
    '',
  ].join('\n');
  const after = '# our ensemble\ntickTime=2000\nzookeeper.snapCount=5\ndynamicConfigFile=/z/zoo.cfg.dynamic.5\n';
  assert.equal(repointed(before, '/z/zoo.cfg.dynamic.5', '0.0.0.0:2181'), after);
  assert.equal(
    repointed(`${after}dataDir=/d\n`, '/z/zoo.cfg.dynamic.6', undefined),
    '# our ensemble\ntickTime=2000\nzookeeper.snapCount=5\ndynamicConfigFile=/z/zoo.cfg.dynamic.6\ndataDir=/d\n',
  );
  assert.match(repointed(before, '/z/d', undefined), /clientPort=2181\n/);
  // each port is where its own line has it
  const both = 'clientPort=2181\nsecureClientPort=2281\nsecureClientPortAddress=h\n';
  assert.equal(repointed(both, '/z/d', ';h:2281'), 'clientPort=2181\ndynamicConfigFile=/z/d\n');
  assert.equal(repointed(both, '/z/d', 'h:2181;h:2281'), 'dynamicConfigFile=/z/d\n');
  assert.match(repointed(both, '/z/d', 'h:2181'), /^secureClientPort=2281\nsecureClientPortAddress=h\n/);
});

test('nobody writes /zookeeper/config by hand, not even super: members would not change with it', () => {
  const node = { exists: true, version: -1, aversion: -1, creates: 0, children: 0, owner: 0n, acl: READ_ACL };
  const applied: AppliedNodes = { load: (path) => ({ path, ...node, dataBytes: 5, by: 0 }) };
  const options = { extendedTypes: false, enforceQuota: false, auth: {} };
  const decider = new Decider(new PendingChanges(applied), options, () => false);
  const set = (scheme: string) =>
    decider.setData({ session: 1n as never, identities: [{ scheme, id: '' }] }, 1, '/zookeeper/config', null, -1);
  assert.equal(set('world'), KEEPER_CODES.NoAuth);
  assert.equal(set('super'), KEEPER_CODES.BadArguments);
});

test('members that could not be told, or that their own start would refuse, are refused before they are in the log', () => {
  const join = (line: string, changes: Partial<ReconfigView> = {}) =>
    decideReconfig(ask({ joiningServers: line }), view({ multiAddress: true, ...changes }));
  const { BadArguments } = KEEPER_CODES;
  made(join('server.2=10.1.2.3:1:2:observer;3'));
  assert.equal(join(`server.2=${'h'.repeat(1100)}:1:2:observer;3`), BadArguments);
  const many = (count: number): string =>
    `server.2=${Array.from({ length: count }, (_, i) => `10.0.0.${i}:1:2`).join('|')}:observer;3`;
  made(join(many(16)));
  assert.equal(join(many(17)), BadArguments);
  assert.equal(join('server.2=10.1.2.3:1:2:observer;3', { trustsAnyone: true }), BadArguments);
  made(join('server.2=127.0.0.1:1:2:observer;3', { trustsAnyone: true }));
  made(join('server.2=0.0.0.0:1:2:observer;0.0.0.0:3', { trustsAnyone: true })); // as kazoo's own tests have it
});

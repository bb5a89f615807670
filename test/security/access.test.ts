/** Who may do what: as Debian's ZooKeeper says, asked of the whole server in memory; and nobody learns what he may not read. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KEEPER_CODES } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { DamageNotes } from '../../src/runtime/damage-notes.ts';
import { answerWord, isFourLetter, type WordContext } from '../../src/runtime/four-letter.ts';
import { Tally } from '../../src/runtime/tally.ts';
import { noTraffic } from '../../src/runtime/traffic.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { amount } from '../amount.ts';
import { ForwardedWire } from './access/forwarded-wire.ts';
import { ALICE, givenAcls, make, need, OPEN, openAs, openWith, outcome, permissions } from './access/matrix.ts';
import { OTHERS, PROVED_OTHERS } from './access/others.ts';
import { provedGiven, provedPermissions, provedTable } from './access/proved.ts';
import { ALL_SCHEMES, PureWire } from './access/pure-wire.ts';
import { table } from './access/table.ts';
import type { Line } from './access/wire.ts';

const ALL_WORDS = 'conf cons crst dirs dump envi hash isro mntr ruok srst srvr stat wchc wchp wchs gtmk stmk'.split(
  ' ',
);
/** Recorded by access/record.ts. */
const recorded = (name: string): string[] => {
  const file = fileURLToPath(new URL(`../../../test/security/access/${name}`, import.meta.url));
  return readFileSync(file, 'utf8').trimEnd().split('\n');
};
/** Ours is theirs, but for the lines that are explained. */
function compare(ours: readonly string[], theirs: readonly string[], others: typeof OTHERS): void {
  const without = (lines: readonly string[], known: readonly string[]): string[] => {
    const left = [...lines];
    for (const each of known) {
      const at = left.indexOf(each);
      assert.ok(at >= 0, `explained, and not so: ${each}`);
      left.splice(at, 1);
    }
    return left;
  };
  assert.deepEqual(
    without(
      ours,
      others.flatMap((each) => each.ours),
    ),
    without(
      theirs,
      others.flatMap((each) => each.theirs),
    ),
  );
}
test('every operation on every ACL by everybody, logins, given ACLs, watches: as ZooKeeper 3.8.0, but for named lines', async () => {
  const theirs = recorded('apache-3.8.0.txt');
  await using wire = new PureWire();
  const ours = await table(wire);
  compare(ours, theirs, OTHERS);
  assert.ok(ours.length > 130 && theirs.filter((line) => line.includes(': ----')).length > 15);
});

test('the same by SASL and by certificates: holders, others of the scheme, the same name by another, super users', async () => {
  const theirs = recorded('apache-3.8.0-proved.txt');
  await using wire = new PureWire(ALL_SCHEMES);
  const ours = await provedTable(wire);
  compare(ours, theirs, PROVED_OTHERS);
  assert.ok(ours.length > 150 && theirs.filter((line) => line.includes(': ----')).length > 15);
});

test('what a learner forwards is judged by who asked there, as what the leader is asked itself', async () => {
  for (const [options, ask, give] of [
    [{}, permissions, givenAcls],
    [ALL_SCHEMES, provedPermissions, provedGiven],
  ] as const) {
    await using near = new PureWire(options);
    await using far = new ForwardedWire(options);
    assert.deepEqual(await ask(far), await ask(near));
    assert.deepEqual(await give(far), await give(near));
  }
});

/** What a refused client must never be sent. */
const SECRETS = { data: 'TOP-SECRET', name: 'HIDDEN', hash: 'aaaaBBBBccccDDDDeeeeFFFFggg=' };
const KEEPER = [{ perms: 31, id: { scheme: 'digest', id: `keeper:${SECRETS.hash}` } }];
/** Whoever may do everything by another scheme: his name is none of a stranger's business either. */
const KEEPERS = [
  ...KEEPER,
  { perms: 31, id: { scheme: 'sasl', id: SECRETS.hash } },
  { perms: 31, id: { scheme: 'x509', id: `CN=${SECRETS.name}` } },
];
const shown = (line: Line): string[] => {
  const all = Buffer.concat(line.heard).toString('latin1');
  return Object.values(SECRETS).filter((each) => all.includes(each));
};

for (const [who, proofs] of [
  ['nobody', []],
  ['another by digest', ['digest keeper:guess']],
  ['another by SASL', ['sasl ann:annsecret']],
  ['another by certificate', ['x509 ann']],
] as const)
  test(`a reply that refuses ${who} is a header, and nothing of the node is in it or in any event`, () =>
    refusals(proofs));
async function refusals(proofs: readonly string[]): Promise<void> {
  const wire = new PureWire(ALL_SCHEMES);
  const admin = await openAs(wire, 'super');
  const acl = [...KEEPERS, { perms: 14, id: { scheme: 'world', id: 'anyone' } }];
  await need(make(admin, '/v'));
  await need(make(admin, '/v/known', SECRETS.data, acl));
  await need(make(admin, `/v/known/${SECRETS.name}`, SECRETS.data, acl));
  const line = await openWith(wire, proofs);
  for (const path of ['/', '/v', '/v/known', '/v/known/none']) await need(line.ask('addWatch', { path, mode: 1 }));
  await need(line.ask('addWatch', { path: '/v/known', mode: 0 }));
  const path = '/v/known';
  const refused = [
    line.ask('getData', { path, watch: true }),
    line.ask('exists', { path, watch: true }),
    line.ask('getChildren', { path, watch: true }),
    line.ask('getChildren2', { path, watch: true }),
    line.ask('getAllChildrenNumber', { path }),
    line.ask('getAcl', { path }),
    line.ask('setAcl', { path, acl: OPEN, version: -1 }),
  ];
  for (const each of refused) {
    const answer = await each;
    assert.equal(answer?.err, KEEPER_CODES.NoAuth);
    assert.equal(answer.body.length, 0);
  }
  // parts of a multi and of a multiRead: each with its code and no more
  const { body } = await need(
    line.ask(
      'multiRead',
      [4, 8].map((type) => ({ type, request: { path, watch: false } })),
    ),
  );
  assert.equal(body.length, 2 * 13 + 9);
  const check = [{ type: 13, request: { path, version: 0 } }];
  assert.equal((await need(line.ask('multi', check))).body.length, 13 + 9);
  // everything that can happen there, seen by five watches
  await need(admin.ask('setData', { path, data: Buffer.from(SECRETS.data), version: -1 }));
  await need(admin.ask('create2', { path: `${path}/${SECRETS.name}2`, data: null, acl: KEEPER, flags: 1 }));
  await need(admin.ask('delete', { path: `${path}/${SECRETS.name}`, version: -1 }));
  await admin.ask('closeSession', {});
  await need(line.ask('sync', { path: '/' }));
  assert.deepEqual([shown(line), line.events], [[], []]);
}

test('identities belong to a connection: who takes his session up again has to prove himself again', async () => {
  const wire = new PureWire();
  const admin = await openAs(wire, 'super');
  await need(make(admin, '/mine', SECRETS.data, [{ perms: 31, id: { scheme: 'digest', id: ALICE } }]));
  const line = await openAs(wire, 'alice');
  await need(line.ask('getData', { path: '/mine', watch: true }));
  const again = wire.resume(line);
  assert.equal(wire.connectionOf(again).session, wire.connectionOf(line).session);
  assert.equal(line.ended || wire.connectionOf(line).state === 'closing', true);
  assert.equal(outcome(await again.ask('getData', { path: '/mine', watch: false })), 'NoAuth');
  await need(again.ask('addWatch', { path: '/mine', mode: 0 }));
  await need(admin.ask('setData', { path: '/mine', data: Buffer.from(SECRETS.data), version: -1 }));
  await need(again.ask('sync', { path: '/' }));
  assert.deepEqual([shown(again), again.events], [[], []]);
});

/** Somebody who asks at random about nodes that he knows of and may not read, while their owner goes on. */
test('whatever somebody asks, in whatever order, he learns nothing of what he may not read', async () => {
  const STEPS = amount(40_000, 6_000);
  const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const wire = new PureWire();
  const admin = await openAs(wire, 'super');
  const KNOWN = ['/vault', '/vault/a', '/vault/b', '/vault/a/c'];
  /** Bits of the world that let nobody read: neither READ nor ADMIN. */
  const closed = () => [...KEEPER, { perms: random.below(8) << 1, id: { scheme: 'world', id: 'anyone' } }];
  for (const path of KNOWN) await need(make(admin, path, SECRETS.data, closed()));
  const secretly = () => `${pick(KNOWN)}/${SECRETS.name}${random.below(6)}`;
  const data = Buffer.from(SECRETS.data);
  const ownerDoes: readonly (() => Promise<unknown>)[] = [
    () => make(admin, secretly(), SECRETS.data, closed()),
    () => admin.ask('create2', { path: secretly(), data, acl: closed(), flags: random.below(4) }),
    () => admin.ask('setData', { path: random.below(2) === 0 ? secretly() : pick(KNOWN), data, version: -1 }),
    () => admin.ask('setAcl', { path: random.below(2) === 0 ? secretly() : pick(KNOWN), acl: closed(), version: -1 }),
    () => admin.ask('delete', { path: secretly(), version: -1 }),
    () =>
      admin.ask(
        'multi',
        [2, 1].map((type) => ({ type, request: part(type, secretly()) })),
      ),
  ];
  const part = (type: number, path: string) => {
    const common = { path, version: random.below(3) - 1, data: Buffer.from('x'), watch: false };
    return { ...common, acl: path === '/own' ? OPEN : closed(), flags: type === 5 ? 0 : random.below(4), ttl: 5n };
  };
  const somewhere = () => pick([...KNOWN, '/', '/vault/none', '/zookeeper']);
  let line = wire.openNow();
  const reads = ['getData', 'exists', 'getChildren', 'getChildren2'] as const;
  let told = 0;
  for (let step = 0; step < STEPS; step++) {
    if (random.below(2) === 0) {
      await pick(ownerDoes)();
      continue;
    }
    const path = somewhere();
    switch (random.below(9)) {
      case 0:
        await line.ask('addWatch', { path, mode: random.below(2) });
        break;
      case 1: {
        const paths = () => [somewhere(), somewhere()];
        await line.ask('setWatches2', {
          relativeZxid: BigInt(random.below(1000)) as never,
          ...{ dataWatches: paths(), existWatches: paths(), childWatches: paths() },
          ...{ persistentWatches: paths(), persistentRecursiveWatches: paths() },
        });
        break;
      }
      case 2:
        await line.ask(
          'multi',
          Array.from({ length: 1 + random.below(3) }, () => {
            const type = pick([1, 2, 5, 13, 15]);
            return { type, request: part(type, pick([somewhere(), '/own', '/vault/own'])) };
          }),
        );
        break;
      case 3:
        await line.ask(
          'multiRead',
          [4, 8].map((type) => ({ type, request: { path: somewhere(), watch: false } })),
        );
        break;
      case 4:
        await line.ask('getAllChildrenNumber', { path });
        await line.ask('getEphemerals', { prefixPath: path });
        break;
      case 5:
        await line.ask('setAcl', { path, acl: OPEN, version: -1 });
        break;
      case 6:
        await line.ask('getAcl', { path });
        break;
      case 7:
        if (random.below(40) === 0) line = wire.resume(line);
        else await line.login('digest', `keeper:${random.below(100)}`);
        break;
      default: {
        const answer = await line.ask(pick(reads), { path, watch: random.below(2) === 0 });
        if (path.startsWith('/vault')) assert.ok(answer !== undefined && answer.err !== 0 && answer.body.length === 0);
      }
    }
    told += line.events.length;
    assert.deepEqual(shown(line), [], `seed ${seed}, step ${step}`);
    line.events.length = 0;
    line.heard.length = 0;
  }
  // it could have been seen: the owner has, and events of what is open came through
  await need(admin.ask('setData', { path: '/vault', data, version: -1 }));
  await need(admin.ask('create', { path: `/vault/${SECRETS.name}9`, data, acl: closed(), flags: 0 }));
  await need(admin.ask('getData', { path: '/vault', watch: false }));
  for (const path of ['/vault', '/vault/a', '/vault/b']) await admin.ask('getChildren', { path, watch: false });
  assert.ok(shown(admin).length >= 2 && told > 0, `${shown(admin)}, ${told} events`);
});

/** What stmk is sent. */
const MASK = Buffer.alloc(8);

test('four-letter words: what may name a path is known, and none has data, an ACL or a credential', async () => {
  const wire = new PureWire();
  const { server } = wire.rig;
  const owner = wire.openNow();
  await need(owner.login('digest', `keeper:${SECRETS.data}`));
  await need(owner.ask('create', { path: `/${SECRETS.name}`, data: Buffer.from(SECRETS.data), acl: KEEPER, flags: 1 }));
  await need(owner.ask('addWatch', { path: `/${SECRETS.name}`, mode: 0 }));
  const connections = new Set([{ connection: wire.connectionOf(owner) }]);
  const contextOf = (line: string): WordContext => ({
    ...{ server, connections, version: '3', started: 0, tally: new Tally() },
    config: checkConfig(parseProperties(`dataDir=/nonexistent\nclientPort=1\n${line}`, 'zoo.cfg')),
    damage: new DamageNotes({ wall: () => 0 } as never),
    ...{ handshakes: 0, traffic: noTraffic(), learners: () => [] },
  });
  const answers = new Map(
    ALL_WORDS.map((word) => [word, answerWord(word, contextOf('4lw.commands.whitelist=*'), MASK)] as const),
  );
  for (const [word, answer] of answers) {
    assert.ok(isFourLetter(word) && !answer.includes('not executed'), word);
    assert.ok(![SECRETS.data, SECRETS.hash, 'keeper:'].some((each) => answer.includes(each)), word);
  }
  const naming = [...answers].flatMap(([word, answer]) => (answer.includes(SECRETS.name) ? [word] : []));
  assert.deepEqual(naming.sort(), ['dump', 'wchc', 'wchp']);
  // as it is delivered none of them answers
  for (const word of ALL_WORDS) {
    const refused = `${word} is not executed because it is not in the whitelist.\n`;
    const answer = answerWord(word, contextOf(''), MASK);
    if (word === 'srvr') assert.ok(answer.startsWith('Zookeeper version'));
    else assert.equal(answer, refused);
  }
});

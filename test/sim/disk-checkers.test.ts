/** Checkers of what members say of their disks: each is shown what is right and what is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { seededRandom } from '../../src/base/random.ts';
import { extentOf, GROUP_HEADER, LENGTH_BYTES, sealGroup } from '../../src/records/log-record.ts';
import { PackWriter, pack } from '../../src/records/pack.ts';
import { beginFrame, PEER_LEVEL, sealFrame } from '../../src/records/peer-frame.ts';
import { type PeerMessage, writeMessage } from '../../src/records/peer-messages.ts';
import { type Config, KIND, type Member, OPEN_ACL, writeEnvelope } from '../../src/records/txns.ts';
import { encodeTrailer } from '../../src/storage/snapshot-format.ts';
import { Member as DiskMember } from '../storage/bench.ts';
import { AckWatch } from './check/acks.ts';
import { Holdings } from './check/holdings.ts';
import { Rig, SESSION, worldAcl } from './check/rig.ts';
import { SimDisk } from './disk.ts';
import { landWhereLast } from './run/disk-harm.ts';

const ONE = '11'.repeat(16);
const OTHER = '22'.repeat(16);
const TAGS = ['aa'.repeat(8), 'bb'.repeat(8)];
const identity = (acceptedEpoch: number, currentEpoch: number, incarnation = ONE): Buffer => {
  const body = pack({ write: 1, incarnation, acceptedEpoch, currentEpoch, bootTags: TAGS });
  const bytes = Buffer.alloc(12 + body.length + 4);
  bytes.writeUInt32BE(0x5a4f4944, 0);
  bytes.writeUInt32BE(body.length, 8);
  bytes.set(body, 12);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12 + body.length)), 12 + body.length);
  return bytes;
};
const at = (epoch: number, counter: number) => ({ epoch, counter });
const zxid = (epoch: number, counter: number): bigint => (BigInt(epoch) << 32n) | BigInt(counter);

/** Server 1 with its disk, which holds these epochs and transactions of epoch 3 up to `upTo`. */
function member(accepted: number, current: number, upTo: number) {
  const rig = new Rig();
  const disk = new SimDisk(seededRandom(1));
  for (const folder of ['/data/zoosh-1', '/log/zoosh-1']) disk.put(`${folder}/identity`, identity(accepted, current));
  const holdings = rig.ledger.holdingsOf(1);
  holdings.named(ONE);
  for (let i = 1; i <= upTo; i++) holdings.keep([{ chain: `${i}:0`, zxid: zxid(3, i) }]);
  const voters = new Set([1]);
  const isVoter = (sid: number): boolean => voters.has(sid);
  const acks = new AckWatch({ ledger: rig.ledger, verdicts: rig.verdicts, diskOf: () => disk, isVoter });
  const link = {};
  const frame = (message: PeerMessage): Uint8Array => {
    const to = new PackWriter();
    beginFrame(to);
    writeMessage(to, message);
    sealFrame(to, 0, PEER_LEVEL);
    return to.bytes.subarray(0, to.at);
  };
  const says = (message: PeerMessage): string[] => {
    acks.said(1, frame(message), link);
    return rig.rules;
  };
  const hears = (message: PeerMessage): void => acks.told(1, frame(message), link);
  return { rig, disk, acks, voters, says, hears };
}

test('I5: an acknowledgement of what the disk does not hold', () => {
  const { says } = member(3, 3, 5);
  assert.deepEqual(says({ type: 'ACK', epoch: 3, incarnation: ONE, upTo: at(3, 5) }), []);
  assert.deepEqual(says({ type: 'ACK', epoch: 3, incarnation: ONE, upTo: at(3, 6) }), ['I5']);
});

test('I5: NEWLEADER acknowledged before the epoch is stored, or before the history is', () => {
  const { says } = member(4, 3, 5);
  assert.deepEqual(says({ type: 'ACKNEWLEADER', epoch: 4, incarnation: ONE, upTo: at(3, 5) }), ['I5', 'I5']);
  const other = member(4, 4, 5);
  assert.deepEqual(other.says({ type: 'ACKNEWLEADER', epoch: 4, incarnation: ONE, upTo: at(3, 5) }), []);
  assert.deepEqual(other.says({ type: 'ACKNEWLEADER', epoch: 4, incarnation: ONE, upTo: at(3, 9) }), ['I5']);
});

test('I11: a start is told of that the disk may not know', () => {
  const info = { incarnation: ONE, acceptedEpoch: 3, voter: true, config: null };
  const tags = [...TAGS, 'cc'.repeat(8)];
  const learner = member(3, 3, 5);
  assert.deepEqual(learner.says({ type: 'FOLLOWERINFO', ...info, tags: TAGS }), []);
  assert.deepEqual(learner.says({ type: 'FOLLOWERINFO', ...info, tags }), ['I11', 'I11']);
  const leader = member(3, 3, 5);
  leader.hears({ type: 'LEADERINFO', epoch: 3, incarnation: ONE, tags: TAGS, config: null });
  assert.deepEqual(leader.rig.rules, []);
  leader.hears({ type: 'LEADERINFO', epoch: 3, incarnation: ONE, tags, config: null });
  assert.deepEqual(leader.rig.rules, ['I11', 'I11']);
});

test('I5: NEWLEADER acknowledged with less than came before it', () => {
  for (const end of [5, 6]) {
    const { says, hears } = member(4, 4, 5);
    hears({ type: 'TRUNC', epoch: 4, to: { ...at(3, end), chainHi: 1, chainLo: 1 } });
    hears({ type: 'NEWLEADER', epoch: 4 });
    const rules = says({ type: 'ACKNEWLEADER', epoch: 4, incarnation: ONE, upTo: at(3, 5) });
    assert.deepEqual(rules, end === 5 ? [] : ['I5']);
  }
});

test('I5: a promise that is not on the disk, or is given twice', () => {
  const last = { ...at(3, 5), chainHi: 5, chainLo: 0 };
  const promise = (epoch: number): PeerMessage => ({ type: 'ACKEPOCH', epoch, currentEpoch: 3, last, ends: [last] });
  const { says } = member(4, 3, 5);
  assert.deepEqual(says(promise(4)), []);
  assert.deepEqual(says({ ...promise(4), currentEpoch: null } as PeerMessage), []);
  assert.deepEqual(says(promise(4)), ['I5']);
  assert.deepEqual(says(promise(5)), ['I5', 'I5', 'I5']);
});

test('I5: a vote for more than the disk holds, or by a record that power may take back', async () => {
  const vote = (epoch: number, counter: number, of = ONE): PeerMessage => ({
    type: 'VOTE',
    state: 'looking',
    round: 1,
    vote: { sid: 1, incarnation: of, epoch, last: at(3, counter) },
    incarnation: ONE,
    config: null,
    lines: null,
  });
  const { says } = member(3, 3, 5);
  assert.deepEqual(says(vote(3, 5)), []);
  assert.deepEqual(says(vote(3, 6)), ['I5']);
  const other = member(3, 3, 5);
  const file = await other.disk.plug().open('/data/zoosh-1/identity', {});
  await file.write(identity(4, 4), 0);
  assert.deepEqual(other.says(vote(3, 5)), ['I5'], 'it was changed in place and is not synced');
  const echo = member(3, 3, 5);
  assert.deepEqual(echo.says(vote(2, 9, OTHER)), [], 'what others say of the directory it had before');
  echo.voters.delete(1);
  assert.deepEqual(echo.says(vote(2, 9)), [], 'and of the time before it was voted out');
});

test('I11: a start with less than was acknowledged; what is known to be damaged, or was cut later, may be missing', () => {
  const begin = (end: number, acceptedEpoch = 3, mayHaveAcked?: number, hurt = true): string[] => {
    const { says, acks, rig, disk } = member(3, 3, 5);
    disk.hurt = hurt;
    says({ type: 'ACK', epoch: 3, incarnation: ONE, upTo: at(3, 5) });
    const most = mayHaveAcked === undefined ? undefined : zxid(3, mayHaveAcked);
    acks.started(1, { incarnation: ONE, acceptedEpoch, end: zxid(3, end), mayHaveAcked: most });
    return rig.rules;
  };
  assert.deepEqual(begin(5), []);
  assert.deepEqual(begin(4), ['I11']);
  assert.deepEqual(begin(4, 4), []);
  assert.deepEqual(begin(2, 3, 5), []);
  assert.deepEqual(begin(2, 3, 5, false), ['I11'], 'nobody hurt it');
});

test('I11: a snapshot that is being renamed is there, under one name or the other; one that is not synced is not', async () => {
  const { disk, acks } = member(3, 3, 0);
  const plug = disk.plug();
  const path = `/data/zoosh-1/snapshot.${zxid(3, 7).toString(16)}`;
  const file = await plug.open(`${path}.staged`, { create: true });
  await file.write(Buffer.alloc(100, 1), 0);
  await plug.syncDir('/data/zoosh-1');
  const isThere = (): boolean => acks.isThere(1, zxid(3, 7));
  await file.sync();
  assert.equal(isThere(), false, 'only a part of it came');
  await file.write(Buffer.alloc(1, 1), 0);
  await plug.rename(`${path}.staged`, path);
  assert.equal(isThere(), false, 'its bytes are not on the disk');
  await file.sync();
  assert.equal(isThere(), true);
  await plug.unlink(path);
  assert.equal(isThere(), false, 'what was renamed is removed');
  await plug.syncDir('/data/zoosh-1');
  assert.equal(isThere(), false);
  const whole = await plug.open(`${path}.staged`, { create: true });
  const body = Buffer.alloc(100, 1);
  await whole.write(Buffer.concat([body, encodeTrailer(1, body.length)]), 0);
  await whole.sync();
  await plug.syncDir('/data/zoosh-1');
  assert.equal(isThere(), true, 'all of it came, and is not renamed yet');
});

test('I3: of a config only listed incarnations hold anything; a record of another config needs both', () => {
  const voter = (sid: number, incarnation: string): Member => ({
    sid,
    role: 'participant',
    incarnation,
    addresses: [],
    client: null,
  });
  const config = (...members: Member[]): Config => ({ members, maxTxnBytes: 1 });
  const first = config(voter(1, ONE), voter(2, ONE), voter(3, ONE));
  const founded = (): Rig => {
    const rig = new Rig();
    for (const sid of [1, 2, 3]) rig.ledger.holdingsOf(sid).named(ONE);
    rig.commit({ kind: KIND.found, ensembleId: 'aa', config: first }, 0n);
    rig.commit({ kind: KIND.noop }, 0n);
    assert.deepEqual(rig.rules, []);
    return rig;
  };
  const wiped = founded();
  wiped.ledger.holdingsOf(2).lose(new Map());
  wiped.ledger.holdingsOf(2).named(OTHER);
  wiped.commit({ kind: KIND.noop }, 0n);
  assert.deepEqual(wiped.rules, ['I3']);
  const changed = founded();
  const four = config(...first.members, voter(4, OTHER));
  changed.commit({ kind: KIND.config, config: four }, 0n);
  assert.deepEqual(changed.rules, ['I3'], 'two of four');
  changed.holders.add(3);
  changed.commit({ kind: KIND.noop }, 0n);
  assert.deepEqual(changed.rules, ['I3']);
});

test('holdings: what we take from a directory stands for those who counted on it, and for nobody else', () => {
  const holdings = new Holdings();
  holdings.named(ONE);
  holdings.keep([
    { chain: '1:0', zxid: 1n },
    { chain: '2:0', zxid: 2n },
  ]);
  holdings.lose(new Map([['1:0', 1n]]));
  assert.equal(holdings.holds('2:0', ONE), true);
  assert.equal(holdings.has('2:0'), false);
  assert.equal(holdings.has('1:0'), true);
  holdings.named(OTHER);
  assert.equal(holdings.holds('2:0', OTHER), false);
  holdings.keep([{ chain: '3:0', zxid: 3n }]);
  assert.equal(holdings.holds('3:0', OTHER), true);
  assert.equal(holdings.holds('3:0', ONE), false);
});

test('I9: a client is told that its session is over while it lives and nobody ends it', () => {
  for (const [ending, changed, rules] of [
    [false, false, ['I9']],
    [true, false, []],
    [false, true, []],
  ] as const) {
    const rig = new Rig();
    rig.begin();
    rig.ending = ending;
    rig.refused(() => {
      if (changed) rig.leader = '2';
    });
    assert.deepEqual(rig.rules, rules);
    assert.ok(rig.border.toldExpired.has(SESSION));
  }
});

test('I7: a request that is done after a later one of its session', () => {
  const rig = new Rig();
  rig.begin();
  const on = rig.connect();
  for (const [xid, path] of [
    [1, '/a'],
    [2, '/b'],
  ] as const)
    rig.ask(on, xid, 'create', { path, data: null, acl: null, flags: 0 });
  rig.commit({ kind: KIND.error, code: -114 }, SESSION, 2);
  rig.commit({ kind: KIND.error, code: -114 }, SESSION, 1);
  assert.deepEqual(rig.rules, ['I7']);
});

test('a bit that rots in a group under way does not take the group off what the disk holds', async () => {
  const kept = async (isTold: boolean): Promise<number> => {
    const disk = new SimDisk(seededRandom(1));
    const member = await DiskMember.open(disk, seededRandom(2));
    const holdings = new Holdings();
    let groups = 0;
    disk.onWrite = (path, bytes, at) => {
      if (holdings.wrote(path, bytes, at).length > 0) groups++;
    };
    disk.onDurable = (path, durable, from, end) => {
      if (groups === 2 && path.includes('/log.')) {
        disk.flip(path, from + 100, 3);
        if (isTold) holdings.rotted(path, from + 100, 3);
      }
      holdings.reached(path, durable, from, end);
    };
    for (let i = 0; i < 2; i++) {
      member.write(Buffer.alloc(100, 65));
      member.flush();
      await member.settled();
    }
    return holdings.durable.size;
  };
  assert.deepEqual([await kept(true), await kept(false)], [2, 1]);
});

/** A group of one transaction, as it lies at `offset` of a log. */
function groupAt(offset: number, counter: number): Buffer {
  const body = 900;
  const to = new PackWriter(4096);
  writeEnvelope(to, 3, counter, 0, 0n, 0, { kind: KIND.error, code: -1 }, counter, 0);
  const group = Buffer.alloc(extentOf(body));
  group.writeUInt32BE(to.at, GROUP_HEADER);
  group.set(to.bytes.subarray(0, to.at), GROUP_HEADER + LENGTH_BYTES);
  const here = { hi: 3, lo: counter };
  return sealGroup(group, LENGTH_BYTES + to.at, { hi: 1, lo: 1 }, offset, 1, here, here, here, { hi: counter, lo: 0 });
}

test('a last group that went elsewhere is no torn end: it lands when the log is looked at; a gap with a group behind it stays', async () => {
  const path = '/log/zoosh-1/log.1.aa';
  const group = groupAt(512, 1);
  for (const behind of ['nothing', 'a group', 'a damaged group', 'a group of another place'] as const) {
    const disk = new SimDisk(seededRandom(1));
    await disk.plug().mkdir('/log/zoosh-1');
    const log = Buffer.alloc(8192);
    if (behind !== 'nothing')
      groupAt(behind === 'a group of another place' ? 512 : 512 + group.length, 2).copy(log, 512 + group.length);
    if (behind === 'a damaged group') log[512 + group.length + 80] = (log[512 + group.length + 80] as number) ^ 1;
    disk.put(path, log);
    landWhereLast(disk, path, group, 512);
    const file = await disk.plug().open(path, { readonly: true });
    await file.close();
    const landed = disk
      .raw(path)
      .subarray(512, 512 + group.length)
      .equals(group);
    assert.equal(landed, behind !== 'a group', behind);
    assert.equal(disk.onOpen, undefined);
  }
});

test('a group under way that another is written over was lied about, like the one that went there', () => {
  const holdings = new Holdings();
  const [one, other] = [groupAt(512, 1), groupAt(1024, 2)];
  const [first, second] = [one, other].map((group, i) => holdings.wrote('log', group, 512 * (i + 1))[0]?.chain ?? '');
  holdings.believed('log', 512, 513);
  assert.deepEqual(
    [holdings.has(first as string), holdings.has(second as string), holdings.isTrue],
    [true, false, false],
  );
  holdings.believed('log', 1100, 2000);
  assert.equal(holdings.has(second as string), true);
});

test('I9: what comes in the moment in which a connection ends was not heard of', () => {
  const rig = new Rig();
  rig.begin();
  const on = rig.connect();
  const heard = (): number | undefined => rig.border.lastHeard.get(SESSION)?.at(-1)?.at;
  for (const at of [10, 20]) {
    rig.now = at;
    rig.ask(on, at, 'exists', { path: '/', watch: false });
    assert.equal(heard(), at);
  }
  rig.ask(on, 21, 'exists', { path: '/', watch: false }); // a second piece in the same moment
  rig.border.closed(on);
  assert.equal(heard(), 10);
});

test('I7: a late request is not done when its session is over, and an expiry told to one that lives is a fault', () => {
  const late = (isOver: boolean): string[] => {
    const rig = new Rig();
    rig.begin();
    const on = rig.connect();
    for (const xid of [1, 2]) rig.ask(on, xid, 'create', { path: `/${xid}`, data: null, acl: null, flags: 0 });
    rig.commit({ kind: KIND.error, code: -114 }, SESSION, 2);
    rig.ask(on, 3, 'closeSession', {});
    if (isOver) rig.commit({ kind: KIND.closeSession, id: SESSION }, SESSION, 3);
    rig.commit({ kind: KIND.error, code: -112 }, SESSION, 1);
    return rig.rules.filter((rule) => rule === 'I7');
  };
  assert.deepEqual(late(true), []);
  assert.deepEqual(late(false), ['I7']);
});

test('I10: events of one multi in another order', () => {
  const told = (...paths: string[]): string[] => {
    const rig = new Rig();
    rig.begin();
    const on = rig.connect();
    for (const [i, path] of ['/a', '/b'].entries()) {
      rig.ask(on, i + 1, 'exists', { path, watch: true });
      rig.answer(on, i + 1, rig.ledger.tip.zxid, 'exists', -101);
    }
    const part = (path: string) => ({ path, data: Buffer.from('x'), acl: worldAcl, flags: 0 });
    rig.ask(on, 3, 'multi', ['/a', '/b'].map((path) => ({ type: 1, request: part(path) })) as never);
    const parts = ['/a', '/b'].map((path, i) => ({
      ...{ kind: KIND.create, path, data: Buffer.from('x'), acl: OPEN_ACL },
      ...{ owner: 0n, creates: i + 1 },
    }));
    const zxid = rig.commit({ kind: KIND.multi, parts }, SESSION, 3);
    for (const path of paths) rig.event(on, zxid, 1, path);
    const answers = ['/a', '/b'].map((path) => ({ type: 1, err: 0, result: { path } }));
    rig.answer(on, 3, zxid, 'multi', answers as never);
    return rig.rules;
  };
  assert.deepEqual(told('/a', '/b'), []);
  assert.deepEqual(told('/b', '/a'), ['I10']);
});

test('I11: a state may go on where the history ends, and nowhere else', () => {
  const rig = new Rig();
  rig.begin();
  const { ledger } = rig;
  const { zxid: tip, chain } = ledger.tip;
  const next = { zxid: tip + 1n, bytes: Buffer.alloc(0) };
  assert.equal(ledger.goesBeyond(next.zxid, '7:7'), false, 'nobody has written that');
  ledger.noteWritten({ ...next, chain: '7:7', before: '6:6' });
  assert.equal(ledger.goesBeyond(next.zxid, '7:7'), false, 'it follows what is not in the history');
  ledger.noteWritten({ ...next, chain: '8:8', before: chain });
  assert.equal(ledger.goesBeyond(next.zxid, '8:8'), true);
  assert.equal(ledger.goesBeyond(tip, '8:8'), false, 'it would be another of the same number');
});

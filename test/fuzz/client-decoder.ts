/** A server that says anything to our client: whole answers and events, changed ones, lengths that lie. The session machine, without a world. */
import assert from 'node:assert/strict';
import type { Random } from '../../src/base/random.ts';
import { readChildren } from '../../src/client/child-names.ts';
import type { TableKind } from '../../src/client/watches.ts';
import { type Reader, Writer } from '../../src/protocol/bytes.ts';
import { EVENT, WatcherEvent } from '../../src/protocol/events.ts';
import { ConnectResponse } from '../../src/protocol/handshake.ts';
import { OPERATIONS, type OperationName, ReplyHeader, writeFrame } from '../../src/protocol/operations.ts';
import { Rig, statAt } from '../client/rig.ts';
import { stopwatch } from '../patience.ts';
import { noise } from './mutate.ts';

const LENGTHS = [-1, -2, 0, 1, 0x7fff_ffff, -0x8000_0000, 0xf_ffff, 0x10_0000, 100_000];
const ERRS = [0, 0, 0, 0, -101, -102, -103, -110, -4, -112, -115, -118, 7, -9999];
const PATHS = ['/a', '/a/b', '/', '', 'a', '/\0', '/ü', `/${'x'.repeat(300)}`];
const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

/** What is asked, and an answer that fits. */
const ASKED: readonly (readonly [
  OperationName,
  object,
  (random: Random) => unknown,
  read?: (from: Reader) => unknown,
])[] = [
  [
    'getData',
    { path: '/a', watch: true },
    (random) => ({ data: Buffer.from(random.bytes(random.below(99))), stat: statAt(3) }),
  ],
  ['exists', { path: '/a', watch: true }, () => ({ stat: statAt(4) })],
  [
    'getChildren2',
    { path: '/a', watch: true },
    (random) => ({ children: Array.from({ length: random.below(9) }, (_, i) => `n${i}`), stat: statAt(5) }),
    (from) => readChildren(from, undefined),
  ],
  ['getChildren', { path: '/a', watch: false }, () => ({ children: ['x', null] })],
  ['getAcl', { path: '/a' }, () => ({ acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }], stat: statAt(1) })],
  ['create2', { path: '/a', data: null, acl: [], flags: 0 }, () => ({ path: '/a', stat: statAt(2) })],
  ['create', { path: '/a', data: null, acl: [], flags: 0 }, () => ({ path: '/a' })],
  ['setData', { path: '/a', data: null, version: -1 }, () => ({ stat: statAt(2) })],
  ['delete', { path: '/a', version: -1 }, () => ({})],
  ['sync', { path: '/a' }, () => ({ path: '/a' })],
  ['getEphemerals', { prefixPath: '/' }, () => ({ ephemerals: ['/a'] })],
  ['getAllChildrenNumber', { path: '/' }, () => ({ totalNumber: 7 })],
  ['whoAmI', {}, () => ({ clientInfo: [{ authScheme: 'ip', user: '1.1.1.1' }] })],
  [
    'reconfig',
    { joiningServers: null, leavingServers: null, newMembers: null, curConfigId: -1n },
    () => ({ data: null, stat: statAt(2) }),
  ],
  [
    'multi',
    [{ type: 13, request: { path: '/a', version: 1 } }],
    () => [
      { type: 1, err: 0, result: { path: '/a' } },
      { type: -1, err: -101, result: undefined },
      { type: 5, err: 0, result: { stat: statAt(1) } },
    ],
  ],
  [
    'multiRead',
    [{ type: 4, request: { path: '/a', watch: false } }],
    () => [{ type: 8, err: 0, result: { children: ['x'] } }],
  ],
];
const WATCHES: Readonly<Partial<Record<OperationName, TableKind>>> = {
  getData: 'data',
  exists: 'exists',
  getChildren2: 'children',
};

function spoilt(random: Random, whole: Buffer): Buffer {
  const what = random.below(12);
  if (what < 7) return whole;
  if (what < 9 && whole.length > 8) {
    const bytes = Buffer.from(whole);
    for (let times = random.below(3); times >= 0; times--) {
      const at = 4 + random.below(bytes.length - 7);
      bytes.writeInt32BE(pick(random, LENGTHS), Math.min(at, bytes.length - 4));
    }
    return bytes;
  }
  if (what === 9) {
    const bytes = Buffer.from(whole);
    bytes.writeInt32BE(pick(random, LENGTHS), 0);
    return bytes;
  }
  if (what === 10) {
    // the frame is as long as it says, and its contents are cut
    const cut = whole.subarray(0, 4 + random.below(Math.max(1, whole.length - 4)));
    const bytes = Buffer.from(cut);
    bytes.writeInt32BE(bytes.length - 4, 0);
    return bytes;
  }
  return noise(random, whole);
}

/** What came of {@link fuzzDecoder}: by the first word of what the machine did. */
export interface DecoderReport {
  readonly outcomes: ReadonlyMap<string, number>;
  /** The slowest input, ms. */
  readonly slowestMs: number;
  readonly sessions: number;
}

/** So many answers, each judged by what comes of it. Whatever is thrown leaves this function. */
export async function fuzzDecoder(inputs: number, random: Random): Promise<DecoderReport> {
  const outcomes = new Map<string, number>();
  const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  let slowestMs = 0;
  let sessions = 0;
  let rig: Rig | undefined;
  /** Inputs in a row of which nothing came: it waits for the rest of a frame, perhaps. */
  let silent = 0;
  const late: Promise<unknown>[] = [];
  /** What was asked and not answered. */
  let open: { readonly name: OperationName; readonly xid: number; readonly answer: unknown } | undefined;
  for (let i = 0; i < inputs; i++) {
    if (rig === undefined || rig.session.over || silent > 2 || random.below(200) === 0) {
      silent = 0;
      open = undefined;
      rig = new Rig({ maxReplyBytes: 1 << 20 });
      rig.take(rig.session.start(rig.now)).take(rig.session.connected(rig.now));
      sessions++;
      rig.log();
    }
    const to = new Writer();
    if (rig.session.down) {
      writeFrame(to, (out) =>
        ConnectResponse.write(out, {
          protocolVersion: 0,
          timeoutMs: pick(random, [6000, 6000, 6000, 0, -1, 0x7fff_ffff]),
          sessionId: pick(random, [5n, 5n, 5n, 0n, -1n]) as never,
          password: pick(random, [Buffer.alloc(16), null, Buffer.alloc(0), Buffer.alloc(999)]),
          readOnly: pick(random, [false, false, true, undefined]),
        }),
      );
    } else if (random.below(4) === 0) {
      writeFrame(to, (out) => {
        ReplyHeader.write(out, {
          xid: random.below(9) > 0 ? -1 : pick(random, [-2, -4, -8, 0, 9999]),
          zxid: BigInt(i) as never,
          err: 0,
        });
        const type = pick(random, [...Object.values(EVENT), 0, -1, 99]);
        WatcherEvent.write(out, {
          type,
          state: pick(random, [3, 0, -112, 5]),
          path: random.below(2) === 0 ? '/a' : pick(random, PATHS),
        });
      });
    } else {
      if (open === undefined) {
        const [name, body, answer, read] = pick(random, ASKED);
        const kind = WATCHES[name];
        const reader = read === undefined ? {} : { read: (from: Reader) => keep(read(from)) };
        const more = {
          ...(kind && { watch: [kind, 'w'] as [TableKind, string] }),
          ...(reader as { read?: () => unknown }),
        };
        open = { name, xid: rig.ask(name, body as never, more).xid, answer: answer(random) };
      }
      const { name, xid, answer } = open;
      const err = pick(random, ERRS);
      writeFrame(to, (out) => {
        ReplyHeader.write(out, {
          xid: xid + (random.below(12) === 0 ? random.below(3) - 1 : 0),
          zxid: BigInt(i) as never,
          err,
        });
        if (err === 0 || random.below(9) === 0) OPERATIONS[name].answer.write(out, answer as never);
      });
    }
    rig.log();
    const bytes = spoilt(random, to.take());
    const spent = stopwatch();
    const cut = random.below(bytes.length + 1);
    // in one piece or two
    if (random.below(2) === 0) rig.receive(bytes);
    else rig.receive(bytes.subarray(0, cut)).receive(bytes.subarray(cut));
    slowestMs = Math.max(slowestMs, spent());
    const done = rig.log();
    if (done.some((line) => /^(settle|fail|hangUp)/.test(line))) open = undefined;
    silent = done.length === 0 ? silent + 1 : 0;
    count(done.length === 0 ? 'nothing' : ((done[0] as string).split(' ')[0] as string));
    // whoever is let in watches what events will be about
    if (done.some((line) => line.startsWith('connected')) && !rig.session.down)
      rig.watch('persistentRecursive', '/a', 'w', 1);
    rig.log();
    rig.sent = [];
    rig.greetings = [];
    if (rig.session.down && !rig.session.over) {
      // it dials again, and is let in
      for (
        let waited = 0;
        waited < 40 && !rig.session.over && !rig.log().some((line) => line.startsWith('dial'));
        waited++
      )
        rig.wait(250);
      rig.take(rig.session.connected(rig.now));
    }
    if (late.length > 100) await Promise.all(late.splice(0));
  }
  await Promise.all(late);
  return { outcomes, slowestMs, sessions };

  function keep(value: unknown): unknown {
    if (value instanceof Promise) late.push(value.catch((error: Error) => assert.equal(error.name, 'ProtocolError')));
    return value;
  }
}

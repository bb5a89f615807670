import assert from 'node:assert/strict';
import type { Random } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS, type OperationName } from '../../src/protocol/operations.ts';
import { PackReader, PackWriter } from '../../src/records/pack.ts';
import { PEER_LEVEL } from '../../src/records/peer-frame.ts';
import { type Envelope, KIND, readEnvelope } from '../../src/records/txns.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import type { ServerOptions, Surroundings } from '../../src/server/office.ts';
import type { RefusedLogin } from '../../src/server/refused-login.ts';
import { Server } from '../../src/server/server.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { Peer } from '../../src/zab/peer.ts';

/** What somebody wants of a {@link rig} beside a server. */
export interface RigOptions {
  readonly server?: Partial<ServerOptions>;
  readonly around?: Partial<Surroundings>;
  /** Bytes that a connection would be sent; valid within the call. */
  readonly sent?: (connection: ClientConnection, bytes: Buffer) => void;
  /** A password came from there without TLS. */
  readonly readInClear?: (ip: string) => void;
  readonly refused?: (login: RefusedLogin) => void;
  /** What went into the log. */
  readonly logged?: (envelope: Envelope) => void;
}

/** A server over memory whose log is on the disk at once; envelopes are applied to a second tree as they come. */
export function rig(random: Random, options: RigOptions = {}) {
  const replica = new DataTree(2);
  const log = new PackWriter(65536);
  const closed = new Set<ClientConnection>();
  /** Of the last settling: how many parts a large transaction took, and the most ephemerals one removed. */
  const parts = { count: 0, longest: 0 };
  let written: [number, number][] = [];
  const past = {
    sid: 1,
    incarnation: 'aa',
    bootTag: 'bb',
    acceptedEpoch: 0,
    currentEpoch: 0,
    last: { epoch: 0, counter: 0 },
    committed: { epoch: 0, counter: 0 },
    config: undefined,
    seenTags: new Set<string>(),
  };
  const peer = new Peer(past, 1);
  const server: Server = new Server(
    new DataTree(1),
    peer,
    {
      sid: 1,
      tickMs: 2000,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      extendedTypes: true,
      enforceQuota: true,
      reconfigEnabled: false,
      standaloneEnabled: true,
      multiAddress: false,
      leaderServes: true,
      auth: { superDigest: undefined, digestAlgorithm: 'sha1', digestEnabled: true },
      reaperMaxPerMinute: 1000,
      reaperMaxNeverUsedMs: 0,
      ...options.server,
    },
    {
      log: {
        writer: () => log,
        commitEnvelope: (start) => {
          written.push([start, log.at]);
        },
      },
      random,
      close: (connection) => closed.add(connection),
      effect: (effect) => {
        if (effect.type === 'commit') server.commit(effect.upTo);
      },
      hand: () => {},
      later: () => {},
      configured: () => {},
      leaderLevel: () => PEER_LEVEL,
      logins: { readInClear: (ip) => options.readInClear?.(ip), refused: (login) => options.refused?.(login) },
      toLeader: () => {},
      toLearner: () => {},
      ...options.around,
    },
  );
  server.wall = 1_700_000_000_000;
  peer.step({ type: 'start' });
  peer.step({ type: 'epochsStored', accepted: 1, current: 0 });
  peer.step({ type: 'epochsStored', accepted: 1, current: 1 });
  const settle = (): void => {
    for (const [start, end] of written) {
      const envelope = readEnvelope(new PackReader(log.bytes, start, end), {
        hi: replica.chainHi,
        lo: replica.chainLo,
      });
      apply(replica, envelope.zxidHi, envelope.zxidLo, envelope.time, envelope.txn, NO_SINK);
      replica.chained(envelope.chainHi, envelope.chainLo);
      options.logged?.(envelope);
    }
    written = [];
    log.at = 0;
    server.persisted(1, { epoch: 1, counter: peer.leader?.lastProposed ?? 0 });
    parts.count = 0;
    parts.longest = 0;
    while (server.applying) {
      const before = server.tree.ephemerals;
      server.goOn();
      parts.count++;
      parts.longest = Math.max(parts.longest, before - server.tree.ephemerals);
    }
    for (const connection of server.outbox.dirty.splice(0)) {
      if (connection.out !== undefined) {
        options.sent?.(connection, connection.out.view());
        server.outbox.reuse(connection.out);
      }
      connection.out = undefined;
    }
  };
  const config = {
    members: [{ sid: 1, role: 'participant' as const, incarnation: 'aa', addresses: [], client: null }],
    maxTxnBytes: 1e6,
  };
  peer.adopt(config);
  peer.proposedFirst(server.propose(undefined, 0n, 0, 0, { kind: KIND.found, ensembleId: 'e', config }, [], undefined));
  settle();
  server.lead();
  server.serve();
  let ids = 0;
  const attach = (ip = '127.0.0.1'): ClientConnection => {
    const connection = new ClientConnection(++ids, ip, 1, 0);
    const hello = new Writer();
    hello.int32(0);
    hello.int64(0n);
    hello.int32(10_000);
    hello.int64(0n);
    hello.buffer(Buffer.alloc(16));
    hello.bool(false);
    server.handshake(connection, hello.bytes, 0, hello.at);
    settle();
    assert.equal(connection.state, 'open');
    return connection;
  };
  return { server, replica, closed, parts, settle, attach };
}

/** A connection asks for this, under xid 1. */
export function ask(
  to: ReturnType<typeof rig>,
  connection: ClientConnection,
  name: OperationName,
  value: unknown,
): void {
  const writer = new Writer();
  const { code, request } = OPERATIONS[name] as { code: number; request: { write(to: Writer, value: unknown): void } };
  writer.int32(1);
  writer.int32(code);
  request.write(writer, value);
  const bytes = writer.take();
  to.server.receive(connection, bytes, 0, bytes.length);
}

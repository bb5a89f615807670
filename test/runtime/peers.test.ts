/** Connections between servers over real sockets on loopback, plain and with the ensemble's secret. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { seededRandom } from '../../src/base/random.ts';
import { plainPeerNetwork } from '../../src/platform/peer-net.ts';
import { proofName, pskPeerNetwork } from '../../src/platform/peer-psk.ts';
import type { PeerNetwork } from '../../src/ports/peer-network.ts';
import { PackWriter } from '../../src/records/pack.ts';
import { beginFrame, PEER_LEVEL, sealFrame } from '../../src/records/peer-frame.ts';
import { type PeerMessage, writeMessage } from '../../src/records/peer-messages.ts';
import { PeerSecret, peerTrust } from '../../src/runtime/peer-secret.ts';
import { TEST_CERT, TEST_KEY } from '../client/tls-fixture.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type FakePeer, identityOf, TICK_MS, VOTE } from './fake-peers.ts';
import { HOST, has, introduce, portOf, run, say, until } from './real-peers.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});
const secret = (byte: number): PeerSecret => new PeerSecret(Buffer.alloc(32, byte));
/** Who says nothing is given up late: what is tried is something else, and the machine may be slow. */
const PATIENT = { silenceTicks: PATIENCE_MS / TICK_MS };
/** Calls until it is so: a call that a stall of the machine ended is made again, as the owner of a port does. */
async function dialUntil({ port, told }: FakePeer, to: number, is: () => boolean, what: string): Promise<void> {
  const failed = (): number => told.filter((each) => each.startsWith(`dial to ${to} failed`)).length;
  let before = failed();
  port.dial(to);
  await until(() => {
    if (failed() > before) port.dial(to);
    before = failed();
    return is();
  }, what);
}
const psk = (sid: number, ...keys: PeerSecret[]): PeerNetwork => pskPeerNetwork({ name: proofName('test', sid), keys });

for (const [kind, net] of [
  ['plain', () => plainPeerNetwork],
  ['with a secret', (sid: number) => psk(sid, secret(1))],
] as const)
  test(`three servers find each other, vote, and carry a megabyte in order (${kind})`, async () => {
    // a call that a stall ends is complained of
    const all = await Promise.all([1, 2, 3].map((sid) => run(sid, net(sid), { connectMs: PATIENCE_MS })));
    introduce(...all);
    for (const { peer } of all)
      await until(() => peer.port.connected.length === 2, `${peer.identity.sid} has two peers`);
    const [one, two, three] = all.map(({ peer }) => peer) as [FakePeer, FakePeer, FakePeer];
    // as an election does: a vote may be lost with one of two channels, so it is sent until it was heard
    await until(() => {
      for (const to of [1, 2]) three.port.vote(to, VOTE);
      three.port.flush();
      return one.votes.length > 0 && two.votes.length > 0;
    }, 'both have the vote');
    assert.deepEqual(one.votes[0], { from: 3, message: VOTE });

    await dialUntil(one, 3, () => one.links.has(3) && three.links.has(1), 'one follows three');
    const [up, down] = [one.links.get(3) as number, three.links.get(1) as number];
    for (let i = 0; i < 20; i++) {
      three.port.send(down, {
        type: 'CHUNK',
        epoch: 1,
        at: { epoch: 1, counter: 1 },
        offset: i * 65_536,
        total: 20 * 65_536,
        bytes: Buffer.alloc(65_536, i),
      });
      one.port.send(up, { type: 'SYNC', epoch: 1, id: i });
    }
    three.port.flush();
    one.port.flush();
    await until(() => one.received.length === 20 && three.received.length === 20, 'all arrived');
    one.received.forEach(({ link, message }, i) => {
      assert.ok(message.type === 'CHUNK' && message.offset === i * 65_536 && message.bytes.every((byte) => byte === i));
      assert.equal(link, up);
    });
    assert.deepEqual(
      three.received.map(({ message }) => message.type === 'SYNC' && message.id),
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const { peer } of all) assert.deepEqual(peer.complaints, []);

    three.port.close();
    await until(has(one.told, /^closed/), 'one lost its leader');
    await until(() => has(one.told, /^lost 3/)() && has(two.told, /^lost 3/)(), 'the votes of three are gone');
  });

test('an Apache server, a client, a browser and a four-letter word are turned away by name', async () => {
  const one = await run(1);
  const { complaints } = one.peer;
  const election = Buffer.alloc(46);
  election.writeBigInt64BE(-65536n, 0);
  election.writeBigInt64BE(2n, 8);
  election.writeInt32BE(26, 16);
  const learner = Buffer.alloc(40);
  learner.writeInt32BE(11, 0);
  learner.writeInt32BE(5, 4);
  const client = Buffer.alloc(49);
  client.writeInt32BE(45, 0);
  for (const [bytes, sentence] of [
    [election, /^127\.0\.0\.1: member 2 is an Apache server; mixed ensembles do not work$/],
    [learner, /it is an Apache server that follows; mixed/],
    [client, /it is a client; clients belong to the client port/],
    [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /it speaks HTTP/],
    [Buffer.from('ruok'), /it sent "ruok"; four-letter words belong to the client port/],
    [Buffer.alloc(64, 0x77), /it sent "wwww"|not a frame of this protocol/],
    [Buffer.from([0x16, 3, 1, 0, 200, ...Array<number>(40).fill(1)]), /it speaks TLS and this server does not/],
  ] as const) {
    await say(portOf(one, bytes === learner ? 'quorum' : 'election'), bytes);
    await until(has(complaints, sentence), String(sentence));
  }
  const told = complaints.length;
  await say(portOf(one, 'election'), Buffer.alloc(0)); // as health checks do
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(complaints.length, told);
});

test('bytes that follow a good beginning cost that connection alone', async () => {
  const [one, two] = [await run(1), await run(2)];
  introduce(one, two);
  await until(() => one.peer.port.connected.length === 1, 'they are connected');
  const random = seededRandom(11);
  for (let i = 0; i < 200; i++) await say(portOf(one, 'quorum'), Buffer.from(random.bytes(random.below(600))));
  assert.deepEqual(one.peer.port.connected, [2]);
  one.peer.port.vote(2, VOTE);
  one.peer.port.flush();
  await until(() => two.peer.votes.length === 1, 'the vote arrived');
});

/** A frame around one message. */
function frameOf(message: PeerMessage, level = 1): Buffer {
  const to = new PackWriter();
  beginFrame(to);
  writeMessage(to, message);
  sealFrame(to, 0, level);
  return Buffer.from(to.bytes.subarray(0, to.at));
}
/** A socket on which server 2 said hello to server 1 on its quorum port. */
function helloOnly(port: number): Socket {
  const socket = connect(port, HOST);
  socket.on('error', () => {});
  const { ensembleName, ensembleId, sid, incarnation, tag } = identityOf(2);
  const who = { ensembleName, ensembleId, sid, incarnation, tag, to: 1, attempt: 1 };
  socket.write(frameOf({ type: 'HELLO', leastLevel: 1, level: 7, purpose: 'quorum', ...who }));
  return socket;
}

test('a greeting larger than any, and a frame of a higher level than agreed, end the connection', async () => {
  const one = await run(1, plainPeerNetwork, PATIENT);
  const large = frameOf({
    type: 'REQUEST',
    epoch: 1,
    session: 1n,
    xid: 1,
    op: 1,
    body: Buffer.alloc(5000),
    identities: [],
  });
  await say(portOf(one, 'quorum'), large);
  await until(has(one.peer.complaints, /a frame of 50\d\d bytes; at most 4096 are accepted/), 'it was refused');
  const socket = helloOnly(portOf(one, 'quorum'));
  await until(() => one.peer.links.has(2), 'it was let in');
  socket.write(frameOf({ type: 'ASKSNAP', epoch: 1 }, PEER_LEVEL + 1));
  const cut = new RegExp(`^closed: a frame of feature level ${PEER_LEVEL + 1}; agreed is ${PEER_LEVEL}$`);
  await until(has(one.peer.told, cut), 'it was cut');
  socket.destroy();
});

test('a server that does not read is cut before much waits for it', async () => {
  const one = await run(1, plainPeerNetwork, PATIENT);
  const deaf = helloOnly(portOf(one, 'quorum'));
  await until(() => one.peer.links.has(2), 'it was let in');
  deaf.pause();
  const link = one.peer.links.get(2) as number;
  const bytes = Buffer.alloc(65_536);
  const at = { epoch: 1, counter: 1 };
  let sent = 0;
  for (; !has(one.peer.told, /^closed/)(); sent++) {
    assert.ok(sent < 1000, 'it was never cut');
    one.peer.port.send(link, { type: 'CHUNK', epoch: 1, at, offset: 0, total: 1e9, bytes });
    one.peer.port.flush();
    if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(one.peer.told.at(-1) as string, /^closed: it does not keep up: 4\d{6} bytes wait for it/);
  deaf.destroy();
});

const NO_PROOF = /does not know the secret of this ensemble; give every member the same peer\.secretFile/;

test('whoever does not know the secret is no peer: another secret, none, plain, a certificate, a ticket', async () => {
  const one = await run(1, psk(1, secret(1)));
  const other = await run(2, psk(2, secret(2)));
  other.peer.port.know([one.addresses]);
  await until(has(one.peer.complaints, NO_PROOF), 'one complains');
  await until(has(other.peer.told, /^lost 1/), 'the other is told');
  assert.deepEqual(one.peer.port.connected, []);

  const plain = await run(3);
  plain.peer.port.know([one.addresses]);
  await until(
    has(one.peer.complaints, /speaks without TLS and this server asks for the secret/),
    'plain is told apart',
  );

  // a server that shows a certificate in place of the secret
  const impostor = createTlsServer({ cert: TEST_CERT, key: TEST_KEY }, (socket) => socket.on('error', () => {}));
  servers.push(impostor);
  await new Promise<void>((resolve) => impostor.listen(0, HOST, resolve));
  const { port } = impostor.address() as { port: number };
  const to = { sid: 2, hosts: [HOST], address: HOST, port, timeoutMs: PATIENCE_MS, attempt: 1 };
  const nobody = { data() {}, closed() {} };
  await assert.rejects(psk(1, secret(1)).dial(to, nobody, new AbortController().signal), NO_PROOF);
  assert.deepEqual(one.peer.port.connected, []);
});

test('a handshake without the key for that very connection is worth nothing: no key, a certificate, a ticket', async () => {
  const key = secret(1);
  const accepted: number[][] = [];
  const away: string[] = [];
  const listening = await psk(1, key).listen(
    { host: HOST, port: 0 },
    (link) => {
      accepted.push([8, 9].filter((sid) => link.proof?.denies({ ensembleName: 'test', sid, hosts: [] }) === undefined));
      return { data() {}, closed() {} };
    },
    (_address, sentence) => void away.push(sentence),
  );
  const options = { host: HOST, port: listening.port, rejectUnauthorized: false, checkServerIdentity: () => undefined };
  const ended = (socket: TLSSocket): Promise<void> => {
    socket.on('error', () => {});
    return new Promise((resolve) => socket.once('close', () => resolve()));
  };
  const member = connectTls({
    ...options,
    ciphers: 'TLS_AES_128_GCM_SHA256',
    pskCallback: () => ({ psk: key.key(), identity: `${proofName('test', 9)}/${key.id}` }),
  });
  const ticket = await new Promise<Buffer>((resolve) => void member.once('session', resolve));
  const gone = ended(member);
  member.destroy();
  await gone;
  assert.deepEqual(accepted, [[9]]);
  for (const more of [{}, { cert: TEST_CERT, key: TEST_KEY }, { session: ticket }])
    await ended(connectTls({ ...options, ...more }));
  const wrong = { psk: secret(2).key(), identity: `${proofName('test', 9)}/${key.id}` };
  await ended(connectTls({ ...options, ciphers: 'TLS_AES_128_GCM_SHA256', pskCallback: () => wrong }));
  await until(() => away.length >= 4, 'each was turned away');
  assert.deepEqual(accepted, [[9]]);
  assert.deepEqual(new Set(away).size, 1);
  assert.equal(away.length, 4);
  listening.close();
});

test('a member may not speak in the name of another, and a secret can be replaced while all run', async () => {
  const [old, fresh] = [secret(1), secret(2)];
  const one = await run(1, psk(1, old, fresh));
  const liar = await run(2, psk(3, old));
  liar.peer.port.know([one.addresses]);
  await until(has(one.peer.complaints, /^server 2 at 127\.0\.0\.1:\d+ proved to be test\/3$/), 'the lie is seen');
  assert.deepEqual(one.peer.port.connected, []);
  const [two, three] = [await run(2, psk(2, fresh)), await run(3, psk(3, fresh, old))];
  two.peer.port.know([one.addresses]);
  three.peer.port.know([one.addresses]);
  await until(() => one.peer.port.connected.length === 2, 'both are in');
  // one calls with the old secret first, and then with the one that two knows
  const four = await run(4, psk(4, old, fresh));
  four.peer.port.know([two.addresses]);
  await until(() => four.peer.port.connected.length === 1, 'four found the secret that two knows');
});

test('what a call ends with is told in words, and is no longer waited for when it is not wanted', async () => {
  const mute = createServer();
  const shut = createServer((socket) => socket.destroy());
  const ports: number[] = [];
  for (const server of [mute, shut]) {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    ports.push((server.address() as { port: number }).port);
  }
  const net = psk(1, secret(1));
  const nobody = { data() {}, closed() {} };
  const abort = new AbortController();
  const dial = (port: number, timeoutMs: number) =>
    net.dial({ sid: 2, hosts: [HOST], address: HOST, port, timeoutMs, attempt: 1 }, nobody, abort.signal);
  await assert.rejects(dial(1, PATIENCE_MS), /^Error: nothing listens there$/);
  await assert.rejects(dial(ports[0] as number, 50), /^Error: no answer in 50 ms$/);
  await assert.rejects(
    dial(ports[1] as number, PATIENCE_MS),
    /^Error: it hung up in the TLS handshake; has it a peer\.secretFile\?$/,
  );
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(dial(ports[0] as number, 60_000), /^Error: no longer wanted$/);
});

test('a port that is taken is asked for again, and given up after the attempts allowed', async () => {
  const taken = createServer();
  servers.push(taken);
  await new Promise<void>((resolve) => taken.listen(0, HOST, resolve));
  const { port } = taken.address() as { port: number };
  await assert.rejects(run(1, plainPeerNetwork, { election: { host: HOST, port } }), { code: 'EADDRINUSE' });
  const waiting = run(2, plainPeerNetwork, { election: { host: HOST, port }, bindAttempts: 3 });
  setTimeout(() => taken.close(), 200);
  assert.equal(portOf(await waiting, 'election'), port);
});

test('a server of several addresses is reached at each of them', async () => {
  const free = createServer();
  const free2 = createServer();
  for (const each of [free, free2]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.2', resolve));
  const [election, quorum] = [free, free2].map((each) => ({
    host: '127.0.0.2',
    port: (each.address() as { port: number }).port,
  })) as [{ host: string; port: number }, { host: string; port: number }];
  for (const each of [free, free2]) await new Promise((resolve) => each.close(resolve));
  const one = await run(1);
  const two = await run(2, plainPeerNetwork, { also: { election: [election], quorum: [quorum] } });
  // only the further ones are known to the other
  one.peer.port.know([one.addresses, { sid: 2, election: [election], quorum: [quorum] }]);
  await until(() => one.peer.port.connected.includes(2), 'votes reach 2 at its other address');
  await dialUntil(one.peer, 2, has(one.peer.told, /linked 2/), 'a link to 2 at its other address');
  two.peer.port.close();
});

test('servers beyond loopback need a secret, or an operator who says that they do not', async () => {
  const hosts = ['127.0.0.1', 'zk2.example'];
  await assert.rejects(
    peerTrust({ hosts, secretFile: undefined, insecure: false }),
    (error: Error & { exitCode?: number }) => {
      assert.equal(error.exitCode, 43);
      assert.match(
        error.message,
        /reach each other at zk2\.example, where anyone could join them; make a secret with `head -c 48/,
      );
      return true;
    },
  );
  const insecure = await peerTrust({ hosts, secretFile: undefined, insecure: true });
  assert.match(insecure.warnings.join(), /whoever reaches the peer ports of this server can join/);
  assert.deepEqual(
    await peerTrust({ hosts: ['127.0.0.5', 'localhost', '::1'], secretFile: undefined, insecure: false }),
    {
      kind: 'plain',
      warnings: [],
    },
  );

  const folder = await mkdtemp(join(tmpdir(), 'zoosh-peers-'));
  const file = join(folder, 'peer.secret');
  const good = Buffer.alloc(48, 7).toString('base64');
  const write = async (text: string, mode: number): Promise<void> => {
    await writeFile(file, text);
    await chmod(file, mode);
  };
  const trust = () => peerTrust({ hosts, secretFile: file, insecure: false });
  await assert.rejects(trust(), /cannot be read: there is no such file; make one/);
  await write(`# old and new\n${good}\n${Buffer.alloc(32, 8).toString('base64')}\n`, 0o600);
  const found = await trust();
  assert.equal(found.kind, 'secret');
  assert.ok(found.kind === 'secret' && found.secrets.length === 2 && found.warnings.length === 0);
  assert.ok(!`${JSON.stringify(found)}${String(found.secrets[0])}`.includes(good));
  for (const [text, sentence] of [
    [`${Buffer.alloc(31).toString('base64')}\n`, /a secret of 31 bytes; at least 32/],
    ['not base64!\n', /is not base64, one secret a line/],
    ['\n', /holds 0 secrets/],
    [`${good}\n${good}\n${good}\n`, /holds 3 secrets/],
  ] as const) {
    await write(text, 0o600);
    await assert.rejects(trust(), sentence);
  }
  await write(`${good}\n`, 0o620);
  await assert.rejects(trust(), { message: /can be written by others than its owner/, remedy: /^chmod 600 / });
  await write(`${good}\n`, 0o644);
  assert.match((await trust()).warnings.join(), /can be read by others than its owner/);
  await rm(folder, { recursive: true });
});

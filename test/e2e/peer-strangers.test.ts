/** Who is no member gets nothing from an ensemble of real processes, by its secret or by certificates; the logs say why. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { connect } from '../../src/index.ts';
import { proofName } from '../../src/platform/peer-psk.ts';
import { PeerSecret } from '../../src/runtime/peer-secret.ts';
import { PATIENCE_MS } from '../patience.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { type MemberOfTest, Members, peerPortsOf, until } from './members.ts';
import { PemFiles } from './members-tls.ts';

const HOST = '127.0.0.1';
const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'zoosh-strangers-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
const secretLines = (name: string, secret: Buffer): string[] => {
  const file = join(folder, name);
  writeFileSync(file, `${secret.toString('base64')}\n`, { mode: 0o600 });
  return [`peer.secretFile=${file}`];
};
/** What a member says of itself, as soon as it answers. */
async function statusOf(member: MemberOfTest) {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = await member.status();
    if (status !== undefined || performance.now() > end) return status;
    await sleep(20);
  }
}
/** Three voters that serve, and a fourth server that they list as an observer and that does not run. */
class Fortress implements AsyncDisposable {
  readonly members: Members;
  private constructor(members: Members) {
    this.members = members;
  }
  static async build(linesOf: (id: number) => readonly string[]): Promise<Fortress> {
    // who stands still for some seconds leads and follows all the same
    const members = await Members.make({ voters: 3, observers: 1, lines: ['syncLimit=60'], linesOf });
    for (const id of [1, 2, 3]) members.member(id).start();
    await members.serving([1, 2, 3]);
    return new Fortress(members);
  }
  get logs(): string {
    return [1, 2, 3].map((id) => this.members.member(id).log).join('');
  }
  /** Starts the fourth with these settings in place of its own, and waits until the logs of the others say `sentence`. */
  async besiege(lines: readonly string[], sentence: RegExp, own: RegExp | undefined): Promise<void> {
    const { members } = this;
    const stranger = members.member(4);
    this.settings(lines);
    const [before, mine] = [[1, 2, 3].map((id) => members.member(id).log.length), stranger.log.length];
    const said = (): string => [1, 2, 3].map((id, at) => members.member(id).log.slice(before[at])).join('');
    stranger.start();
    try {
      await until(
        () => sentence.test(said()) && (own === undefined || own.test(stranger.log.slice(mine))),
        PATIENCE_MS,
        () => `${sentence} ${own}: ${members.tail()}`,
      );
      // it goes on trying, and gets nothing
      await sleep(700);
      const status = await statusOf(stranger);
      assert.deepEqual([status?.serving, status?.zxid, status?.leader], [false, '0x0', undefined]);
    } finally {
      await stranger.kill();
    }
  }
  settings(lines: readonly string[]): void {
    const file = join(this.members.member(4).folder, 'zoo.cfg');
    const kept = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !/^(ssl|peer\.)/.test(line));
    writeFileSync(file, [...lines, ...kept].join('\n'));
  }
  /** Writes go on under the same leader, and a fourth server with the right settings comes in. */
  async stands(leader: MemberOfTest, lines: readonly string[]): Promise<void> {
    const { members } = this;
    assert.equal((await members.leader()).id, leader.id);
    await using client = await connect(members.member(1).hosts, { connectTimeoutMs: PATIENCE_MS });
    await client.create('/stands');
    this.settings(lines);
    members.member(4).start();
    await members.serving();
    await members.equal();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.members[Symbol.asyncDispose]();
  }
}

/** A handshake with a peer port; resolves at its end, with the session if one was given. Nothing may come but that. */
async function shake(port: number, options: ConnectionOptions): Promise<Buffer | undefined> {
  const socket = connectTls({ host: HOST, port, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  let heard = 0;
  socket.on('session', (each: Buffer) => {
    session ??= each;
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.length;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  assert.equal(heard, 0, 'it was sent something');
  return session;
}

test('three processes form a quorum by certificates, and whoever cannot show one gets nothing', async () => {
  const files = new PemFiles(join(folder, 'pem'));
  const { authority } = files;
  const good = (id: number): string[] => files.lines(`m${id}`, makeCertificate(authority, { hosts: [HOST] }));
  await using fortress = await Fortress.build(good);
  const { members } = fortress;
  const leader = await members.leader();
  const epoch = (await statusOf(leader))?.epoch;

  const other = makeAuthority('the members');
  await fortress.besiege(
    files.lines('other', makeCertificate(other, { hosts: [HOST] }), other.pem + authority.pem),
    /its certificate \(IP Address:127\.0\.0\.1\) is vouched for by no authority of ssl\.quorum\.trustStore/,
    undefined,
  );
  const times = { from: inDays(-9), to: inDays(-2) };
  await fortress.besiege(
    files.lines('expired', makeCertificate(authority, { hosts: [HOST], ...times })),
    /its certificate \(IP Address:127\.0\.0\.1\) expired on .*; renew it/,
    /own|the certificate in ssl\.quorum\.keyStore\.location=\S+expired\.pem expired on .*; the other members turn/,
  );
  await fortress.besiege(
    files.lines('elsewhere', makeCertificate(authority, { hosts: ['zk9.example'] })),
    /server 4 at .* shows a certificate made out to DNS:zk9\.example, and its server line says 127\.0\.0\.1/,
    /refused: server 4 at .* shows a certificate made out to DNS:zk9\.example/,
  );
  await fortress.besiege(
    [],
    /it speaks without TLS and this server asks for a certificate; set sslQuorum=true on every member/,
    /it speaks TLS and this server does not; give both the same peer\.secretFile, or sslQuorum=true/,
  );
  await fortress.besiege(
    secretLines('secret', Buffer.alloc(32, 1)),
    /it shows no certificate; set sslQuorum=true|it does not take our certificate/,
    /it does not know the secret of this ensemble/,
  );
  const started = fortress.logs.length;
  // what was said of an address a moment ago is said of it again after a minute
  await until(
    async () => {
      for (const port of [1, 2, 3].flatMap((id) => peerPortsOf(members, id)))
        await shake(port, { minVersion: 'TLSv1.3' });
      return /it shows no certificate; set sslQuorum=true/.test(fortress.logs.slice(started));
    },
    2 * PATIENCE_MS,
    () => members.tail(),
  );
  assert.equal((await statusOf(leader))?.epoch, epoch);
  await fortress.stands(leader, good(4));
});

test('a peer without the secret, with an old one, with a resumed TLS ticket, with a 1-byte secret: refused each', async () => {
  const secret = Buffer.alloc(32, 7);
  const good = secretLines('good', secret);
  await using fortress = await Fortress.build(() => good);
  const { members } = fortress;
  const leader = await members.leader();
  const epoch = (await statusOf(leader))?.epoch;

  await fortress.besiege([], /speaks without TLS and this server asks for the secret/, /it speaks TLS and this server/);
  const unknown = /it does not know the secret of this ensemble; give every member the same peer\.secretFile/;
  await fortress.besiege(secretLines('old', Buffer.alloc(32, 6)), unknown, unknown);
  await fortress.besiege(
    new PemFiles(join(folder, 'pem2')).lines('m', makeCertificate(makeAuthority('x'), { hosts: [HOST] })),
    unknown,
    undefined,
  );
  // a file of one byte is refused by the server that is to use it
  fortress.settings(secretLines('byte', Buffer.from([7])));
  members.member(4).start();
  assert.equal(await members.member(4).ended, 43);
  assert.match(members.member(4).log, /holds a secret of 1 bytes; at least 32 are needed/);

  // and by those that it calls, also under the name of the right one; nothing but a handshake is ever sent
  const right = new PeerSecret(secret);
  const tls = {
    ciphers: 'TLS_AES_128_GCM_SHA256',
    minVersion: 'TLSv1.3' as const,
    checkServerIdentity: () => undefined,
  };
  const as = (psk: Buffer, id = right.id): ConnectionOptions => ({
    ...tls,
    pskCallback: () => ({ psk, identity: `${proofName('zoosh', 4)}/${id}` }),
  });
  const ports = [1, 2, 3].flatMap((id) => peerPortsOf(members, id));
  const seen = async (what: string, options: ConnectionOptions): Promise<void> => {
    for (const member of [1, 2, 3]) void statusOf(members.member(member));
    for (const port of ports) assert.equal(await shake(port, options), undefined, `${what} was given a session`);
  };
  await seen('one byte', as(Buffer.from([7])));
  await seen('one byte under an id of its own', as(Buffer.from([7]), 'ffffffff'));
  await seen('no secret', { minVersion: 'TLSv1.3' });
  // whoever knew the secret once has tickets of each port: they are worth nothing without it
  for (const port of ports) {
    const ticket = await shake(port, as(right.key()));
    assert.ok(ticket !== undefined, 'whoever knows the secret gets a ticket');
    assert.equal(await shake(port, { ...tls, session: ticket }), undefined, 'a ticket was taken for the secret');
  }
  assert.equal((await statusOf(leader))?.epoch, epoch);
  await fortress.stands(leader, good);
});

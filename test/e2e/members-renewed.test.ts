/** Members by certificates that are replaced while they serve: sslQuorumReloadCertFiles. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Authority, makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { type MemberOfTest, Members, peerPortsOf, STEADY, until } from './members.ts';
import { PemFiles } from './members-tls.ts';

const HOST = '127.0.0.1';
const IDS = [1, 2, 3];
const folder = mkdtempSync(join(tmpdir(), 'zoosh-renewed-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const READ_AGAIN = /certificates for members were read again/g;
const countIn = (member: MemberOfTest, what: RegExp): number => member.log.match(what)?.length ?? 0;
/** As tools that renew certificates do it: whole, at once. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
/** The name of who vouches for what is shown at a port, once something is. */
async function shownBy(port: number): Promise<string> {
  let found = 'nobody';
  await until(
    async () => {
      found = await vouching(port);
      return found !== 'nobody';
    },
    PATIENCE_MS,
    () => `nothing is shown at port ${port}`,
  );
  return found;
}
function vouching(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: HOST, port, rejectUnauthorized: false }, () => {
      const { issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(issuer.CN));
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve('nobody'));
  });
}

test('three members get another authority while they are written to: the quorum stands, and new connections are by new keys', async () => {
  const files = new PemFiles(join(folder, 'pem'));
  const { authority: old } = files;
  const next: Authority = makeAuthority('their successor');
  const certified = (by: Authority) => makeCertificate(by, { hosts: [HOST] });
  const linesOf = (id: number): readonly string[] => files.lines(`m${id}`, certified(old));
  await using members = await Members.start({ voters: 3, lines: [STEADY], linesOf });
  const leader = await members.leader();
  await using client = await connect(members.hosts, { connectTimeoutMs: PATIENCE_MS });
  const looked = (): number[] => members.all.map((each) => countIn(each, /looking for a leader/g));
  const lookedBefore = looked();
  const states: string[] = [];
  client.on('state', ({ state }) => void states.push(state));
  await client.create('/rolled');
  let written = 0;
  let isOver = false;
  let failed: Error | undefined;
  const load = (async () => {
    while (!isOver) await client.set('/rolled', String(++written));
  })().catch((error: Error) => {
    failed = error;
  });

  /** Replaces a file of every member, and waits until each says that it has read it. */
  const roll = async (name: (id: number) => string, text: (id: number) => string): Promise<void> => {
    for (const id of IDS) {
      const member = members.member(id);
      const before = countIn(member, READ_AGAIN);
      replace(join(files.folder, name(id)), text(id));
      await until(
        () => countIn(member, READ_AGAIN) > before,
        PATIENCE_MS,
        () => `member ${id}: ${members.tail()}`,
      );
    }
  };
  // what is of no use is named, and nothing comes of it
  const first = members.member(1);
  replace(join(files.folder, 'm1.pem'), 'nonsense');
  const named = /certificates for members stay as they were: ssl\.quorum\.keyStore\.location=.*m1\.pem is neither/;
  await until(
    () => named.test(first.log),
    PATIENCE_MS,
    () => first.log,
  );
  assert.equal(await shownBy(peerPortsOf(members, 1)[0]), old.name);
  replace(join(files.folder, 'm1.pem'), certified(old).store);
  await until(
    () => countIn(first, READ_AGAIN) === 1,
    PATIENCE_MS,
    () => first.log,
  );

  // both authorities are believed before anybody shows a certificate of the new one
  await roll(
    (id) => `m${id}-ca.pem`,
    () => old.pem + next.pem,
  );
  await roll(
    (id) => `m${id}.pem`,
    () => certified(next).store,
  );
  await roll(
    (id) => `m${id}-ca.pem`,
    () => next.pem,
  );
  for (const id of IDS) for (const port of peerPortsOf(members, id)) assert.equal(await shownBy(port), next.name);

  // nobody was cut off: no member looked for a leader again, and no write failed
  const before = written;
  await until(
    () => written > before + 20,
    PATIENCE_MS,
    () => members.tail(),
  );
  assert.deepEqual(looked(), lookedBefore, members.tail());
  assert.deepEqual(states, []);
  assert.equal((await members.leader()).id, leader.id);
  isOver = true;
  await load;
  assert.equal(failed, undefined);
  assert.equal(String((await client.get('/rolled')).data), String(written));

  // who comes anew comes by the new keys, both ways
  const follower = members.all.find(({ id }) => id !== leader.id) as MemberOfTest;
  await follower.kill();
  follower.start();
  await members.serving([follower.id]);
  await members.equal();
});

/** A member whose own line is changed by reconfig: it moves to the ports that the line names, without a restart. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, connect, fourLetterWord } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { type MemberOfTest, Members, peerPortsOf, STEADY, until } from './members.ts';

const HOST = '127.0.0.1';
const LINES = [
  STEADY,
  'reconfigEnabled=true',
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];
const PATIENT = { connectTimeoutMs: PATIENCE_MS, timeoutMs: 60_000 };

/** Whether a server answers there. */
const answers = (port: number): Promise<boolean> =>
  fourLetterWord('ruok', { host: HOST, port, timeoutMs: PATIENCE_MS }).then(
    (said) => said === 'imok',
    () => false,
  );
async function superuser(member: MemberOfTest): Promise<Client> {
  const client = await connect(member.hosts, PATIENT);
  await client.addAuth('digest', 'super:adminpass');
  return client;
}
/** Gives a member other ports for clients, and nothing else. */
async function move(client: Client, { id }: MemberOfTest, clients: string): Promise<void> {
  const text = (await client.getConfig()).data?.toString() ?? '';
  const line = new RegExp(`^server\\.${id}=[^;\\n]*`, 'm').exec(text)?.[0];
  await client.reconfig({ joining: `${line};${clients}` });
}
const heard = (member: MemberOfTest, what: RegExp | string): Promise<void> =>
  until(
    () => (typeof what === 'string' ? member.log.includes(what) : what.test(member.log)),
    PATIENCE_MS,
    () => `not told: ${what}: ${member.log.slice(-2000)}`,
  );
const listening = (server: Server, port: number): Promise<void> =>
  new Promise((resolve) => void server.listen(port, HOST, resolve));

test('client ports moved by reconfig: the new one serves at once, the old one takes nobody, who is connected stays; one that is taken leaves things as they are', async () => {
  await using members = await Members.start({ voters: 3, lines: LINES });
  const spare = await ownBlock(HOST, 2);
  const leader = await members.leader();
  const follower = await members.follower();
  await using client = await superuser(leader);
  await using stays = await connect(follower.hosts, PATIENT);
  const changes: string[] = [];
  stays.on('state', ({ state }) => changes.push(state));
  await move(client, follower, `${HOST}:${spare}`);
  await until(
    () => answers(spare),
    PATIENCE_MS,
    () => `nobody listens at the new port: ${follower.log.slice(-2000)}`,
  );
  await heard(
    follower,
    `clientPort moved by reconfig: clients are served at ${HOST}:${spare}, and no longer at ${follower.hosts}; who is connected stays`,
  );
  assert.ok(!(await answers(follower.clientPort)), 'the old port is still there');
  await stays.create('/at-the-old-port');
  assert.deepEqual(changes, []);
  await using late = await connect(`${HOST}:${spare}`, PATIENT);
  await late.sync('/');
  assert.notEqual(await late.exists('/at-the-old-port'), null);
  const told = await fourLetterWord('conf', { host: HOST, port: spare, timeoutMs: PATIENCE_MS });
  assert.match(told, new RegExp(`^clientPort=${spare}$`, 'm'));

  // the leader itself, and to a port that somebody has
  const taken = createServer((socket) => socket.destroy());
  await listening(taken, spare + 1);
  try {
    await move(client, leader, `${HOST}:${spare + 1}`);
    const why = `reconfig moves the clientPort of this server, but ${HOST}:${spare + 1} (clientPort) is in use by another process. Stop it, or choose another port. It is at ${leader.hosts} only until this server is restarted, or reconfig moves it again`;
    await heard(leader, why);
    assert.ok(await answers(leader.clientPort));
  } finally {
    taken.close();
  }
  // the same port on every address: one listener is in the other's way
  await move(client, leader, `${leader.clientPort}`);
  await heard(leader, `clients are served at 0.0.0.0:${leader.clientPort}, and no longer at ${leader.hosts}`);
  assert.ok(await answers(leader.clientPort));

  // what was announced stands in the files, and holds after a restart
  await follower.kill('SIGTERM');
  follower.start();
  await members.serving();
  assert.ok(await answers(spare));
  assert.ok(!(await answers(follower.clientPort)));
});

test('a secure port moved by reconfig together with the plain one, each to where the other will be free', async () => {
  const authority = makeAuthority('everybody');
  const own = makeCertificate(authority, { hosts: [HOST] });
  await using members = await Members.make({ voters: 1, lines: LINES });
  const spare = await ownBlock(HOST, 2);
  const [member] = members.all;
  assert.ok(member !== undefined);
  const file = (name: string, text: string): string => {
    const path = join(members.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const key = own.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const cfg = join(member.folder, 'zoo.cfg');
  const text = readFileSync(cfg, 'utf8').replace(/^server.*/m, `$&;${HOST}:${spare}`);
  rmSync(cfg);
  writeFileSync(
    cfg,
    `${text}ssl.keyStore.location=${file('own.pem', own.pem + key)}\nssl.trustStore.location=${file('ca.pem', authority.pem)}\nssl.clientAuth=none\n`,
  );
  members.startAll();
  await members.serving();
  await using client = await superuser(member);
  // the plain port goes where the secure one was
  await move(client, member, `${HOST}:${spare};${HOST}:${spare + 1}`);
  await heard(member, `secureClientPort moved by reconfig: clients are served at ${HOST}:${spare + 1}`);
  await heard(member, `clientPort moved by reconfig: clients are served at ${HOST}:${spare}, `);
  assert.ok(await answers(spare));
  assert.ok(!(await answers(member.clientPort)));
  await using secure = await connect(`${HOST}:${spare + 1}`, { ...PATIENT, tls: { ca: authority.pem } });
  await secure.create('/by-tls');
  assert.doesNotMatch(member.log, /reconfig moves the/);
});

test('ports for members moved by reconfig: at the leader and at a follower others that are started meet them there; one that is taken leaves the old ones', async () => {
  await using members = await Members.start({ voters: 3, lines: LINES });
  const spare = await ownBlock(HOST, 2);
  const leader = await members.leader();
  const [follower, other] = members.all.filter(({ id }) => id !== leader.id);
  assert.ok(follower !== undefined && other !== undefined);
  await using client = await superuser(leader);
  const moveMember = async ({ id, clientPort }: MemberOfTest, quorum: number, election: number): Promise<void> => {
    await client.reconfig({ joining: `server.${id}=${HOST}:${quorum}:${election};${HOST}:${clientPort}` });
  };
  const dials = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = dial(port, HOST);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  const [quorum, election] = peerPortsOf(members, leader.id);
  await moveMember(leader, spare + 100, spare + 200);
  await heard(leader, `quorum port moved by reconfig: to ${HOST}:${spare + 100}`);
  await heard(leader, `election port moved by reconfig: to ${HOST}:${spare + 200}`);
  assert.deepEqual([await dials(quorum), await dials(election)], [false, false]);
  // whoever comes anew finds the leader where its line says, and nobody has to elect another
  await follower.kill('SIGTERM');
  follower.start();
  await members.serving();
  assert.equal((await members.leader()).id, leader.id);
  assert.match(await leader.word('conf'), new RegExp(`^electionPort=${spare + 200}\nquorumPort=${spare + 100}$`, 'm'));

  // a follower changes its two ports for each other; what another process has, it does not get
  const [first, second] = peerPortsOf(members, other.id);
  await moveMember(other, second, first);
  await heard(other, `quorum port moved by reconfig: to ${HOST}:${second}`);
  const taken = createServer((socket) => socket.destroy());
  await listening(taken, spare + 101);
  try {
    await moveMember(other, spare + 101, first);
    const why = `reconfig moves the quorum port of this server, but ${HOST}:${spare + 101} (quorum port) is in use by another process. Stop it, or choose another port. It is at ${HOST}:${second} until it is restarted, or reconfig moves it again`;
    await heard(other, why);
    assert.ok(await dials(second));
  } finally {
    taken.close();
  }
  await follower.kill('SIGTERM');
  follower.start();
  await other.kill('SIGTERM');
  other.start();
  await members.serving();
  assert.ok(await dials(spare + 101));
  await members.equal();
});

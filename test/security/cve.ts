/**
 * ZooKeeper's published holes, each tried here; CVE-2026-24308 (secrets in logs) is canary.test.ts.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/index.ts';
import { refuseOpenDoors } from '../../src/operate/settings.ts';
import { realClock } from '../../src/platform/clock.ts';
import { plainPeerNetwork } from '../../src/platform/peer-net.ts';
import { pemPeerNetwork } from '../../src/platform/peer-pem.ts';
import { pskPeerNetwork } from '../../src/platform/peer-psk.ts';
import type { PeerNetwork } from '../../src/ports/peer-network.ts';
import { Reader } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { COMMANDS } from '../../src/runtime/admin/http.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { peerNetworkFor } from '../../src/runtime/peer-trust.ts';
import { startServer } from '../../src/runtime/start.ts';
import { ConfigError, checkConfig, parseProperties, type ServerConfig } from '../../src/server/config.ts';
import { type Running, run, until } from '../runtime/real-peers.ts';
import { rig } from '../shell/rig.ts';
import { type Authority, makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { ALICE, make, need, openAs, outcome } from './access/matrix.ts';
import { PureWire } from './access/pure-wire.ts';
import { snapshotsForAdmins } from './admin-hole.ts';

export interface Hole {
  readonly cve: string;
  readonly about: string;
  /** Throws when it is open. */
  readonly check: () => Promise<void>;
}
const MEMBERS = (host: string): string =>
  `dataDir=/data\ninitLimit=5\nsyncLimit=2\n${[1, 2, 3].map((id) => `server.${id}=${host}:${id}1:${id}2;2181`).join('\n')}\n`;
const member = (text: string, sid = '1'): ServerConfig =>
  checkConfig(parseProperties(text, 'zoo.cfg'), { myid: { text: sid, from: { file: 'myid', line: 1 } } });

const SECRET = [{ perms: 31, id: { scheme: 'digest', id: ALICE } }];
const readable = [...SECRET, { perms: 1, id: { scheme: 'world', id: 'anyone' } }];
const aclOf = (body: Buffer): (string | null)[] =>
  (OPERATIONS.getAcl.answer.read(new Reader(body)).acl ?? []).map(({ id }) => id.id);

/** A member that is to take no word for it, and somebody who gives his: no connection comes of it, both ways. */
async function stranger(good: Running, net: PeerNetwork, sentence: RegExp): Promise<void> {
  const bad = await run(2, net);
  bad.peer.port.know([good.addresses]);
  good.peer.port.know([bad.addresses]);
  await until(
    () => good.peer.complaints.some((each) => sentence.test(each)) || good.peer.port.connected.length > 0,
    `it is told about the stranger: ${good.peer.complaints}`,
  );
  // a while longer: it tries again, and so do we
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual([good.peer.port.connected, bad.peer.port.connected], [[], []]);
}
const pem = (authority: Authority, hosts: readonly string[]): PeerNetwork => {
  const { pem: chain, key } = makeCertificate(authority, { hosts });
  const text = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const checks = { dialled: true, callers: true };
  return pemPeerNetwork({ chain, key: text, authorities: [authority.pem], ciphers: undefined, checks });
};

export const HOLES: readonly Hole[] = [
  {
    cve: 'CVE-2016-5017',
    about: 'a command of any length in a batch is done or refused by a sentence, and the next one comes',
    check: async () => {
      const { shell, told, shown } = rig(undefined, {}, new Map(), { keepGoing: true });
      const lengths = [128, 1024, 65_536, 300_000];
      for (const long of lengths.flatMap((length) =>
        ['A', '{', '"', '\\', '/', '$'].map((each) => each.repeat(length)),
      ))
        await shell.run(`echo x${long}`);
      told.length = 0;
      const before = shown.length;
      await shell.run(`set /a '${'A'.repeat(1_200_000)}'; echo on`);
      assert.equal(told[0]?.failure?.code, 'TooLarge');
      assert.equal(shown.length, before + 1);
    },
  },
  {
    cve: 'CVE-2017-5637',
    about: 'words that cost much are not answered unless somebody allowed them',
    check: async () => {
      const { fourLetterWords } = checkConfig(parseProperties('dataDir=/data\nclientPort=2181\n', 'zoo.cfg'));
      assert.deepEqual(fourLetterWords, new Set(['srvr']));
    },
  },
  {
    cve: 'CVE-2018-8012',
    about: 'nobody joins an ensemble on his word: members beyond this machine need a proof, and it is asked for',
    check: async () => {
      assert.throws(() => member(MEMBERS('10.0.0.1')), ConfigError);
      const folder = mkdtempSync(join(tmpdir(), 'zoosh-cve-'));
      try {
        const file = join(folder, 'secret');
        writeFileSync(file, `${Buffer.alloc(48, 7).toString('base64')}\n`, { mode: 0o600 });
        const logger = makeLogger('error', 'text');
        const netOf = async (sid: string): Promise<PeerNetwork> => {
          const { ensemble } = member(`${MEMBERS('127.0.0.1')}peer.secretFile=${file}\n`, sid);
          assert.ok(ensemble);
          return (await peerNetworkFor(ensemble, logger, realClock)).net;
        };
        await stranger(await run(1, await netOf('1')), plainPeerNetwork, /secret/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  },
  {
    cve: 'CVE-2019-0201',
    about: 'getAcl needs READ or ADMIN, and hashes are shown to ADMIN only',
    check: async () => {
      const wire = new PureWire();
      const admin = await openAs(wire, 'super');
      await need(make(admin, '/closed', '', SECRET));
      await need(make(admin, '/readable', '', readable));
      const line = await openAs(wire, 'mallory');
      const refused = await line.ask('getAcl', { path: '/closed' });
      assert.deepEqual([outcome(refused), refused?.body.length], ['NoAuth', 0]);
      assert.deepEqual(aclOf((await need(line.ask('getAcl', { path: '/readable' }))).body), ['alice:x', 'anyone']);
      assert.ok(!Buffer.concat(line.heard).includes(ALICE.slice(6)));
      assert.deepEqual(aclOf((await need(admin.ask('getAcl', { path: '/readable' }))).body), [ALICE, 'anyone']);
    },
  },
  {
    cve: 'CVE-2023-44981',
    about: 'a login of members that is demanded is not left out, and a name that lacks a part is nobody',
    check: async () => {
      for (const key of ['quorum.auth.learnerRequireSasl', 'quorum.auth.serverRequireSasl'])
        for (const [prefix, value] of [
          ['', 'true'],
          ['zookeeper.', 'true'],
          ['', 'TRUE'],
        ] as const)
          assert.throws(
            () =>
              refuseOpenDoors(parseProperties(`quorum.auth.enableSasl=true\n${prefix}${key}=${value}\n`, 'zoo.cfg')),
            ConfigError,
            `${prefix}${key}=${value}`,
          );
      // whoever knows the secret is the member that it proves to be, and no other
      const keys = [{ id: 'k', key: () => Buffer.alloc(32, 5) }];
      for (const name of ['', 'zoosh', 'zoosh/', '/2', 'zoosh/3', 'ZOOSH/2']) {
        const good = await run(1, pskPeerNetwork({ name: 'zoosh/1', keys }));
        const bad = await run(2, pskPeerNetwork({ name, keys }));
        bad.peer.port.know([good.addresses]);
        const denied = (): boolean => good.peer.complaints.some((each) => /proved to be/.test(each));
        await until(() => denied() || good.peer.port.connected.length > 0, `it is told about ${name}`);
        assert.deepEqual([denied(), good.peer.port.connected], [true, []], name);
        bad.peer.port.close();
        good.peer.port.close();
      }
    },
  },
  {
    cve: 'CVE-2024-51504',
    about:
      'where a request to the admin server says that it comes from is no proof, and neither is where it comes from',
    check: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'zoosh-cve-'));
      let log = '';
      const logger = makeLogger('info', 'text', { write: (line) => void (log += line) });
      const text = [
        ...[`dataDir=${folder}`, 'clientPort=0', 'clientPortAddress=127.0.0.1', 'admin.enableServer=true'],
        ...[
          'admin.serverAddress=127.0.0.1',
          'admin.serverPort=0',
          'IPAuthenticationProvider.usexforwardedfor=true',
          '',
        ],
      ].join('\n');
      try {
        await using server = await startServer({
          ...{ config: checkConfig(parseProperties(text, 'zoo.cfg')), logger, onFailed: assert.ifError },
        });
        const port = /admin server on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
        // an address that may do everything, as operators of ZooKeeper wrote
        await using client = await connect(`127.0.0.1:${server.port}`);
        await client.setAcl('/', [
          { perms: 31, scheme: 'ip', id: '127.0.0.1' },
          { perms: 31, scheme: 'ip', id: '10.0.0.1' },
        ]);
        const forged = ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X-Client-IP', 'X-ZooKeeper-IP'].flatMap((name) =>
          ['127.0.0.1', '10.0.0.1', '10.0.0.1, 127.0.0.1', 'for=127.0.0.1'].map((value) => ({ [name]: value })),
        );
        const said = ['ip', 'ip 127.0.0.1'].map((value) => ({ authorization: value }));
        const guarded = COMMANDS.filter((command) => command.for === 'admins');
        const ask = async (command: (typeof COMMANDS)[number], headers: Record<string, string>): Promise<void> => {
          const [name] = command.names;
          const { status } = await fetch(`http://127.0.0.1:${port}/commands/${name}`, {
            method: command.method,
            headers,
          });
          assert.equal(status, 401, `${name} ${JSON.stringify(headers)}`);
        };
        for (const headers of forged) await Promise.all(guarded.map((command) => ask(command, headers)));
        // whoever names an identity waits a second for the answer; more than a hundred at once are not let in
        for (const each of said)
          await Promise.all(guarded.map((command) => ask(command, { ...each, 'X-Forwarded-For': '127.0.0.1' })));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  },
  {
    cve: 'CVE-2024-23944',
    about: 'a watch tells nothing of nodes that may not be read: neither when they change nor when it is set again',
    check: async () => {
      const wire = new PureWire();
      const admin = await openAs(wire, 'super');
      await need(make(admin, '/closed', '', SECRET));
      const line = await openAs(wire, 'mallory');
      for (const mode of [0, 1]) for (const path of ['/', '/closed']) await need(line.ask('addWatch', { path, mode }));
      line.events.length = 0;
      const change = async (): Promise<void> => {
        await need(admin.ask('setData', { path: '/closed', data: Buffer.from('x'), version: -1 }));
        await need(make(admin, '/closed/kid', '', SECRET));
        await need(admin.ask('delete', { path: '/closed/kid', version: -1 }));
      };
      await change();
      assert.deepEqual(line.events, []);
      const again = await openAs(wire, 'mallory');
      const [closed, none] = [['/closed'], [] as string[]];
      await need(
        again.ask('setWatches2', {
          relativeZxid: 0n as never,
          ...{ dataWatches: closed, existWatches: closed, childWatches: closed },
          ...{ persistentWatches: closed, persistentRecursiveWatches: none },
        }),
      );
      assert.deepEqual(again.events, []);
      await change();
      assert.deepEqual(again.events, []);
    },
  },
  {
    cve: 'CVE-2025-58457',
    about: 'a snapshot is given, and a restoration asked for, by those alone who prove that they administer',
    check: snapshotsForAdmins,
  },
  {
    cve: 'CVE-2026-24281',
    about: 'a certificate counts for the hosts that it names, whatever a name server says of an address',
    check: async () => {
      const authority = makeAuthority('the authority');
      const good = await run(1, pem(authority, ['127.0.0.1']));
      // what a reverse look-up of 127.0.0.1 would give
      await stranger(good, pem(authority, ['localhost', 'ip6-localhost']), /made out to DNS:localhost/);
    },
  },
];

/**
 * ZooKeeper's published holes, each tried here. Three are about parts that are not built: CVE-2023-44981 (SASL between servers),
 * CVE-2024-51504 and CVE-2025-58457 (the admin server). CVE-2026-24308 (secrets in logs) is canary.test.ts.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainPeerNetwork } from '../../src/platform/peer-net.ts';
import { pemPeerNetwork } from '../../src/platform/peer-pem.ts';
import type { PeerNetwork } from '../../src/ports/peer-network.ts';
import { Reader } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { peerNetworkFor } from '../../src/runtime/peer-trust.ts';
import { ConfigError, checkConfig, parseProperties, type ServerConfig } from '../../src/server/config.ts';
import { type Running, run, until } from '../runtime/real-peers.ts';
import { rig } from '../shell/rig.ts';
import { type Authority, makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { ALICE, make, need, openAs, outcome } from './access/matrix.ts';
import { PureWire } from './access/pure-wire.ts';

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
        const netOf = (sid: string): Promise<PeerNetwork> => {
          const { ensemble } = member(`${MEMBERS('127.0.0.1')}peer.secretFile=${file}\n`, sid);
          assert.ok(ensemble);
          return peerNetworkFor(ensemble, logger, 0);
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

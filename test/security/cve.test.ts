/** The published holes of ZooKeeper are shut here, each check is seen to fail without its protection, and the classes behind them have rules. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OPERATIONS, type OperationName } from '../../src/protocol/operations.ts';
import { DamageNotes } from '../../src/runtime/damage-notes.ts';
import { answerWord } from '../../src/runtime/four-letter.ts';
import { judgeHello, type PeerIdentity } from '../../src/runtime/peer-hello.ts';
import { Tally } from '../../src/runtime/tally.ts';
import { noTraffic } from '../../src/runtime/traffic.ts';
import { expandAcl } from '../../src/server/acl.ts';
import { authenticate } from '../../src/server/auth.ts';
import { ConfigError, checkConfig, parseProperties } from '../../src/server/config.ts';
import { KEYS } from '../../src/server/config-keys.ts';
import { LONG } from '../amount.ts';
import { Copy, patched } from '../sim/planted/plant.ts';
import { make, need, PROBED } from './access/matrix.ts';
import { PureWire } from './access/pure-wire.ts';
import { HOLES } from './cve.ts';
import { ADMINISTERED, JUDGED, OPENED, TOLD } from './opened.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => [name, readFileSync(join(ROOT, 'src', name), 'utf8')] as const);
const where = (what: RegExp): string[] => sources.flatMap(([name, text]) => (what.test(text) ? [name] : []));

for (const { cve, about, check } of HOLES) test(`${cve}: ${about}`, check);

test('each of these checks fails when its protection is taken out of a copy', async () => {
  using copy = new Copy(['src', 'test']);
  const run = (bug: (typeof OPENED)[number]) => copy.look(bug, 'test/security/cve-job.js', [bug.cve]);
  for (const bug of OPENED) {
    const { found, text } = await run(bug);
    assert.ok(found && /^open: /m.test(text), `${bug.id} is not noticed: ${text}`);
  }
  // the copy itself is sound, or this would show nothing
  const harmless = { ...(OPENED[0] as (typeof OPENED)[number]), id: 'none', put: OPENED[0]?.find ?? '' };
  for (const { cve } of HOLES) {
    const { found, text } = await run({ ...harmless, cve });
    assert.equal(found, false, `${cve} without a mistake: ${text}`);
  }
  assert.deepEqual(new Set(OPENED.map(({ cve }) => cve)), new Set(HOLES.map(({ cve }) => cve)));
});

if (LONG)
  test('CVE-2026-24308: the canary is seen when what keeps it is taken out', async () => {
    using copy = new Copy(['src', 'test']);
    for (const bug of TOLD) {
      const { found, text } = await copy.look(bug, 'test/security/canary.test.js', []);
      assert.ok(found && /^[+ ]*'[^']*: as it is[^']*'/m.test(text), `${bug.id} is not noticed: ${text}`);
    }
  });

if (LONG)
  for (const [what, bugs] of [
    ['admin-access', ADMINISTERED],
    ['access', JUDGED],
  ] as const)
    test(`the table of ${what}.test.ts is seen to fail when what keeps somebody out is taken out`, async () => {
      using copy = new Copy(['src', 'test']);
      const script = `test/security/${what}.test.js`;
      for (const bug of bugs) {
        const { found, text } = await copy.look(bug, script, []);
        assert.ok(found, `${bug.id} is not noticed: ${text}`);
      }
      const [first] = bugs;
      const { found, text } = await copy.look(
        { ...(first as (typeof bugs)[number]), put: first?.find ?? '' },
        script,
        [],
      );
      assert.equal(found, false, `without a mistake: ${text}`);
    });

test('every place of such a protection stands exactly once', () => {
  for (const bug of [...OPENED, ...TOLD, ...ADMINISTERED, ...JUDGED]) assert.ok(patched(bug).includes(bug.put));
});

test('open by default: nothing is that costs, shows paths or lets anybody in', () => {
  const config = checkConfig(parseProperties('dataDir=/data\nclientPort=2181\n', 'zoo.cfg'));
  assert.deepEqual(config.fourLetterWords, new Set(['srvr']));
  assert.equal(config.metrics.exporter, false);
  assert.equal(config.digestAuth.superDigest, undefined);
  assert.equal(config.reconfigEnabled, false);
  assert.throws(() => checkConfig(parseProperties('dataDir=/d\nskipACL=yes\n', 'zoo.cfg')), ConfigError);
  const { fallback } = KEYS['peer.insecure'];
  assert.deepEqual([fallback, KEYS['ssl.quorum.clientAuth'].fallback], ['false', 'need']);
  for (const each of ['hostnameVerification', 'clientHostnameVerification'] as const)
    assert.equal(KEYS[`ssl.quorum.${each}`].fallback, 'true');
});

test('a second path without the check: every operation is in the table of who may do what, or needs no permission', () => {
  const NONE: readonly OperationName[] = ['ping', 'auth', 'sasl', 'whoAmI', 'closeSession'];
  // asked by tests of their own: odd operations, watches that are set again, parts of both
  const ELSEWHERE: readonly OperationName[] = ['reconfig', 'setWatches', 'setWatches2', 'multi', 'multiRead'];
  for (const name of Object.keys(OPERATIONS) as OperationName[])
    assert.ok(PROBED.has(name) || NONE.includes(name) || ELSEWHERE.includes(name), name);
});

test('what costs much: what is answered to strangers does not grow with what there is', async () => {
  const wire = new PureWire();
  const { server } = wire.rig;
  const line = wire.openNow();
  const { damage, tally } = { damage: new DamageNotes({ wall: () => 0 } as never), tally: new Tally() };
  const config = checkConfig(parseProperties('dataDir=/nonexistent\nclientPort=1\n', 'zoo.cfg'));
  const connections = new Set([{ connection: wire.connectionOf(line) }]);
  const answer = (): string =>
    answerWord(
      'srvr',
      {
        ...{ server, config, connections, damage, tally, version: '3', started: 0 },
        ...{ handshakes: 0, traffic: noTraffic(), learners: () => [] },
      },
      Buffer.alloc(0),
    );
  const before = answer().length;
  for (let i = 0; i < 3000; i++) {
    await need(make(line, `/n${i}`, 'x'));
    await need(line.ask('addWatch', { path: `/n${i}`, mode: 1 }));
  }
  assert.ok(answer().includes('Node count: 3'));
  assert.ok(answer().length < before + 40);
});

const super_ = 'super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=';
test('a field that is missing, empty, doubled or oddly spelled proves nothing', () => {
  const options = { superDigest: super_, digestAlgorithm: 'sha1', digestEnabled: true };
  const ip = '10.0.0.1';
  for (const scheme of [null, '', ' ', 'Digest', 'DIGEST', 'digest ', 'digestdigest', 'super', 'world', 'auth', 'x509'])
    for (const credential of [null, '', 'super:adminpass', super_, 'a'])
      assert.equal(authenticate(scheme, credential === null ? null : Buffer.from(credential), ip, options), undefined);
  // a digest login is always somebody, and super only by the password, given once
  for (const credential of [
    '',
    ':',
    'super',
    'super:',
    ':adminpass',
    'super:adminpass:',
    'super:super:adminpass',
    super_,
  ]) {
    const who = authenticate('digest', Buffer.from(credential), ip, options);
    assert.deepEqual([who?.length, who?.[0]?.scheme], [1, 'digest'], credential);
  }
  assert.equal(authenticate('digest', null, ip, options)?.length, 1);
  for (const superDigest of [undefined, ''])
    assert.equal(authenticate('digest', Buffer.from('super:adminpass'), ip, { ...options, superDigest })?.length, 1);
  const none = [{ scheme: 'ip', id: ip }];
  for (const scheme of [null, '', 'World', 'super', 'auth', 'AUTH'])
    for (const id of [null, '', 'anyone', 'a:b'])
      assert.equal(expandAcl([{ perms: 31, id: { scheme, id } }], none), undefined);
});

test('a member is who it proves to be: every part of its name counts', () => {
  const self: PeerIdentity = { ensembleName: 'zoosh', ensembleId: null, sid: 1, incarnation: 'aa', tag: 'bb' };
  const hello = {
    ...self,
    type: 'HELLO',
    leastLevel: 1,
    level: 1,
    purpose: 'quorum',
    sid: 2,
    to: 1,
    attempt: 1,
  } as const;
  const came = (denied: string | undefined) => ({
    ...({ to: 'quorum', from: 'x', hosts: [] } as const),
    proof: { denies: () => denied },
  });
  assert.equal(judgeHello(hello, self, came(undefined)), undefined);
  assert.equal(judgeHello(hello, self, came(''))?.reason, 'proof', 'an empty reason is a reason');
  for (const change of [
    { ensembleName: '' },
    { ensembleName: 'ZOOSH' },
    { sid: 1 },
    { to: 2 },
    { purpose: 'election' },
  ] as const)
    assert.ok(judgeHello({ ...hello, ...change }, self, came(undefined)), JSON.stringify(change));
});

test('headers of a proxy, reverse look-ups and texts that are run: nowhere', () => {
  // one HTTP server, for figures alone; when there is another, who may ask it what is to be tested
  // (who only asks one serves nobody: the bundle gets the figures of its own server)
  assert.deepEqual(where(/^import (?!\{ get \} ).*from 'node:https?'/m), [
    'runtime/metrics.ts',
    'runtime/admin/http.ts',
    'runtime/web/probes.ts',
  ]);
  assert.deepEqual(where(/forwarded-for|x-real-ip|\b(?:request|req)\.(?:raw)?headers\b/i), []);
  assert.deepEqual(where(/\blookupService\b|\.reverse\(\s*(?:ip|address|host|remote)|dns'.*\breverse\b/), []);
  // but for one: the program itself, a file of this package, and what V8 made of it (test/e2e/boot.test.ts)
  assert.deepEqual(where(/\beval\(|new Function\(|node:vm'/), ['cli/boot.ts']);
  const boot = readFileSync(join(ROOT, 'src/cli/boot.ts'), 'utf8');
  assert.deepEqual([...boot.matchAll(/new Script\(|runIn\w+/g)].map(String), ['new Script(', 'runInThisContext']);
});

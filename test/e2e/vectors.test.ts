/** The golden vectors against the built binary: a server alone, and members of ensembles. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATIENCE_MS } from '../patience.ts';
import { Members, until } from './members.ts';
import { ServerProcess } from './process.ts';
import { replayProfile } from './replay.ts';

/** Without what is said of a super user, whom the vectors need, of the logins that they have refused, and of packets up to their limit. */
const unsaid = (log: string): string =>
  log.replace(
    /^.* warn {2}(?:\S+\.superDigest is set: |this server has no history yet and waits: |limit: |a client at 127\.0\.0\.1: a login by (?:\S+|an unknown scheme)(?: as "\w+")? was refused$).*\n/gm,
    '',
  );

/** Nothing is said of a disk that stood still for a while. */
const PATIENT = ['fsync.warningthresholdms=60000'];
/** And no leader is given up because of it. */
const SYNC = 'syncLimit=60';

const SUPER = 'super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=';
const PROFILES: Readonly<Record<string, { lines: string[]; count: number }>> = {
  plain: { lines: [], count: 5 },
  full: {
    lines: [
      'tickTime=500',
      'extendedTypesEnabled=true',
      'enforceQuota=true',
      'reconfigEnabled=true',
      '4lw.commands.whitelist=*',
      'znode.container.checkIntervalMs=300',
      'znode.container.maxNeverUsedIntervalMs=0',
      'jute.maxbuffer=4096',
      'maxClientCnxns=0',
      `DigestAuthenticationProvider.superDigest=${SUPER}`,
    ],
    count: 138,
  },
};
const MEMBERS: Readonly<Record<string, { voters: number; lines: string[]; count: number }>> = {
  ensemble: { voters: 3, lines: [`DigestAuthenticationProvider.superDigest=${SUPER}`, 'maxClientCnxns=0'], count: 9 },
  quorum: {
    voters: 1,
    lines: [`DigestAuthenticationProvider.superDigest=${SUPER}`, 'maxClientCnxns=0', 'reconfigEnabled=true'],
    count: 5,
  },
  localsessions: { voters: 1, lines: ['standaloneEnabled=false', 'localSessionsEnabled=true'], count: 1 },
};

for (const [profile, { lines, count }] of Object.entries(PROFILES))
  test(`profile ${profile}`, async (t) => {
    await using server = await new ServerProcess([...lines, ...PATIENT]).start();
    await replayProfile(t, profile, count, [server.port]);
    assert.equal(unsaid(server.stderr), '');
  });

for (const [profile, { voters, lines, count }] of Object.entries(MEMBERS))
  test(`profile ${profile}, ${voters} members`, async (t) => {
    await using members = await Members.start({ voters, lines: [...lines, ...PATIENT, SYNC] });
    await replayProfile(
      t,
      profile,
      count,
      members.all.map(({ clientPort }) => clientPort),
    );
    assert.doesNotMatch(unsaid(members.tail()), / (warn|error) /);
  });

const SASL: Readonly<Record<string, { line: string; count: number }>> = {
  sasl: { line: 'superUser=super', count: 4 },
  saslrequired: { line: 'sessionRequireClientSASLAuth=true', count: 3 },
};
const JAAS = `Server { org.apache.zookeeper.server.auth.DigestLoginModule required
  user_super="adminsecret" user_bob="bobsecret"; };`;
for (const [profile, { line, count }] of Object.entries(SASL))
  test(`profile ${profile}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const jaas = join(folder, 'jaas.conf');
    writeFileSync(jaas, JAAS, { mode: 0o600 });
    const provider = 'authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider';
    const lines = ['tickTime=500', line, provider, `java.security.auth.login.config=${jaas}`, ...PATIENT];
    await using server = await new ServerProcess(lines).start();
    await replayProfile(t, profile, count, [server.port]);
    assert.equal(unsaid(server.stderr), '');
  });

test('profile readonly, one of three members', async (t) => {
  const lines = ['localSessionsEnabled=true', 'localSessionsUpgradingEnabled=true', 'readonlymode.enabled=true'];
  await using members = await Members.make({ voters: 3, lines });
  const [only] = members.all;
  assert.ok(only !== undefined);
  only.start();
  await until(
    async () => (await only.word('isro').catch(() => '')) === 'ro',
    PATIENCE_MS,
    () => members.tail(),
  );
  await replayProfile(t, 'readonly', 4, [only.clientPort]);
});

for (const through of ['the voter', 'an observer'])
  test(`profile quorum against three processes, one of them the only voter, through ${through}`, async (t) => {
    const { lines, count } = MEMBERS.quorum as (typeof MEMBERS)[string];
    // server 2 is the one that the captures add and remove
    await using members = await Members.start({ voters: 1, observers: 2, ids: [1, 3, 4], lines: [...lines, SYNC] });
    const ports = members.all.map(({ clientPort }) => clientPort);
    await replayProfile(t, 'quorum', count, through === 'the voter' ? ports : ports.reverse());
  });

test('profile quorum against three voters, without what only one voter refuses', async (t) => {
  const { lines, count } = MEMBERS.quorum as (typeof MEMBERS)[string];
  await using members = await Members.start({ voters: 3, lines: [...lines, SYNC] });
  const ports = members.all.map(({ clientPort }) => clientPort);
  // it asks for the removal of server 1, which an ensemble of three grants
  await replayProfile(t, 'quorum', count - 1, ports, ['reconfig-errors.json']);
});

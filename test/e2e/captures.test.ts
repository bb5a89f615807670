/**
 * Words and admin answers of every role against captures of ZooKeeper 3.8.0, and of a server alone of 3.10, field by field: the same lines and names in the
 * same form, with figures, addresses and paths for what they are. What is left out stands in docs/compatibility.md.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, fourLetterWord } from '../../src/index.ts';
import { COUNTED, OF_MEMBERS } from '../../src/runtime/tally.ts';
import { PATIENCE_MS } from '../patience.ts';
import { form, keysOf, leftOut, lines, plural } from './answers.ts';
import { type MemberOfTest, Members, until } from './members.ts';
import { ServerProcess } from './process.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SAMPLES = join(ROOT, 'test/samples');
const LINES = [
  ...['4lw.commands.whitelist=*', 'admin.enableServer=true', 'admin.serverAddress=127.0.0.1', 'admin.serverPort=0'],
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];
const WORDS = 'conf cons crst dirs dump gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs'.split(' ');
const sample = (name: string): string => readFileSync(join(SAMPLES, name), 'utf8');

interface Seen {
  word(text: string): Promise<string>;
  admin(name: string): Promise<string>;
}
/** A log may say it after the server serves. */
async function adminPort(log: () => string): Promise<string> {
  const found = (): string | undefined => [...log().matchAll(/admin server on 127\.0\.0\.1:(\d+)\b/g)].at(-1)?.[1];
  await until(() => found() !== undefined, PATIENCE_MS, log);
  return found() as string;
}
const adminOf =
  (log: () => string) =>
  async (name: string): Promise<string> => {
    const port = await adminPort(log);
    const url = `http://127.0.0.1:${port}/commands/${name}`;
    return (await fetch(url, { headers: { authorization: 'digest super:adminpass' } })).text();
  };

const healthOf = async (member: MemberOfTest): Promise<number> => {
  const port = await adminPort(() => member.log);
  return (await fetch(`http://127.0.0.1:${port}/healthy`)).status;
};

/** Session, watches and requests as the captures have them. */
async function busy<T>(hosts: string, run: () => Promise<T>): Promise<T> {
  await using client = await connect(hosts, { timeoutMs: 40_000 });
  await client.sync('/'); // it may be behind the one that was asked before
  if (!(await client.exists('/other'))) await client.create('/other', '');
  await client.create('/eph', 'x', { mode: 'ephemeral' });
  await client.exists('/none', { watch: () => {} });
  await client.getChildren('/', { watch: () => {} });
  await client.get('/eph', { watch: () => {} });
  await client.set('/other', 'y');
  const done = await run();
  await client.delete('/eph');
  return done;
}

const rules = leftOut();
/** Names that a server alone has nothing to say about. */
const OF_ENSEMBLE = new Set<string>([...OF_MEMBERS, ...Object.keys(COUNTED), 'proposal_count']);
const plainName = (key: string): string => key.replace(/^(?:avg|min|max|cnt|sum|p50|p95|p99|p999)_/, '');
async function compare(role: string, { word, admin }: Seen, version: '3.8.0' | '3.10' = '3.8.0'): Promise<void> {
  const differing: string[] = [];
  const alike = (what: string, ours: unknown, theirs: unknown): void => {
    try {
      assert.deepEqual(ours, theirs);
    } catch (error) {
      differing.push(`${role} ${what}: ${(error as Error).message}`);
    }
  };
  for (const each of WORDS) {
    const theirs = sample(`4lw-${version}-${role}-${each}.txt`);
    const ours = each === 'stmk' ? await admin('stmk?traceMask=0') : await word(each);
    if (each === 'stmk') assert.match(ours, /"tracemask" : 0/);
    else if (each === 'mntr') {
      const have = new Set(keysOf(ours));
      const per = /_(?:read|write)_per_namespace$|_learner_handler_qp_/;
      const missing = keysOf(theirs).filter(
        (key) =>
          !have.has(key) &&
          !per.test(key) &&
          !(role === 'standalone' && OF_ENSEMBLE.has(plainName(key))) &&
          !rules.some((rule) => rule.test(key)),
      );
      alike('mntr, neither in ours nor among what is left out', missing, []);
      for (const rule of rules) assert.ok(![...have].some((key) => rule.test(key)), `${rule} is said to be left out`);
    } else if (each === 'hash') assert.match(ours, /^$/);
    // those who expire at other moments stand on other lines
    else if (each === 'dump') alike('dump', lines(ours).map(plural), lines(theirs).map(plural));
    else alike(each, lines(ours), lines(theirs));
    if (each !== 'mntr' && each !== 'stmk' && each !== 'hash')
      alike(`${each} ends`, ours.endsWith('\n'), theirs.endsWith('\n'));
  }
  for (const file of readdirSync(SAMPLES)) {
    const name = new RegExp(`^admin-${version.replaceAll('.', '\\.')}-${role}-(.*)\\.json$`).exec(file)?.[1];
    if (name === undefined || name === 'monitor' || name === 'environment' || name === 'system_properties') continue;
    // null for a member of 3.8.0, the text in 3.10
    if (name === 'initial_configuration' && role !== 'standalone') continue;
    const asked = name === 'set_trace_mask_traceMask_250' ? 'set_trace_mask?traceMask=250' : name;
    const theirs = JSON.parse(sample(file)) as { observers?: Record<string, unknown>[] };
    // the members of this test say where clients are served
    const mine = JSON.parse(await admin(asked)) as Record<string, unknown>;
    if (name === 'zabstate' && mine.client_address !== undefined) mine.client_address = null;
    // packets are not counted while they wait
    for (const each of theirs.observers ?? []) for (const key of ['queued_packets', 'requests']) delete each[key];
    alike(name, form(mine), form(theirs));
  }
  assert.ok(differing.length === 0, differing.join('\n'));
  const monitor = JSON.parse(await admin('monitor')) as Record<string, unknown>;
  const known = new Set(keysOf(await word('mntr')));
  for (const key of known) assert.ok(key in monitor, `${role}: ${key} is in mntr and not in monitor`);
}
test('a server alone', async () => {
  await using server = await new ServerProcess(LINES, 'info').start();
  const { port } = server;
  const word = (text: string): Promise<string> => fourLetterWord(text, { host: '127.0.0.1', port });
  const admin = adminOf(() => server.stderr);
  await admin('snapshot?streaming=false');
  await busy(server.hosts, () => compare('standalone', { word, admin }));
});

test('a server alone, as 3.10 has it', async () => {
  await using server = await new ServerProcess(LINES, 'info').start();
  const { port } = server;
  const word = (text: string): Promise<string> => fourLetterWord(text, { host: '127.0.0.1', port });
  const admin = adminOf(() => server.stderr);
  await admin('snapshot?streaming=false');
  await busy(server.hosts, () => compare('standalone', { word, admin }, '3.10'));
});

test('leader, follower and observer', async () => {
  await using members = await Members.start({ voters: 3, observers: 1, tickMs: 2000, lines: LINES });
  const roles = { leader: await members.leader(), follower: await members.follower(), observer: members.member(4) };
  for (const [role, member] of Object.entries(roles)) {
    const seen = { word: (text: string) => member.word(text), admin: adminOf(() => member.log) };
    await seen.admin('snapshot?streaming=false');
    await busy(member.hosts, () => compare(role, seen));
    // within the 2 s that it gives a quorum, which a machine that stands still may take now and then
    await until(
      async () => (await healthOf(member)) === 200,
      PATIENCE_MS,
      () => `${role}: a quorum does not confirm`,
    );
  }
  // without a quorum nobody is well
  await roles.follower.kill();
  await roles.leader.kill();
  await until(
    async () => (await healthOf(roles.observer)) === 503,
    PATIENCE_MS,
    () => 'a quorum confirmed',
  );
});

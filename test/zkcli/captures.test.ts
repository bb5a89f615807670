import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ALLOWED, allowedFor, differences } from './allowed.ts';
import { type Capture, capturesOf } from './captures.ts';
import { play, type Result, shown } from './play.ts';

/** What whoever made the captures did to the tree before a case, the first one when `title` is empty. */
interface Story {
  readonly group: string;
  readonly title: string;
  /** Only the case of this number among those whose titles fit, from 0. */
  readonly nth?: number;
  readonly tell: (client: Client, capture: Capture) => Promise<unknown>;
}
const nodes =
  (...all: readonly (readonly [string, string | null])[]) =>
  async (client: Client): Promise<void> => {
    for (const [path, data] of all) await client.create(path, data);
  };
const STORIES: readonly Story[] = [
  { group: 'global', title: 'chroot zkCli.sh', tell: nodes(['/app', 'x'], ['/app/one', '1']) },
  {
    group: 'create',
    title: '',
    tell: async (client) => {
      await client.create('/app');
      await client.delete('/app');
    },
  },
  {
    group: 'get',
    title: '',
    tell: async (client) => {
      await nodes(
        ['/a1', 'd'],
        ['/a2', 'd'],
        ['/a8', 'd'],
        ['/eph2', 'd'],
        ['/g', 'hello'],
        ['/g/nl', 'line1\nline2\n'],
        ['/g/null', null],
        ['/ttls0000000007', 'd'],
        ['/x', 'd'],
        ['/zookeeper/x', 'd'],
      )(client);
      await client.create('/a5', 'd', { acl: [{ scheme: 'digest', id: 'bob:xyz', perms: 31 }] });
    },
  },
  // ephemeral nodes of earlier runs went while the captures were made
  {
    group: 'get',
    title: 'ls -R /',
    tell: async (client, { stdout }) => {
      if (!/^\/x$/m.test(stdout)) await client.delete('/x');
    },
  },
  {
    group: 'get',
    title: 'stat /',
    tell: async (client, capture) => {
      for (const path of ['/eph2', '/x']) await client.delete(path).catch(() => {});
      const wanted = Number(/^cversion = (\d+)$/m.exec(capture.stdout)?.[1]);
      while (((await client.exists('/'))?.cversion ?? wanted) < wanted) {
        await client.create('/bump');
        await client.delete('/bump');
      }
    },
  },
  { group: 'set', title: '', tell: nodes(['/s', 'v'], ['/d1', null], ['/d1/c', null], ['/d2', null]) },
  {
    group: 'set',
    title: 'deleteall -b 2 /e',
    tell: nodes(['/e', null], ['/e/1', null], ['/e/2', null], ['/e/1/x', null]),
  },
  { group: 'set', title: 'deleteall -b 0 /e', tell: nodes(['/e', null], ['/e/1', null]) },
  { group: 'acl', title: '', tell: nodes(['/acl', 'd'], ['/acl/k', null]) },
  {
    group: 'acl',
    title: 'getAcl /acl',
    nth: 1,
    tell: (client) => client.setAcl('/acl', [{ scheme: 'world', id: 'anyone', perms: 0 }]),
  },
  {
    group: 'quota',
    title: '',
    tell: nodes(['/q', 'x'], ['/q/a', 'x'], ['/p', null], ['/p/c', null], ['/zookeeper/x', null]),
  },
  { group: 'watch', title: '', tell: nodes(['/a1', null], ['/a2', null], ['/a5', null], ['/a8', null], ['/w', 'x']) },
  { group: 'quoting', title: '', tell: nodes(['/a1', null], ['/a2', null], ['/a5', null], ['/a8', null], ['/w', 'x']) },
];

const GROUPS = ['global', 'create', 'get', 'set', 'acl', 'quota', 'watch', 'quoting', 'reconfig'] as const;

/** Until a server that is not there is given up. */
const DEAD_MS = 500;

/** Goes to a server where nobody listens, from one that is there. */
const leaves = ({ stdin = [] }: Capture, server: EmbeddedServer): boolean =>
  stdin.some((line) => line.startsWith('connect ') && !here(line, server).includes(server.connectString));
const here = (line: string, server: EmbeddedServer): string =>
  line.replace(/127\.0\.0\.1:(?:21100|21110)$/, server.connectString);

/** Words that zkCli no longer has, or never had, and people still type: `zkcli-exact` is as zkCli is. */
const isOurs = ({ title }: Capture): boolean => / (?:help|ls2|rmr)(?: |$)/.test(title);
/** `leavingMs`: until one that is not there is given up for one that is. */
async function replay(
  capture: Capture,
  server: EmbeddedServer,
  version: '3.8' | '3.10',
  leavingMs = 6 * DEAD_MS,
  mode: 'zkcli' | 'zkcli-exact' = 'zkcli',
): Promise<Result> {
  const { args, stdin } = capture;
  const words = args.map((arg) =>
    arg
      .replace(/127\.0\.0\.1:(?:21100|21110)(?=[,/]|$)/g, server.connectString)
      .replace('SCRATCH/client.cfg', '/dev/null'),
  );
  const typed = stdin?.map((line) => here(line, server));
  // for a server that is there a busy machine has time; where nobody listens nothing is waited for
  const isThere = [...words, ...(typed ?? [])].some((each) => each.includes(server.connectString));
  return play(words, typed, version, leaves(capture, server) ? leavingMs : isThere ? PATIENCE_MS : DEAD_MS, mode);
}

for (const version of ['3.8', '3.10'] as const)
  for (const group of GROUPS)
    test(`accept 3: ${group} as zkCli ${version} has it`, async () => {
      await using server = await startEmbedded({
        logLevel: 'error',
        settings: {
          extendedTypesEnabled: 'true',
          '4lw.commands.whitelist': '*',
          'DigestAuthenticationProvider.superDigest': 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=',
          ...(version === '3.10' && { enforceQuota: 'true' }),
        },
      });
      await using client = await connect(server.connectString);
      await client.addAuth('digest', 'super:admin');
      const differing: string[] = [];
      const cases = allowedFor(group, version);
      const met = new Set<unknown>();
      const seen = new Map<Story, number>();
      for (const [at, capture] of capturesOf(version === '3.8' ? '3.8.0' : '3.10', group).entries()) {
        for (const story of STORIES.filter((each) => each.group === group)) {
          if (
            story.title === '' ? at > 0 : !capture.title.endsWith(story.title) && !capture.title.startsWith(story.title)
          )
            continue;
          const count = seen.get(story) ?? 0;
          seen.set(story, count + 1);
          if (count === (story.nth ?? 0)) await story.tell(client, capture);
        }
        const wanted = shown(capture);
        let found = await replay(capture, server, version);
        // one that is there may take as long as one that is not is waited for: again, with more patience
        if (leaves(capture, server) && shown(found) !== wanted)
          found = await replay(capture, server, version, PATIENCE_MS / 2);
        const got = shown(found);
        const allowed = cases.find(({ title }) => capture.title.includes(title));
        if (allowed !== undefined) {
          met.add(allowed);
          const lines = differences(capture, found);
          if (lines.join('\n') !== allowed.lines.join('\n'))
            differing.push(
              `${capture.title}\n--- allowed\n${allowed.lines.join('\n')}\n--- found\n${lines.join('\n')}`,
            );
        } else if (got !== wanted) differing.push(`${capture.title}\n--- zkCli\n${wanted}--- zoosh\n${got}`);
        if (!isOurs(capture)) continue;
        const exact = shown(await replay(capture, server, version, 0, 'zkcli-exact'));
        if (exact !== wanted) differing.push(`${capture.title}\n--- zkCli\n${wanted}--- zoosh, exact\n${exact}`);
      }
      if (differing.length > 0) assert.fail(`${differing.length} differ\n${differing.join('\n')}`);
      assert.deepEqual(
        cases.filter((each) => !met.has(each)),
        [],
        'allowed, and not recorded',
      );
    });

/** What `zkcli-exact` prints besides: where it connects to, the banner, the events of the session, in their order. */
const besides = (stdout: string): string[] =>
  stdout
    .replace(/\[zk: [^\]]*\] /g, '')
    .replace(/127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/ zxid: -?\d+/g, ' zxid: ?')
    .split('\n')
    .filter((line, at, lines) => {
      const isHead = line === 'WATCHER::' && / type:None /.test(lines.slice(at + 1).find((each) => each !== '') ?? '');
      return isHead || /^(?:Connecting to |Welcome to |JLine support|WatchedEvent state:\w+ type:None )/.test(line);
    })
    // Java's console is there or not
    .map((line) => line.replace(/^(JLine support is )enabled/, '$1disabled'));

for (const version of ['3.8', '3.10'] as const)
  test(`zkcli-exact prints the banner and the events of the session as zkCli ${version} does`, async () => {
    await using server = await startEmbedded({ logLevel: 'error', settings: { '4lw.commands.whitelist': '*' } });
    const differing: string[] = [];
    let [compared, equal] = [0, 0];
    for (const group of ['create', 'get', 'watch', 'quoting'] as const)
      for (const capture of capturesOf(version === '3.8' ? '3.8.0' : '3.10', group)) {
        // a command with a wrong ACL ends before it connects: see above
        if (leaves(capture, server) || capture.title.startsWith('unknown permission letter')) continue;
        const want = besides(capture.stdout);
        const got = besides((await replay(capture, server, version, 0, 'zkcli-exact')).stdout);
        compared++;
        if (got.join('\n') === want.join('\n')) equal++;
        // Java may end one command before its other thread has told of the session, in the midst of it, too; ours tells it
        else if (capture.stdin !== undefined || !isWithin(want, got))
          differing.push(`${capture.title}\n--- zkCli\n${want.join('\n')}\n--- zoosh\n${got.join('\n')}`);
      }
    assert.ok(compared > 120 && equal > 80, `${equal} of ${compared}`);
    if (differing.length > 0) assert.fail(`${differing.length} of ${compared} differ\n${differing.join('\n')}`);
  });
/** All of `some`, in their order. */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const line of all) if (line === some[at]) at++;
  return at === some.length;
}

test('the old names and help, which people still type, are known to zkcli', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  const asked = (...words: string[]): Promise<Result> =>
    play(['-server', server.connectString, ...words], undefined, '3.10', PATIENCE_MS);
  for (const path of ['/old', '/old/a', '/old/a/b']) await client.create(path, 'x');
  const listed = await asked('ls2', '/old');
  assert.deepEqual([listed.exit, listed.stderr], [0, '']);
  assert.match(listed.stdout, /^\[a\]\ncZxid = 0x[\s\S]*numChildren = 1\n$/);
  assert.equal(shown(listed), shown(await asked('ls', '-s', '/old')));
  assert.match((await asked('ls2')).stderr, /^ls \[-s\]/);
  const removed = await asked('rmr', '/old/a');
  assert.deepEqual([removed.exit, removed.stdout, removed.stderr], [0, '', '']);
  assert.deepEqual((await client.getChildren('/old')).children, []);
  const help = await asked('help');
  assert.deepEqual([help.exit, help.stderr], [0, '']);
  assert.match(help.stdout, /^ZooKeeper -server .*\n\taddWatch [\s\S]*\twhoami \n$/);
  assert.doesNotMatch(help.stdout, /ls2|rmr/);
  assert.match((await asked('help', 'get')).stdout, /^get \[-s\]/);
  assert.equal((await asked('help', 'nosuch')).exit, 127);
});

test('accept 3: the differences that are allowed are few', () => {
  assert.ok(ALLOWED.length <= 10);
});

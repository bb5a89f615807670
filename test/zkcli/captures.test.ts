import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runZkcli } from '../../src/cli/zkcli.ts';
import { compatWish } from '../../src/cli/zkcli-argv.ts';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { type Capture, capturesOf, normalise } from './captures.ts';

/**
 * What differs from zkCli and may: the whole list. A case is named by words of its title; `why` is for people. `server`:
 * the line is the server's, whose version the capture is of.
 */
const ALLOWED: readonly { readonly group: string; readonly title: string; readonly why: string }[] = [
  { group: 'create', title: 'unknown permission letter', why: 'an unknown letter of an ACL is an error here' },
  { group: 'acl', title: 'setAcl /acl world:anyone:q', why: 'an unknown letter of an ACL is an error here' },
];

/** Done to the tree before the case whose title has these words, as whoever made the captures did it. */
type Story = (client: Client) => Promise<unknown>;
const BEFORE: readonly { readonly group: string; readonly title: string; readonly story: Story }[] = [];

async function clean(client: Client): Promise<void> {
  for (const name of (await client.getChildren('/')).children)
    if (name !== 'zookeeper') await deleteTree(client, `/${name}`);
}
async function deleteTree(client: Client, path: string): Promise<void> {
  for (const name of (await client.getChildren(path)).children) await deleteTree(client, `${path}/${name}`);
  await client.delete(path);
}

const GROUPS = ['global', 'create', 'get', 'set', 'acl', 'quota', 'watch', 'quoting', 'reconfig'] as const;

const shown = (stdout: string, stderr: string, exit: number): string =>
  `stdout:\n${normalise(stdout)}stderr:\n${normalise(stderr)}exit ${exit}\n`;

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

async function replay({ args, stdin }: Capture, server: EmbeddedServer, version: string): Promise<Result> {
  let [stdout, stderr] = ['', ''];
  const here = args.map((arg) => arg.replace(/127\.0\.0\.1:(?:21100|21110)(?=[,/]|$)/g, server.connectString));
  const ours = ['--compat', `zkcli=${version}`, '--no-config', '--connect-timeout', '1500'];
  const wish = compatWish('zoosh', [...ours, ...here], false);
  assert.ok(wish !== undefined);
  const exit = await runZkcli(wish, {
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    async *lines() {
      for (const line of stdin ?? []) yield line.replace(/127\.0\.0\.1:(?:21100|21110)$/, server.connectString);
    },
    isPrompt: false,
  });
  return { stdout, stderr, exit };
}

for (const version of ['3.8', '3.10'] as const)
  for (const group of GROUPS)
    test(`3: ${group} as zkCli ${version} has it`, async () => {
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
      const differing: string[] = [];
      for (const capture of capturesOf(version === '3.8' ? '3.8.0' : '3.10', group)) {
        for (const { story } of BEFORE.filter((each) => each.group === group && capture.title.includes(each.title)))
          await story(client);
        const found = await replay(capture, server, version);
        const got = shown(found.stdout, found.stderr, found.exit);
        const wanted = shown(capture.stdout, capture.stderr, capture.exit);
        if (got === wanted) continue;
        const allowed = ALLOWED.some((each) => each.group === group && capture.title.includes(each.title));
        if (!allowed) differing.push(`${capture.title}\n--- zkCli\n${wanted}--- zoosh\n${got}`);
      }
      assert.equal(differing.join('\n'), '');
    });

test('3: the differences that are allowed are few', () => {
  assert.ok(ALLOWED.length <= 10);
});

/** Compulsory SASL between us and others: our shell and library at Debian's server, kazoo and zkCli.sh at both. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/client/connect.ts';
import { zoosh } from '../e2e/cli.ts';
import { ServerProcess } from '../e2e/process.ts';
import { ApacheProcess } from './apache-process.ts';

const MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
const folder = mkdtempSync(join(tmpdir(), 'zoosh-sasl-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const jaas = join(folder, 'jaas.conf');
writeFileSync(
  jaas,
  `Server { ${MODULE} user_bob="bobsecret" user_ann="annsecret"; };
   Client { ${MODULE} username="bob" password="bobsecret"; };
   Wrong { ${MODULE} username="bob" password="wrong"; };`,
);
const FLAG = `-Djava.security.auth.login.config=${jaas}`;
const LINES = [
  'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
  'sessionRequireClientSASLAuth=true',
];
const KAZOO = fileURLToPath(new URL('../../../test/interop/sasl_kazoo.py', import.meta.url));

function run(program: string, args: readonly string[], input: string, env: Record<string, string> = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, timeout: 180_000 });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  child.stdin.end(input);
  return new Promise<{ code: number | null; text: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, text })),
  );
}

async function both(hosts: string): Promise<void> {
  {
    await using client = await connect(hosts, { auth: [{ scheme: 'sasl', auth: 'bob:bobsecret' }] });
    await client.create('/ours', 'x', { acl: [{ perms: 31, scheme: 'sasl', id: 'bob' }] });
    await using ann = await connect(hosts, { auth: [{ scheme: 'sasl', auth: 'ann:annsecret' }] });
    await assert.rejects(ann.get('/ours'), { code: 'NoAuth' });
    await assert.rejects(connect(hosts, { auth: [{ scheme: 'sasl', auth: 'bob:wrong' }] }), { code: 'AuthFailed' });
  }
  const shell = await zoosh([FLAG, hosts, 'get', '/ours']);
  assert.deepEqual([shell.code, shell.stderr], [0, '']);
  const option = await zoosh(['--auth', 'sasl:bob:bobsecret', hosts, 'get', '/ours']);
  assert.equal(option.code, 0, option.stderr);
  const nobody = await zoosh([hosts, 'get', '/ours']);
  assert.equal(nobody.code, 4, nobody.stderr);
  const kazoo = await run('/usr/bin/python3', [KAZOO, hosts], '');
  assert.deepEqual([kazoo.code, /4 checks passed/.test(kazoo.text)], [0, true], kazoo.text);
  const zkCli = await run('/usr/share/zookeeper/bin/zkCli.sh', ['-server', hosts], 'get /ours\nwhoami\nquit\n', {
    CLIENT_JVMFLAGS: FLAG,
  });
  assert.match(zkCli.text, /^x$/m);
  assert.match(zkCli.text, /sasl: bob/);
}

test("at Debian's server", async () => {
  await using server = new ApacheProcess(LINES, [FLAG]);
  await server.start();
  await both(server.hosts);
});

test('at ours', async () => {
  await using server = await new ServerProcess([...LINES, `java.security.auth.login.config=${jaas}`]).start();
  await both(server.hosts);
});

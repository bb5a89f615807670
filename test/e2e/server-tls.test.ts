/** A server process that serves by TLS alone: its status, its settings as they are shown, and how it refuses to start. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-server-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const authority = makeAuthority('everybody');
const own = makeCertificate(authority, { hosts: ['127.0.0.1'] });
function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
const sealed = own.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' }).toString();
const lines = (port: number): string[] => [
  'clientPort=',
  'clientPortAddress=',
  `secureClientPort=${port}`,
  'secureClientPortAddress=127.0.0.1',
  `ssl.keyStore.location=${write('own.pem', own.pem + sealed)}`,
  'ssl.keyStore.password=sesame',
  `ssl.trustStore.location=${write('ca.pem', authority.pem)}`,
];

test('by TLS alone: ready, status and config', async () => {
  await using server = await new ServerProcess(lines(0)).start();
  const cfg = write(
    'zoo.cfg',
    [`dataDir=${server.folder}/data`, ...lines(server.port).filter((line) => !line.startsWith('clientPort')), ''].join(
      '\n',
    ),
  );
  let status = await zoosh(['server', 'status', cfg]);
  // an answer is waited for five seconds, and a machine may stand still as long
  for (let again = 0; again < 2 && status.code === 1; again++) status = await zoosh(['server', 'status', cfg]);
  assert.deepEqual(
    [status.code, status.stdout],
    [0, `Client port found: ${server.port}. Client address: 127.0.0.1. Client SSL: true.\nMode: standalone\n`],
    status.stderr,
  );
  const bundle = join(folder, 'bundle.tgz');
  assert.equal((await zoosh(['server', 'bundle', bundle, cfg])).code, 0);
  const bundled = gunzipSync(readFileSync(bundle)).toString('latin1');
  assert.ok(bundled.includes('/words/srvr.txt'), 'no words are in the bundle');
  assert.match(bundled, /\nMode: standalone\n/);
  const config = await zoosh(['server', 'config', cfg]);
  assert.match(config.stdout, /^ssl\.keyStore\.password=\*\*\* /m);
  assert.match(config.stdout, new RegExp(`^secureClientPort=${server.port} .*zoo\\.cfg`, 'm'));
  assert.ok(!`${config.stdout}${config.stderr}${server.stderr}`.includes('sesame'));
});

test('a key that its password does not open: exit 43, in one sentence', async () => {
  const wrong = [...lines(0), 'ssl.keyStore.password=wrong'];
  await assert.rejects(new ServerProcess(wrong).start(), (error) => {
    const { message } = error as Error;
    assert.match(
      message,
      /ended with 43: .*ssl\.keyStore\.location=.*own\.pem holds a key that its password does not open/s,
    );
    assert.ok(!/wrong|sesame|\n {4}at /.test(message), message);
    return true;
  });
});

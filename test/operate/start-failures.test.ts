/**
 * Every failure at the start that ZooKeeper has (and some that only we have): our exit code, the one of its scripts, and
 * what is said. Where ZooKeeper starts nevertheless, the remark.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runStart } from '../../src/cli/start.ts';
import { listenError } from '../../src/runtime/start-error.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { placeIn, ROWS, THREE } from './failures.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (lines?: Parameters<typeof placeIn>[1], myid?: string) => placeIn(folder, lines, myid);

/** Runs `zoosh start server` in this process; it must not come to serve. */
async function start(config: string, isApache: boolean): Promise<{ code: number; text: string }> {
  const { write } = process.stderr;
  let text = '';
  process.stderr.write = ((chunk: string) => {
    text += chunk;
    return true;
  }) as typeof write;
  try {
    const code = await runStart(['server', '--config', config, '--log-level', 'error'], undefined, {
      env: {},
      isApache,
    });
    return { code, text };
  } finally {
    process.stderr.write = write;
  }
}

/** What ZooKeeper's server says before it ends with a code; with any other that something was unexpected. */
const SENTENCES: ReadonlyMap<number, string> = new Map([
  [2, 'Invalid config'],
  [3, 'Unable to access datadir'],
]);
/** What was said of each row. */
const said = new Map<string, string>();
for (const { name, lines, myid, ours, shim, says, before } of ROWS)
  test(`${name}: ${ours}, and ${shim} by ZooKeeper's name`, async () => {
    const { config, dataDir } = place(lines, myid);
    before?.(dataDir);
    const own = await start(config, false);
    assert.equal(own.code, ours, own.text);
    assert.match(own.text, says);
    assert.match(own.text, /^error: /);
    said.set(name, own.text);
    const theirs = await start(config, true);
    assert.equal(theirs.code, shim, theirs.text);
    assert.match(theirs.text, says);
    assert.equal(theirs.text.split('\n')[0], `${SENTENCES.get(shim) ?? 'Unexpected exception'}, exiting abnormally`);
  });

test('what is looked for of each failure is said of no other', () => {
  assert.equal(said.size, ROWS.length);
  for (const { name, says } of ROWS)
    assert.deepEqual(
      ROWS.map((row) => row.name).filter((other) => says.test(said.get(other) as string)),
      [name],
    );
});

test('a zoo.cfg that is not there: 43, and 2', async () => {
  const config = join(folder, 'none.cfg');
  assert.deepEqual([(await start(config, false)).code, (await start(config, true)).code], [43, 2]);
});

test('a port in use: 41; by the name of ZooKeeper 1 for clients, 14 between members', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = taken.address() as { port: number };
    const client = place({ clientPort: String(port), clientPortAddress: '127.0.0.1' });
    const text = /127\.0\.0\.1:\d+ \(clientPort\) is in use by another process/;
    for (const [isApache, code] of [
      [false, 41],
      [true, 1],
    ] as const) {
      const found = await start(client.config, isApache);
      assert.equal(found.code, code, found.text);
      assert.match(found.text, text);
    }
    const member = place(
      { ...THREE, 'server.1': `127.0.0.1:${port === 1 ? 2 : 1}:${port}`, electionPortBindRetry: '1' },
      '1',
    );
    for (const [isApache, code] of [
      [false, 41],
      [true, 14],
    ] as const) {
      const found = await start(member.config, isApache);
      assert.equal(found.code, code, found.text);
      assert.match(found.text, /\(server\.1\) is in use/);
    }
  } finally {
    taken.close();
  }
});

test('a host that does not resolve may do so soon, as after boot: 40, which systemd tries again', async () => {
  const unresolved = (code: string) =>
    listenError(Object.assign(new Error(), { code }), 'no.such.invalid:1', 'no.such.invalid', 'clientPort');
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
    assert.equal(unresolved(code).exitCode, 40);
    assert.match(
      unresolved(code).message,
      /no\.such\.invalid does not resolve to an address \(clientPortAddress\)\. .*DNS/,
    );
  }
  const unit = readFileSync(new URL('../../../docs/deploy/zoosh.service', import.meta.url), 'utf8');
  assert.ok(!/^RestartPreventExitStatus=.*\b40\b/m.test(unit), 'the unit gives up on it');
});

test('a server line of our own that does not resolve: 40, and 14 by the name of ZooKeeper', async () => {
  const lines = { ...THREE, 'server.1': 'no.such.invalid:1:2', electionPortBindRetry: '1', 'peer.insecure': 'true' };
  const { config } = place(lines, '1');
  for (const [isApache, code] of [
    [false, 40],
    [true, 14],
  ] as const) {
    const found = await start(config, isApache);
    assert.equal(found.code, code, found.text);
    assert.match(found.text, /no\.such\.invalid does not resolve to an address \(server\.1\)/);
  }
});

test('where ZooKeeper starts, zoosh does, too, and says what it thinks of it', () => {
  const of = (text: string, myid?: string) =>
    checkConfig(parseProperties(`dataDir=/d\n${text}`, 'zoo.cfg'), {
      ...(myid !== undefined && { myid: { text: myid, from: { option: 'myid' } } }),
    });
  assert.match(of('').notes.join(), /no clientPort: no client can connect/);
  assert.equal(of('clientPort=1').tickTimeMs, 3000);
  assert.match(of('clientPort=1\nnoSuchKey=1').notes.join(), /unknown settings, ignored: noSuchKey/);
  const single = of('server.4=127.0.0.1:1:2;2199', '4');
  assert.deepEqual([single.ensemble, single.clientPort], [undefined, 2199]);
  const limits = 'initLimit=5\nsyncLimit=2\npeer.insecure=true\n';
  assert.match(of(`${limits}server.1=h:1:2\nserver.2=h:3:4`, '1').notes.join(), /two voters tolerate no failure/);
  const four = [1, 2, 3, 4].map((id) => `server.${id}=h:${id}1:${id}2`).join('\n');
  assert.match(of(`${limits}${four}`, '1').notes.join(), /4 voters tolerate no more failures than 3/);
});

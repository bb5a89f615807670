/** Who started a one-shot on a terminal, a person or a script: a person is asked. With /proc, with `ps`, and with neither. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { groupByPs, groupInProc } from '../../src/cli/typed.ts';
import type { Client } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-typed-'));
const noProc = join(home, 'no-proc.cjs');
let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  client = await connect(server.connectString);
  // a system without /proc, as far as Node can tell
  writeFileSync(
    noProc,
    `const fs = require('node:fs');
    const { readFileSync } = fs;
    fs.readFileSync = (file, ...more) => readFileSync(String(file).startsWith('/proc/') ? '/nowhere' : file, ...more);
    require('node:module').syncBuiltinESMExports();`,
  );
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

const COMMAND = `"${process.execPath}" $NO_PROC "${BIN}" ${'$SERVER'} deleteall /many; echo ended`;
/** `set -m` makes a shell do what one does in which somebody types: each command leads a group. */
const begun = (sh: string, flags: string): Session =>
  new Session({ sh, env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', SERVER: server.connectString, NO_PROC: flags } });
const sees = (session: Session, what: RegExp): Promise<void> =>
  session.until((text) => what.test(text), String(what), PATIENCE_MS);
async function many(): Promise<void> {
  await client.create('/many', null);
  for (let at = 0; at < 30; at++) await client.create(`/many/n${at}`, null);
}

test('ps tells the same group as /proc', () => {
  assert.equal(typeof groupByPs(), 'number');
  assert.equal(groupByPs(), groupInProc());
});

for (const [where, flags] of [
  ['with /proc', ''],
  ['without /proc', `--require ${noProc}`],
] as const) {
  test(`${where}: a script on a terminal is not asked, who types is`, async () => {
    await many();
    using script = begun(COMMAND, flags);
    await sees(script, /ended\n/);
    assert.doesNotMatch(script.screen.all().join('\n'), /\(y\/N\)/);
    assert.equal(await client.exists('/many'), undefined);
    await many();
    using typed = begun(`set -m; ${COMMAND}`, flags);
    await sees(typed, /\(y\/N\)/);
    typed.type('y\r');
    await sees(typed, /deleted 31 nodes[\s\S]*ended\n/);
  });
}

test('with neither the terminal is the evidence', async () => {
  await many();
  using script = begun(`PATH=/nowhere; ${COMMAND}`, `--require ${noProc}`);
  await sees(script, /\(y\/N\)/);
  script.type('n\r');
  await sees(script, /^not done\nended\n/m);
});

/** What takes long says on a terminal how far it is, and ends on Ctrl-C: against a server that takes its time. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN } from './cli.ts';

/** Each answer comes so much later, ms. */
const LATE_MS = 100;
const NODES = 3000;
/** Lines of an import, which sends a thousand at once. */
const LINES = 30_000;

const home = mkdtempSync(join(tmpdir(), 'zoosh-progress-'));
const file = join(home, 'many.txt');
const open = new Set<Socket>();
let server: EmbeddedServer;
let slow: Server;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  slow = createServer((inner) => {
    const outer = dial(server.port, '127.0.0.1');
    for (const each of [inner, outer]) {
      open.add(each);
      each.on('error', () => {});
      each.on('close', () => {
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer);
    outer.on('data', (bytes) => setTimeout(() => inner.write(bytes), LATE_MS));
  }).listen(0, '127.0.0.1');
  const client = await connect(server.connectString);
  await client.create('/many');
  await Promise.all(Array.from({ length: NODES }, (_, at) => client.create(`/many/n${at}`)));
  await client.close();
  writeFileSync(file, `/in=x\n${Array.from({ length: LINES }, (_, at) => `/in/n${at}=x\n`).join('')}`);
});
after(async () => {
  slow.close();
  for (const each of open) each.destroy();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

for (const [words, what] of [
  ['find /many -name x', 'searching /many'],
  ['tree /many', 'drawing /many'],
  ['tree --limit 1000000 /many', 'drawing /many'],
  ['ls -R /many', 'listing /many'],
  [`export /many ${join(home, 'out')}`, 'exporting /many'],
  ['cp -r /many /copy', 'copying /many'],
  [`import ${file}`, 'importing into /'],
  ['deleteall --no-trash /many', 'deleting /many'],
] as const) {
  test(`${words.replace(home, '')}: says how far it is, and Ctrl-C ends it`, async () => {
    const { port } = slow.address() as AddressInfo;
    using session = new Session({
      sh: `exec ${process.execPath} ${BIN} -y 127.0.0.1:${port} ${words}`,
      env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
    });
    const line = new RegExp(`${what}[^\\n]*  [\\d,]+(?:/[\\d,]+)? nodes .*[\\d,]+/s`);
    await session.until((text) => line.test(text), String(line), PATIENCE_MS);
    session.type('\x03');
    assert.equal(await session.ended(), 130);
    assert.doesNotMatch(session.screen.all().join('\n'), line, 'the line is gone at the end');
  });
}

/** Servers in this process that serve by TLS, and those who come to them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { ConnectOptions } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { type RunningServer, startServer } from '../../src/runtime/start.ts';
import { checkConfig, parseAssignment } from '../../src/server/config.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Certificate, makeAuthority, makeCertificate } from '../tls/certificates.ts';

export const HOST = '127.0.0.1';
export const DAY_MS = 86_400_000;
export const folder = mkdtempSync(join(tmpdir(), 'zoosh-client-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));

export const servers = makeAuthority('servers');
export const clients = makeAuthority('clients');
export const strangers = makeAuthority('clients'); // it even has the same name
export const own = makeCertificate(servers, { hosts: [HOST, 'localhost'] });
export const alice = makeCertificate(clients, { hosts: ['alice'] });
export const bob = makeCertificate(clients, { hosts: ['bob'] });
export const root = makeCertificate(clients, { hosts: ['root'] });
export const pem = ({ key }: Certificate): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
export const by = (of?: Certificate): NonNullable<ConnectOptions['tls']> => ({
  ca: servers.pem,
  ...(of !== undefined && { cert: of.pem, key: pem(of) }),
});

export function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
export const STORES = {
  'ssl.keyStore.location': write('own.pem', own.store),
  'ssl.trustStore.location': write('clients.pem', clients.pem),
};

export interface Running extends AsyncDisposable {
  readonly server: RunningServer;
  readonly log: string[];
  readonly plain: string;
  readonly secure: string;
}
let count = 0;
export async function start(more: Readonly<Record<string, string>> = {}): Promise<Running> {
  const log: string[] = [];
  const put = (text: string): number => log.push(text);
  const logger = { debug() {}, info: put, warn: put, error: put } as unknown as Logger;
  const settings = {
    dataDir: join(folder, `data${count++}`),
    tickTime: '500',
    clientPort: '0',
    clientPortAddress: HOST,
    secureClientPort: '0',
    secureClientPortAddress: HOST,
    '4lw.commands.whitelist': '*',
    preAllocSize: '64',
    // a machine that stands still ends no handshake; who tries how long one may take says so
    'ssl.handshakeDetectionTimeoutMillis': String(PATIENCE_MS),
    ...STORES,
    ...more,
  };
  const config = checkConfig(Object.entries(settings).map(([key, value]) => parseAssignment(`${key}=${value}`, 'set')));
  const server = await startServer({ config, logger, onFailed: (error) => assert.fail(error) });
  return {
    ...{ server, log, plain: `${HOST}:${server.port}`, secure: `${HOST}:${server.securePort}` },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
export const who = async (hosts: string, tls?: ConnectOptions['tls']): Promise<string[]> => {
  await using client = await connect(hosts, { ...(tls !== undefined && { tls }), connectTimeoutMs: PATIENCE_MS });
  return (await client.whoAmI()).map(({ scheme, id }) => `${scheme}:${id}`);
};
/** What comes of a handshake and the word `ruok`; a word about why nothing does. */
export async function ask(port: number | undefined, options: ConnectionOptions = {}): Promise<string> {
  const socket = connectTls({ host: HOST, port: port ?? 0, rejectUnauthorized: false, ...options });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer')));
  socket.on('secureConnect', () => socket.write('ruok'));
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') text += error.message;
  });
  await gone(socket);
  return text;
}
export const shows = (of: Certificate): ConnectionOptions => ({ cert: of.pem, key: pem(of) });
/** Whatever error comes before. */
export const gone = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));
export async function until(is: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!is()) {
    assert.ok(performance.now() < end, `not in time: ${what}`);
    await sleep(10);
  }
}

import { createReadStream } from 'node:fs';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type AddressInfo, createServer as createNet, type Server as NetServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { oneLine } from '../../base/one-line.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AdminConfig } from '../../server/config-admin.ts';
import { isLoopback } from '../../server/config-servers.ts';
import type { Health } from '../health.ts';
import type { Logger } from '../log.ts';
import { answerProbe } from '../web/probes.ts';
import { claimedBy, refuse } from './access.ts';
import { type Answer, type Command, type CommandContext, CommandError } from './command.ts';
import { type JsonObject, printJson } from './json.ts';
import { MEMBER_COMMANDS } from './member-commands.ts';
import { SERVER_COMMANDS } from './server-commands.ts';
import { SESSION_COMMANDS } from './session-commands.ts';

/** How long somebody waits who is not let in, ms: guessing takes its time. */
const REFUSED_MS = 1000;
const MOST_BODY = 65_536;
const MOST_CONNECTIONS = 100;
/** Until the first byte says whether it is TLS, and until a request is whole, ms. */
const DETECT_MS = 5000;
const REQUEST_MS = 30_000;
const TLS_RECORD = 0x16;
const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';

/** All of them, in the order of the list that `/commands` shows. */
export const COMMANDS: readonly Command[] = [...SERVER_COMMANDS, ...SESSION_COMMANDS, ...MEMBER_COMMANDS].sort(
  (a, b) => (a.names[0] < b.names[0] ? -1 : 1),
);
const BY_NAME: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((command) => command.names.map((name) => [name, command] as const)),
);

export interface AdminOptions {
  readonly config: AdminConfig;
  /** Certificates and key in PEM; undefined: HTTP alone. */
  readonly tls: AdminKeys | undefined;
  readonly clock: Clock;
  readonly health: Health;
  readonly logger: Pick<Logger, 'info'>;
  context(): Omit<CommandContext, 'query' | 'body'>;
  /** Somebody connected without TLS. */
  cameInClear(): void;
}
/** What is shown by HTTPS and whose word about others counts; PEM. */
export interface AdminKeys {
  readonly cert: string;
  readonly key: string;
  readonly ca: readonly string[];
}
export interface RunningAdmin {
  readonly port: number;
  /** From now on these hold, for new connections. @throws Error of OpenSSL: then everything stays as it was */
  renew(keys: AdminKeys): void;
  stop(): Promise<void>;
}

/** Serves the commands of ZooKeeper's admin server, and probes. Rejects with the listener's error (EADDRINUSE) when the port is taken. */
export async function startAdmin(options: AdminOptions): Promise<RunningAdmin> {
  const { config, tls } = options;
  const handle = (request: IncomingMessage, response: ServerResponse): void => void answer(options, request, response);
  const times = timesOf(config);
  const plain = limit(createServer(times, handle), config);
  const secure =
    tls === undefined
      ? undefined
      : limit(
          createSecure(
            {
              ...{ cert: tls.cert, key: tls.key, ca: [...tls.ca], ...times },
              handshakeTimeout: times.headersTimeout,
              requestCert: config.tls?.needClientAuth === true,
              rejectUnauthorized: config.tls?.needClientAuth === true,
            },
            handle,
          ),
          config,
        );
  const sockets = new Set<Socket>();
  const port: NetServer =
    secure === undefined ? plain : createNet((socket) => sort(socket, secure, config.tls?.force ? undefined : plain));
  plain.on('connection', () => options.cameInClear());
  port.maxConnections = MOST_CONNECTIONS;
  port.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve, reject) => {
    port.once('error', reject);
    port.listen(config.port, config.address, () => resolve());
  });
  port.on('error', () => {});
  port.unref();
  return {
    port: (port.address() as AddressInfo).port,
    renew: ({ cert, key, ca }) => secure?.setSecureContext({ cert, key, ca: [...ca] }),
    stop: () =>
      new Promise((resolve) => {
        port.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Node looks now and then which connection has not asked for too long, every 30 s unless it is told. */
function timesOf({ idleTimeoutMs }: AdminConfig) {
  const headersTimeout = Math.min(REQUEST_MS, Math.max(1000, idleTimeoutMs));
  return { headersTimeout, requestTimeout: REQUEST_MS, connectionsCheckingInterval: headersTimeout / 2 };
}
function limit<T extends HttpServer>(server: T, { idleTimeoutMs }: AdminConfig): T {
  server.keepAliveTimeout = idleTimeoutMs;
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('tlsClientError', () => {});
  return server;
}
/** Gives a connection to the server that its first byte asks for; without `plain` only TLS is spoken. */
function sort(socket: Socket, secure: HttpServer, plain: HttpServer | undefined): void {
  socket.setTimeout(DETECT_MS, () => socket.destroy());
  socket.once('data', (bytes: Buffer) => {
    socket.pause();
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    const server = bytes[0] === TLS_RECORD ? secure : plain;
    if (server === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    socket.unshift(bytes);
    server.emit('connection', socket);
    process.nextTick(() => socket.resume());
  });
}

async function answer(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { config } = options;
  const { method = '', url = '/', headers, socket } = request;
  response.on('error', () => {});
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (method === 'TRACE') return empty(response, 403);
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return empty(response, 405);
  if (await answerProbe(path, method, options.health, response)) return;
  if (path === config.commandUrl || path === `${config.commandUrl}/`) return list(config, response);
  const prefix = config.commandUrl === '/' ? '/' : `${config.commandUrl}/`;
  const name = path.startsWith(prefix) ? decode(path.slice(prefix.length)) : undefined;
  if (name === undefined) return empty(response, 404);
  const command = BY_NAME.get(name);
  if (command === undefined) return send(response, 200, name, {}, `Unknown command: ${name}`);
  const [primary] = command.names;
  if (command.method !== (method === 'HEAD' ? 'GET' : method))
    return send(response, 405, primary, {}, `${primary} is asked for by ${command.method}`);
  /** Told of what is changed, once credentials were looked at. */
  let asker: string | undefined;
  const note = (what: string): void => {
    if (asker !== undefined) options.logger.info(`admin command ${primary} ${asker}: ${what}`);
  };
  try {
    const base = options.context();
    if (command.for === 'admins') {
      const refusal = isSafe(socket)
        ? refuse(headers.authorization, base.server)
        : { status: 403, error: 'beyond loopback this command is answered by HTTPS only (admin.portUnification)' };
      if (refusal !== undefined) {
        if (headers.authorization !== undefined) {
          const { scheme, user } = claimedBy(headers.authorization);
          base.server.refuseLogin({ door: 'admin', ip: addressOf(socket), session: undefined, scheme, user });
          await new Promise<void>((resolve) => void options.clock.after(REFUSED_MS, resolve));
        }
        return send(response, refusal.status, primary, {}, refusal.error);
      }
      if (command.changes === true) asker = askerOf(request);
    }
    if (!base.server.serving && !base.server.readOnly && command.always !== true)
      return send(response, 200, primary, {}, NOT_SERVING);
    const body = command.method === 'POST' ? await bodyOf(request) : Buffer.alloc(0);
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    const answered = await command.run({ ...options.context(), query, body });
    note('done');
    await sendAnswer(response, primary, answered);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const known = error instanceof CommandError;
    const { status, message } = known ? error : { status: 500, message: (error as Error).message };
    note(`refused: ${oneLine(message)}`);
    // what a command itself says stands in front, as in ZooKeeper
    if (known && status === 400) return send(response, status, primary, { error: message }, undefined);
    send(response, status, primary, {}, message);
  }
}
/** Whoever sent these credentials, which were looked at. */
function askerOf({ headers, socket }: IncomingMessage): string {
  const { scheme, user = '' } = claimedBy(headers.authorization ?? '');
  return `by ${scheme} as "${oneLine(user)}" from ${addressOf(socket)}`;
}
const addressOf = (socket: Socket): string => socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'nowhere';
/** Nobody on the way can read what is sent. */
const isSafe = (socket: Socket | TLSSocket): boolean =>
  ('encrypted' in socket && socket.encrypted === true) || isLoopback(socket.remoteAddress ?? '');

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
/** @throws CommandError */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY) throw new CommandError(413, `more than ${MOST_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
function empty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}
function list({ commandUrl }: AdminConfig, response: ServerResponse): void {
  const prefix = commandUrl === '/' ? '' : commandUrl;
  const lines = COMMANDS.map(({ names: [name] }) => `<a href="${prefix}/${name}">${name}</a>\n<br/>\n`);
  const body = Buffer.from(lines.join(''));
  response.writeHead(200, { 'content-type': 'text/html;charset=utf-8', 'content-length': body.length });
  response.end(body);
}
/** `error` undefined: the fields have it. */
function send(
  response: ServerResponse,
  status: number,
  command: string,
  fields: JsonObject,
  error: string | null | undefined,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(printJson({ ...fields, command, ...(error !== undefined && { error }) }));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
  response.end(body);
}
async function sendAnswer(response: ServerResponse, command: string, answered: Answer): Promise<void> {
  const { status = 200, headers = {}, fields } = answered;
  if (!('file' in fields && typeof fields.file === 'string')) {
    return send(response, status, command, fields as JsonObject, null, headers);
  }
  response.writeHead(status, { 'content-type': 'application/octet-stream', ...headers });
  await pipeline(createReadStream(fields.file), response);
}

import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { Connection, ConnectionHandler, Dialer, DialOptions, TlsOptions } from '../ports/network.ts';

/** Waiting bytes above which `send` asks its caller to stop. */
const HIGH_WATER = 1024 * 1024;

const TLS_CLOSED = 'closed during the TLS handshake; is it a TLS port?';

class Timeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * The real network: plain TCP, and TLS whose module is only loaded when it is used. Rejects with an errno or TLS `code`
 * (ETIMEDOUT after `timeoutMs`, name resolution and TLS handshake included) or with the signal's reason. `lookup` resolves
 * names in the place of the system.
 */
export const tcpDialerBy = (lookup?: LookupFunction): Dialer => ({
  async dial(options, handler, signal) {
    const socket = await open(options, signal, lookup);
    return attach(socket, handler);
  },
});
export const tcpDialer = tcpDialerBy();

async function open(
  options: DialOptions,
  signal: AbortSignal | undefined,
  lookup: LookupFunction | undefined,
): Promise<Socket> {
  const { host, port, timeoutMs, tls } = options;
  signal?.throwIfAborted();
  // the name is resolved anew each time; an address that does not answer leaves time for the others
  const target = {
    host,
    port,
    noDelay: true,
    keepAlive: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.floor(timeoutMs / 3)),
    ...(lookup !== undefined && { lookup }),
  };
  const socket =
    tls === undefined ? connectTcp(target) : (await import('node:tls')).connect({ ...target, ...tlsFields(tls, host) });
  const { promise, resolve, reject } = settled<Socket>();
  const fail = (error: Error): void => {
    socket.destroy();
    reject(error);
  };
  const failed = (error: Error & { code?: string }): void =>
    fail(tls !== undefined && error.code === 'ECONNRESET' ? new Error(TLS_CLOSED, { cause: error }) : error);
  const abort = (): void => fail(signal?.reason as Error);
  const timer = setTimeout(() => fail(new Timeout(`no connection to ${host}:${port} in ${timeoutMs} ms`)), timeoutMs);
  const early = (): void => failed(Object.assign(new Error('closed while connecting'), { code: 'ECONNRESET' }));
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve(socket));
  socket.once('error', failed);
  socket.once('close', early);
  signal?.addEventListener('abort', abort, { once: true });
  // an error of a socket given up has no one left to hear it
  socket.on('error', () => {});
  try {
    await promise;
    return socket;
  } finally {
    clearTimeout(timer);
    socket.off('error', failed);
    socket.off('close', early);
    signal?.removeEventListener('abort', abort);
  }
}

function settled<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const isAddress = (host: string): boolean => host.includes(':') || /^[0-9.]+$/.test(host);

function tlsFields({ ca, cert, key, servername, insecure, anyName }: TlsOptions, host: string): object {
  const name = servername ?? (isAddress(host) ? undefined : host);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(name === undefined ? {} : { servername: name }),
    rejectUnauthorized: insecure !== true,
    ...(anyName === true && { checkServerIdentity: () => undefined }),
  };
}

function attach(socket: Socket, handler: ConnectionHandler): Connection {
  let failure: Error | undefined;
  let full = false;
  socket.on('data', (bytes: Buffer) => handler.data(bytes));
  socket.on('drain', () => {
    full = false;
    handler.drained?.();
  });
  socket.on('error', (error) => {
    failure = error;
  });
  // may have closed between its opening and now; the handler still hears it, later and once
  if (socket.destroyed) setImmediate(() => handler.closed(failure));
  else socket.once('close', () => handler.closed(failure));
  return {
    remoteAddress: socket.remoteAddress ?? '',
    remotePort: socket.remotePort ?? 0,
    send(bytes) {
      if (!socket.writable) return true;
      const room = socket.write(bytes);
      if (!room && socket.writableLength > HIGH_WATER) full = true;
      return !full;
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

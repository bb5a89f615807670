import { connect as connectTcp, type Socket } from 'node:net';
import type { Connection, ConnectionHandler, Dialer, DialOptions, TlsOptions } from '../ports/network.ts';

/** Waiting bytes above which `send` asks its caller to stop. */
const HIGH_WATER = 1024 * 1024;

class Timeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/** The real network: plain TCP, and TLS whose module is only loaded when it is used. */
export const tcpDialer: Dialer = {
  async dial(options, handler, signal) {
    const socket = await open(options, signal);
    return attach(socket, handler);
  },
};

async function open({ host, port, timeoutMs, tls }: DialOptions, signal: AbortSignal | undefined): Promise<Socket> {
  signal?.throwIfAborted();
  const socket =
    tls === undefined
      ? connectTcp({ host, port, noDelay: true, keepAlive: true })
      : (await import('node:tls')).connect({ host, port, ...tlsFields(tls, host) });
  const { promise, resolve, reject } = settled<Socket>();
  const ready = tls === undefined ? 'connect' : 'secureConnect';
  const fail = (error: Error): void => {
    socket.destroy();
    reject(error);
  };
  const abort = (): void => fail(signal?.reason as Error);
  const timer = setTimeout(() => fail(new Timeout(`no connection to ${host}:${port} in ${timeoutMs} ms`)), timeoutMs);
  const early = (): void => fail(Object.assign(new Error('closed while connecting'), { code: 'ECONNRESET' }));
  socket.once(ready, () => resolve(socket));
  socket.once('error', fail);
  socket.once('close', early);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await promise;
    socket.off('error', fail);
    if (tls !== undefined) socket.setNoDelay(true);
    return socket;
  } finally {
    clearTimeout(timer);
    socket.off('close', early);
    signal?.removeEventListener('abort', abort);
    // an error of a socket given up has no one left to hear it
    socket.on('error', () => {});
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

function tlsFields({ ca, cert, key, servername, insecure }: TlsOptions, host: string): object {
  const name = servername ?? (isAddress(host) ? undefined : host);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(name === undefined ? {} : { servername: name }),
    rejectUnauthorized: insecure !== true,
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

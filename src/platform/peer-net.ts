import { lookup } from 'node:dns/promises';
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import type { ConnectionHandler } from '../ports/network.ts';
import {
  type AcceptPeer,
  type PeerLink,
  type PeerListening,
  type PeerNetwork,
  type PeerProof,
  PeerProofError,
  type PeerTurnedAway,
} from '../ports/peer-network.ts';

const NOTHING = Buffer.alloc(0);

/** The address of the other end: IPv4 without the prefix that it has on a socket for both. */
export const callerOf = ({ remoteAddress = '' }: Socket): string =>
  isIP(remoteAddress) === 6 ? remoteAddress.replace(/^::ffff:(?=\d+\.)/, '') : remoteAddress;

/** Makes a socket a link; what it hears goes to the handler given to `attach`, which must follow in the same turn. */
export function linkOf(
  socket: Socket,
  proof?: PeerProof,
): { link: PeerLink; attach(handler: ConnectionHandler): void } {
  let handler: ConnectionHandler | undefined;
  // not the event `drain`, which is silent about a buffer that was never full
  const written = (): void => {
    if (!socket.destroyed) handler?.drained?.();
  };
  const isPlain = !('encrypted' in socket);
  /** Nothing, written behind what waits: its callback comes when all of that is gone. */
  let isMarked = false;
  const mark = (): void => {
    if (isMarked) return;
    isMarked = true;
    socket.write(NOTHING, () => {
      isMarked = false;
      // one that ends takes no more, and an error would cost it what waits
      if (socket.writable && socket.writableLength > 0) mark();
      written();
    });
  };
  /** Without a callback, where it may be: one would cost a turn of Node's queue for every packet. */
  const send = (bytes: Uint8Array, isAwaited = true): boolean => {
    if (!socket.writable) return true;
    if (isAwaited || !isPlain) return socket.write(bytes, written);
    const hasRoom = socket.write(bytes);
    if (socket.writableLength > 0) mark();
    return hasRoom;
  };
  const link: PeerLink = {
    remoteAddress: callerOf(socket),
    remotePort: socket.remotePort ?? 0,
    proof,
    get waiting() {
      return socket.writableLength;
    },
    send,
    // a peer that does not read must not keep what is ended alive
    end: () => socket.destroySoon(),
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
  return {
    link,
    attach(owner) {
      let failure: Error | undefined;
      handler = owner;
      socket.on('data', (bytes: Buffer) => owner.data(bytes));
      socket.on('end', () => socket.destroySoon());
      socket.on('error', (error) => {
        failure = error;
      });
      if (socket.destroyed) setImmediate(() => owner.closed(failure));
      else socket.once('close', () => owner.closed(failure));
    },
  };
}

export const resolveHost = async (host: string): Promise<readonly string[]> =>
  isIP(host) !== 0 ? [host] : (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/** What went wrong with a dial, in a clause. */
const CLAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it hung up',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
};

/**
 * Waits until `ready` (an event of the socket) has happened. The message of what it rejects with is a clause; `explain`
 * may find better words for an error, or say that it is a proof that failed.
 */
export async function untilReady(
  socket: Socket,
  ready: string,
  timeoutMs: number,
  signal: AbortSignal,
  explain: (error: NodeJS.ErrnoException) => string | PeerProofError | undefined = () => undefined,
): Promise<void> {
  socket.on('error', () => {}); // also of a socket given up, whose errors no one hears
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const clause = explain(error) ?? CLAUSES[error.code ?? ''] ?? error.message;
      done(() => reject(clause instanceof PeerProofError ? clause : new Error(clause, { cause: error })));
      socket.destroy();
    };
    const closed = (): void => fail(Object.assign(new Error('it hung up'), { code: 'ECONNRESET' }));
    const abort = (): void => fail(new Error('no longer wanted'));
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', closed);
      signal.removeEventListener('abort', abort);
      settle();
    };
    socket.once(ready, () => done(resolve));
    socket.once('error', fail);
    socket.once('close', closed);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}

/** Starts a listener; the port is the one the system chose when 0 was asked for. */
export function startListening(net: Server, at: { host: string; port: number }): Promise<PeerListening> {
  return new Promise((resolve, reject) => {
    net.once('error', reject);
    // as in Java, 0.0.0.0 is every address of IPv6, too: without a host those of both are had, or of IPv4 where there is no other
    net.listen({ host: at.host === '0.0.0.0' ? undefined : at.host, port: at.port }, () => {
      net.off('error', reject);
      net.on('error', () => {}); // a failed accept (EMFILE) costs that connection alone
      const address = net.address();
      const port = address !== null && typeof address === 'object' ? address.port : at.port;
      resolve({ host: at.host, port, close: () => void net.close() });
    });
  });
}

/** TCP without TLS: whoever reaches the port may speak. */
export const plainPeerNetwork: PeerNetwork = {
  resolve: resolveHost,
  async dial({ address, port, timeoutMs }, handler, signal) {
    const socket = connect({ host: address, port, noDelay: true, keepAlive: true });
    await untilReady(socket, 'connect', timeoutMs, signal);
    const { link, attach } = linkOf(socket);
    attach(handler);
    return link;
  },
  listen(at, accept: AcceptPeer, _turnedAway: PeerTurnedAway) {
    const net = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, (socket) => {
      const { link, attach } = linkOf(socket);
      attach(accept(link));
    });
    return startListening(net, at);
  },
};

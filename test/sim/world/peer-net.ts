import type { PeerLink, PeerNetwork } from '../../../src/ports/peer-network.ts';
import type { Host } from './host.ts';
import type { Channel } from './links.ts';
import type { Network } from './network.ts';
import type { End } from './stream.ts';

const CLAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it hung up',
};

/** Told of what a process sends to another server, as it is sent: whole packets. `link` is one for both ends. */
export interface PeerTap {
  /** To a leader, and in elections. */
  said(bytes: Uint8Array, link: object): void;
  /** To a learner. */
  told(bytes: Uint8Array, link: object): void;
}

const linkOf = (end: End, port: number, tap: PeerTap['said']): PeerLink => ({
  remoteAddress: end.other.host.name,
  remotePort: port,
  proof: undefined,
  get waiting() {
    return end.waiting;
  },
  send: (bytes) => {
    // a process that is gone may still try
    if (end.isThere && !end.finished) tap(bytes, end.stream);
    end.send(bytes);
    return end.waiting === 0;
  },
  end: () => end.end(),
  destroy: () => end.destroy(),
  pause: () => end.setReading(false),
  resume: () => end.setReading(true),
});

/**
 * The network between servers as the process on this machine sees it; ports say what a connection is for.
 */
export function peerNetwork(
  network: Network,
  host: Host,
  channelOf: (port: number) => Channel,
  tap: PeerTap,
): PeerNetwork {
  return {
    resolve: async (name) => {
      if (!network.has(name)) throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
      return [name];
    },
    dial: async ({ address, port, timeoutMs }, handler, signal) => {
      try {
        return linkOf(await network.dial(host, address, port, timeoutMs, handler, signal), port, tap.said);
      } catch (error) {
        if (signal.aborted) throw new Error('no longer wanted', { cause: error });
        const { code = '' } = error as { code?: string };
        throw new Error(CLAUSES[code] ?? `no answer in ${timeoutMs} ms`, { cause: error });
      }
    },
    listen: async ({ host: name, port }, accept) => {
      const channel = channelOf(port);
      const heard = channel === 'election' ? tap.said : tap.told;
      const close = network.listen(host, port, channel, (end) => end.attach(accept(linkOf(end, 1024, heard))));
      return { host: name, port, close };
    },
  };
}

import type { Connection, ConnectionHandler } from './network.ts';

/** A connection to another server. `drained` of its handler is called whenever the system took something. */
export interface PeerLink extends Connection {
  /** Bytes given to `send` that the system has not taken yet. When it is 0 the buffers given are the caller's again. */
  readonly waiting: number;
  /** The name under which the other end proved that it knows the ensemble's secret; undefined where none is asked for. */
  readonly proof: string | undefined;
  /** Told which server the other end says it is. False: this network has lost what that one said. */
  identify?(sid: number): boolean;
}

/** Where servers listen for each other. */
export interface PeerListening {
  readonly host: string;
  readonly port: number;
  /** Takes no further connection; those there are live on. */
  close(): void;
}

/** Asked for each connection that arrived, after it proved itself where that is asked for. */
export type AcceptPeer = (link: PeerLink) => ConnectionHandler;
/** Told of connections that never became one; `sentence` says why. */
export type PeerTurnedAway = (remoteAddress: string, sentence: string) => void;

/** The network between servers. */
export interface PeerNetwork {
  /** Addresses of a host as they are now. Rejects with an Error whose `code` is the resolver's (ENOTFOUND, EAI_AGAIN). */
  resolve(host: string): Promise<readonly string[]>;
  /**
   * Connects to an address (not a name), where server `sid` is looked for, and proves itself; `attempt` counts the dials to
   * this server, so that secrets that are being replaced are tried in turn. Rejects with an Error whose message is a sentence.
   */
  dial(
    to: {
      readonly sid: number;
      readonly address: string;
      readonly port: number;
      readonly timeoutMs: number;
      readonly attempt: number;
    },
    handler: ConnectionHandler,
    signal: AbortSignal,
  ): Promise<PeerLink>;
  /** Rejects with an Error whose `code` is the errno name when the address cannot be had. */
  listen(
    at: { readonly host: string; readonly port: number },
    accept: AcceptPeer,
    turnedAway: PeerTurnedAway,
  ): Promise<PeerListening>;
}

import type { Connection, ConnectionHandler } from './network.ts';

/** What the other end of a link proved about itself: that it knows the secret as some server, or holds some certificate. */
export interface PeerProof {
  /**
   * Why it cannot be the server that it says it is, to follow `server N`; undefined when it can. `hosts`: where that server
   * is looked for, none for one that is not listed.
   */
  denies(who: {
    readonly ensembleName: string;
    readonly sid: number;
    readonly hosts: readonly string[];
  }): string | undefined;
}

/** A dial that reached somebody, and one of the two could not prove to be a member. The message is a clause. */
export class PeerProofError extends Error {
  override readonly name = 'PeerProofError';
}

/** A connection to another server. `drained` of its handler is called whenever the system took something. */
export interface PeerLink extends Connection {
  /** `isAwaited` false: nobody waits for `drained` if the system takes these bytes at once; it may be told all the same. */
  send(bytes: Uint8Array, isAwaited?: boolean): boolean;
  /** Bytes given to `send` that the system has not taken yet. When it is 0 the buffers given are the caller's again. */
  readonly waiting: number;
  /** Undefined where no proof is asked for. */
  readonly proof: PeerProof | undefined;
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

/** Whom to dial. */
export interface PeerDial {
  /** The server that is looked for. */
  readonly sid: number;
  /** The hosts by which its lines name it there, one of which its certificate must be made out to where there are certificates. */
  readonly hosts: readonly string[];
  /** An address that these hosts stand for now. */
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Counts the dials to this server, so that secrets that are being replaced are tried in turn. */
  readonly attempt: number;
}

/** The network between servers. */
export interface PeerNetwork {
  /** Addresses of a host as they are now. Rejects with an Error whose `code` is the resolver's (ENOTFOUND, EAI_AGAIN). */
  resolve(host: string): Promise<readonly string[]>;
  /**
   * Connects to an address (not a name) and proves itself. Rejects with an Error whose message is a clause, a
   * {@link PeerProofError} when it was a proof that failed.
   */
  dial(to: PeerDial, handler: ConnectionHandler, signal: AbortSignal): Promise<PeerLink>;
  /** Rejects with an Error whose `code` is the errno name when the address cannot be had. */
  listen(
    at: { readonly host: string; readonly port: number },
    accept: AcceptPeer,
    turnedAway: PeerTurnedAway,
  ): Promise<PeerListening>;
}

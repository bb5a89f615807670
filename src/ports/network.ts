/** A stream of bytes between two ends. */
export interface Connection {
  /** Address of the other end, without port. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Queues bytes for the other end; false when more than the connection's bound is waiting: stop until `drained`. */
  send(bytes: Uint8Array): boolean;
  /** Sends what is queued, then ends. */
  end(): void;
  /** Ends at once; what is queued is lost. */
  destroy(): void;
  /** Stops or resumes reading (back-pressure). */
  pause(): void;
  resume(): void;
}

/** What a connection tells its owner. `bytes` given to `data` may be reused after the call returns: copy what is kept. */
export interface ConnectionHandler {
  data(bytes: Buffer): void;
  drained?(): void;
  /** Called once, last. `reason` is undefined when the other end finished in order. */
  closed(reason: Error | undefined): void;
}

/** How to reach a host. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** TLS as node:tls understands it (PEM texts, servername, rejectUnauthorized); absent means plain. */
  readonly tls?: TlsOptions;
}
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  /** Any certificate will do. */
  readonly insecure?: boolean;
  /** One of an authority that is believed will do, whatever name it is made out to. */
  readonly anyName?: boolean;
}

/** Client side of the network. Rejects with an Error whose `code` is the errno name. */
export interface Dialer {
  dial(options: DialOptions, handler: ConnectionHandler, signal?: AbortSignal): Promise<Connection>;
}

import type { Dialer, TlsOptions } from '../ports/network.ts';
import { shared } from './shared-signal.ts';

export interface FourLetterOptions {
  readonly host: string;
  readonly port: number;
  /** Of `stmk`, which is followed by eight bytes: a mask. */
  readonly argument?: Uint8Array | undefined;
  /** For the whole exchange, ms. Default 5000. */
  readonly timeoutMs?: number | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Sends a four-letter word (`ruok`, `srvr`, `mntr`, ...) through `dialer` and resolves with all the server says before it
 * closes. A server that does not allow the word says so in its answer; one that is not serving may say nothing ('').
 * @throws RangeError for a word that is not four letters, Error with an errno `code` (ETIMEDOUT included) when no answer
 * comes, or the signal's reason
 */
export async function fourLetter(dialer: Dialer, word: string, options: FourLetterOptions): Promise<string> {
  if (!/^[a-z]{4}$/.test(word)) throw new RangeError(`'${word}' is not a four-letter word such as ruok`);
  const { host, port, argument, timeoutMs = 5000, tls, signal } = options;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let settle!: (error: unknown) => void;
  const answered = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  answered.catch(() => {}); // may be settled while the dial is still being waited for
  const fail = (error: unknown): void => {
    settle(error);
    stop.abort(error);
  };
  const late = `${host}:${port}: no answer to ${word} in ${timeoutMs} ms`;
  const timer = setTimeout(() => fail(Object.assign(new Error(late), { code: 'ETIMEDOUT' })), timeoutMs);
  const abort = (): void => fail(signal?.reason);
  if (signal !== undefined) shared(signal).addEventListener('abort', abort, { once: true });
  try {
    const connection = await dialer.dial(
      { host, port, timeoutMs, ...(tls === undefined ? {} : { tls }) },
      {
        data(chunk) {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) fail(new Error(`${host}:${port}: more than ${MAX_ANSWER_BYTES} bytes`));
          else chunks.push(Buffer.from(chunk));
        },
        // a server that resets after its answer has still answered
        closed: (error) => settle(bytes > 0 ? undefined : error),
      },
      stop.signal,
    );
    try {
      connection.send(argument === undefined ? Buffer.from(word) : Buffer.concat([Buffer.from(word), argument]));
      await answered;
      return Buffer.concat(chunks).toString();
    } finally {
      connection.destroy();
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

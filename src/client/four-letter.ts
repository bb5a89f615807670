import { tcpDialer } from '../platform/tcp.ts';
import type { Dialer, TlsOptions } from '../ports/network.ts';

export interface FourLetterOptions {
  readonly host: string;
  readonly port: number;
  /** For the whole exchange, ms. Default 5000. */
  readonly timeoutMs?: number;
  readonly tls?: TlsOptions;
  readonly signal?: AbortSignal;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Sends a four-letter word (`ruok`, `srvr`, `mntr`, ...) and returns all the server says before it closes. A server that
 * does not allow the word says so in its answer.
 * @throws RangeError for a word that is not four letters, Error with an errno `code` when the server is not reached
 */
export async function fourLetterWord(
  word: string,
  options: FourLetterOptions,
  dialer: Dialer = tcpDialer,
): Promise<string> {
  if (!/^[a-z]{4}$/.test(word)) throw new RangeError(`'${word}' is not a four-letter word, such as ruok`);
  const { host, port, timeoutMs = 5000, tls, signal } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let done!: (error?: unknown) => void;
  const answered = new Promise<void>((resolve, reject) => {
    done = (error) => (error === undefined ? resolve() : reject(error));
  });
  answered.catch(() => {});
  const connection = await dialer.dial(
    tls === undefined ? { host, port, timeoutMs } : { host, port, timeoutMs, tls },
    {
      data(chunk) {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) done(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes to ${word}`));
        else chunks.push(Buffer.from(chunk));
      },
      // a server that resets after its answer has still answered
      closed: (error) => done(bytes > 0 ? undefined : error),
    },
    stop,
  );
  const abort = (): void =>
    done(
      signal?.aborted
        ? signal.reason
        : Object.assign(new Error(`${host}:${port}: no answer to ${word} in ${timeoutMs} ms`), { code: 'ETIMEDOUT' }),
    );
  stop.addEventListener('abort', abort, { once: true });
  try {
    connection.send(Buffer.from(word));
    await answered;
    return Buffer.concat(chunks).toString();
  } finally {
    stop.removeEventListener('abort', abort);
    connection.destroy();
  }
}

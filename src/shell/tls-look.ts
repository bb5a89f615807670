/** What a server shows of itself when TLS begins. */
import { isIP } from 'node:net';
import type { ConnectOptions } from '../client/api.ts';
import type { Server } from '../client/connect-string.ts';

export interface TlsLook {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Its certificate is good before and after these, ms since 1970; undefined: it does not say. */
  readonly from: number | undefined;
  readonly until: number | undefined;
  /** `CN` of its certificate. */
  readonly name: string | undefined;
}

/** Begins TLS with a server as a session would, and hangs up. @throws Error that says why it cannot be begun, or the signal's reason */
export async function tlsLook(
  { host, port }: Server,
  { ca, cert, key, servername, insecure }: NonNullable<ConnectOptions['tls']>,
  signal: AbortSignal,
): Promise<TlsLook> {
  const { connect } = await import('node:tls');
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  const socket = connect({
    host,
    port,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(name !== undefined && { servername: name }),
    rejectUnauthorized: insecure !== true,
  });
  const abort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('it hangs up when TLS begins')));
    });
    const certificate = socket.getPeerCertificate();
    const time = (text: string | undefined): number | undefined => {
      const at = Date.parse(text ?? '');
      return Number.isNaN(at) ? undefined : at;
    };
    const common = certificate.subject?.CN as string | string[] | undefined;
    return {
      protocol: socket.getProtocol() ?? 'TLS',
      from: time(certificate.valid_from),
      until: time(certificate.valid_to),
      name: Array.isArray(common) ? common[0] : common,
    };
  } finally {
    signal.removeEventListener('abort', abort);
    socket.on('error', () => {});
    socket.destroy();
  }
}

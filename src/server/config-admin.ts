import type { Reader } from './config-reader.ts';
import { type PemStore, quorumStore } from './config-tls.ts';

/** The server for people and tools over HTTP. Times are milliseconds. */
export interface AdminConfig {
  readonly enabled: boolean;
  readonly address: string;
  readonly port: number;
  /** What stands before a command's name, with a slash in front and none at its end. */
  readonly commandUrl: string;
  /** How long a connection without a request is kept. */
  readonly idleTimeoutMs: number;
  /** Undefined: HTTP alone. */
  readonly tls: AdminTls | undefined;
  readonly snapshotEnabled: boolean;
  /** Between two snapshots that are asked for. */
  readonly rateLimitMs: number;
}

/** HTTPS on the same port, by the stores of `ssl.quorum.*`, as ZooKeeper's admin server has it. */
export interface AdminTls {
  readonly keyStore: PemStore;
  readonly trustStore: PemStore;
  /** Whoever shows no certificate of an authority is nobody. */
  readonly needClientAuth: boolean;
  /** HTTP without TLS is refused. */
  readonly force: boolean;
  /** Files that change are read again. */
  readonly reload: boolean;
}

/** The settings `admin.*`. @throws ConfigError */
export function adminConfig(take: Reader, notes: string[]): AdminConfig {
  const enabled = take.flag('admin.enableServer');
  const url = take.text('admin.commandURL') ?? '/commands';
  const force = take.flag('admin.forceHttps');
  const isTls = enabled && (force || take.flag('admin.portUnification'));
  const needClientAuth = take.flag('admin.needClientAuth');
  if (enabled && needClientAuth && !force)
    notes.push(
      isTls
        ? 'admin.needClientAuth=true holds for HTTPS, and by HTTP the admin server answers without a certificate: admin.forceHttps=true ends that'
        : 'admin.needClientAuth=true does nothing without HTTPS, and the admin server answers HTTP: admin.forceHttps=true has it speak HTTPS alone',
    );
  return {
    enabled,
    address: take.host('admin.serverAddress') ?? '0.0.0.0',
    port: take.int('admin.serverPort'),
    commandUrl: `/${url.replace(/^\/+|\/+$/g, '')}`,
    idleTimeoutMs: take.atLeast('admin.idleTimeout', 1),
    tls: isTls
      ? {
          keyStore: quorumStore('keyStore', take, 'admin.portUnification or admin.forceHttps'),
          trustStore: quorumStore('trustStore', take, 'admin.portUnification or admin.forceHttps'),
          needClientAuth,
          force,
          reload: take.flag('sslQuorumReloadCertFiles'),
        }
      : undefined,
    snapshotEnabled: take.flag('admin.snapshot.enabled'),
    rateLimitMs: take.atLeast('admin.rateLimiterIntervalInMS', 0),
  };
}

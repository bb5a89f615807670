import { stat } from 'node:fs/promises';
import type { PemOptions } from '../../platform/peer-pem.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ServerConfig } from '../../server/config.ts';
import type { AdminTls } from '../../server/config-admin.ts';
import type { CommandContext } from '../admin/command.ts';
import type { AdminKeys, RunningAdmin } from '../admin/http.ts';
import { Health, weaknessesOf } from '../health.ts';
import { KeyWatch } from '../key-watch.ts';
import { peerKeysApart } from '../keys-apart.ts';
import type { Logger } from '../log.ts';
import { readPeerKeys } from '../peer-keys.ts';
import { listenError, placeOf } from '../start-error.ts';
import type { Tally } from '../tally.ts';
import type { WordContext } from '../words/context.ts';

/** What is served over HTTP, as a server sees it. */
export interface WebOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly tally: Tally;
  context(): WordContext;
  turn(): void;
  /** Writes a snapshot. @throws Error that says why there is none */
  snapshot(): Promise<{ readonly zxid: bigint; readonly path: string }>;
}
export interface WebSide {
  stop(): Promise<void>;
}

/** Starts what zoo.cfg asks for: the exporter of metrics and the admin server, each loaded only then. @throws StartError */
export async function openWeb(options: WebOptions): Promise<WebSide | undefined> {
  const { config, logger, clock, tally, context, turn } = options;
  const { metrics, admin } = config;
  if (!metrics.exporter && !admin.enabled) return undefined;
  const health = new Health({ clock, tally, server: () => context().server, turn, weaknesses: weaknessesOf(config) });
  const running: WebSide[] = [];
  if (metrics.exporter) {
    const { startMetrics } = await import('../metrics.ts');
    try {
      const exporter = await startMetrics(metrics, context, health);
      logger.info(`metrics on ${placeOf(metrics.address, exporter.port)}`);
      running.push(exporter);
    } catch (error) {
      throw listenError(error, placeOf(metrics.address, metrics.port), metrics.address, 'metricsProvider.httpPort');
    }
  }
  if (admin.enabled) {
    const where = placeOf(admin.address, admin.port);
    try {
      const { startAdmin } = await import('../admin/http.ts');
      const tls = await keysOf(options);
      const snapshot = snapshots(options);
      const server = await startAdmin({
        ...{ config: admin, tls, clock, health, logger },
        context: () => ({ ...context(), snapshot, turn }),
        cameInClear: () => void tally.plainAdmins++,
      });
      logger.info(`admin server on ${placeOf(admin.address, server.port)}${admin.commandUrl}`);
      running.push(server);
      if (admin.tls?.reload === true) running.push(await keptKeys(options, admin.tls, server));
    } catch (error) {
      // clients do without it: it is said in the log and to probes
      const { message } = listenError(error, where, admin.address, 'admin.serverPort');
      tally.adminDown = message;
      logger.error(`there is no admin server: ${message}`);
    }
  }
  return {
    async stop() {
      for (const each of running) await each.stop();
    },
  };
}

const NO_CHECKS = { dialled: false, callers: false };
const quorumTlsOf = (tls: AdminTls) => ({ ...tls, ciphers: undefined, checks: NO_CHECKS });
const adminKeys = ({ chain, key, authorities }: PemOptions): AdminKeys => ({ cert: chain, key, ca: authorities });

async function keysOf({ config, clock, logger, tally }: WebOptions): Promise<AdminKeys | undefined> {
  const { tls } = config.admin;
  if (tls === undefined) return undefined;
  const { keys, warnings } = await readPeerKeys(quorumTlsOf(tls), [], clock.wall());
  for (const warning of warnings) logger.warn(warning);
  tally.shown.admin = keys.chain;
  return adminKeys(keys);
}
/** Files of its keys are read again when they change. */
async function keptKeys({ clock, logger, tally }: WebOptions, tls: AdminTls, server: RunningAdmin): Promise<WebSide> {
  const watched = {
    stores: [tls.keyStore, tls.trustStore],
    whose: 'the admin server',
    read: (now: number) => peerKeysApart(quorumTlsOf(tls), [], now),
    renewed: (keys: PemOptions) => {
      server.renew(adminKeys(keys));
      tally.shown.admin = keys.chain;
    },
  } as const;
  const watch = new KeyWatch<PemOptions>(watched, clock, logger);
  await watch.start();
  return { stop: async () => watch[Symbol.dispose]() };
}

/** One after another, and not more often than zoo.cfg lets. */
function snapshots({ config, clock, tally, snapshot }: WebOptions): CommandContext['snapshot'] {
  let before: number | undefined;
  return async () => {
    const { CommandError } = await import('../admin/command.ts');
    const now = clock.monotonic();
    if (before !== undefined && now - before < config.admin.rateLimitMs) {
      tally.snapshots.limited++;
      throw new CommandError(429, 'a snapshot was asked for a short time ago (admin.rateLimiterIntervalInMS)');
    }
    before = now;
    const made = await snapshot();
    return { ...made, bytes: (await stat(made.path)).size };
  };
}

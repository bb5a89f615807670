import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Gauge, Registry, Summary } from 'prom-client';
import { type Tally, TIMED, type Timed } from './tally.ts';
import type { WordContext } from './words/context.ts';
import { memberRows } from './words/member.ts';

export interface MetricsOptions {
  readonly address: string;
  readonly port: number;
  /** Also figures of the process: `process_*` and `nodejs_*`. */
  readonly process: boolean;
}
export interface RunningMetrics {
  readonly port: number;
  stop(): Promise<void>;
}

type Figure = (context: WordContext) => number;
/** ZooKeeper's names, each true; those of an ensemble, below, are absent rather than 0 where they say nothing. */
const FIGURES: Readonly<Record<string, readonly [string, Figure]>> = {
  znode_count: ['znodes in the tree', ({ server }) => server.tree.nodeCount],
  watch_count: ['watches set', ({ server }) => server.watches.size],
  ephemerals_count: ['ephemeral znodes', ({ server }) => server.tree.ephemerals],
  approximate_data_size: ['bytes of paths and data', ({ server }) => server.tree.dataBytes],
  num_alive_connections: ['open connections', ({ connections }) => connections.size],
  outstanding_requests: ['writes accepted and not applied', ({ server }) => server.outstanding],
  global_sessions: ['sessions', ({ server }) => server.tracker.size],
  avg_latency: [
    'mean time of a request, ms',
    ({ server: { outbox } }) =>
      outbox.counts.answered === 0 ? 0 : outbox.counts.totalLatency / outbox.counts.answered,
  ],
  min_latency: ['shortest time of a request, ms', ({ server }) => Math.max(0, server.outbox.counts.minLatency)],
  max_latency: ['longest time of a request, ms', ({ server }) => server.outbox.counts.maxLatency],
  packets_received: ['requests received', ({ server }) => server.outbox.counts.received],
  packets_sent: ['replies and events sent', ({ server }) => server.outbox.counts.sent],
  auth_failed_count: ['credentials refused', ({ server }) => server.outbox.counts.authFailed],
  uptime: ['ms since the start', ({ server, started }) => Math.round(server.now - started)],
  scrub_rounds: ['rounds of the background verification since the start', ({ tally }) => tally.scrub.rounds],
  scrub_files_whole: ['files that the last of these found whole', ({ tally }) => tally.scrub.whole],
  damage_found: ['damaged files and records found since the start', ({ damage }) => damage.all.length],
  damage_open: [
    'of these, not mended',
    ({ damage }) => damage.all.reduce((sum, { mended }) => sum + (mended === undefined ? 1 : 0), 0),
  ],
};
/** How long things took; ZooKeeper's names. */
const TIMES: Readonly<Record<Timed, string>> = {
  election_time: 'from the loss of a leader until this member served again, ms',
  follower_sync_time: 'from the call of a leader until this follower served, ms',
  observer_sync_time: 'from the call of a leader until this observer served, ms',
  snapshottime: 'of a snapshot of our own, ms',
};
const QUANTILES = [0.5, 0.9, 0.99];

/** Figures of a member, for as long as they say something: those of a leader are gone when it no longer leads. */
function memberFigures(context: WordContext): Registry {
  const registry = new Registry();
  for (const [name, value] of memberRows(context))
    if (typeof value === 'number') new Gauge({ name, help: name, registers: [registry] }).set(value);
  return registry;
}

/**
 * Serves `/metrics` in the Prometheus text format, as `metricsProvider.className=PrometheusMetricsProvider` asks for.
 * prom-client's only door. Rejects with the listener's error (EADDRINUSE) when the port is taken.
 */
export async function startMetrics(
  options: MetricsOptions,
  context: () => WordContext,
  tally: Tally,
): Promise<RunningMetrics> {
  const registry = new Registry();
  const isMember = context().config.ensemble !== undefined;
  const times = new Map(
    TIMED.filter((name) => isMember || name === 'snapshottime').map((name) => {
      const summary = new Summary({ name, help: TIMES[name], percentiles: QUANTILES, registers: [registry] });
      return [name, summary];
    }),
  );
  tally.listener = (name, ms) => times.get(name)?.observe(ms);
  for (const [name, [help, figure]] of Object.entries(FIGURES))
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(figure(context()));
      },
    });
  if (options.process) collectDefaultMetrics({ register: registry });
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(path === '/metrics' ? 405 : 404, { 'content-type': 'text/plain' });
      response.end('GET /metrics\n');
      return;
    }
    Registry.merge([registry, memberFigures(context())])
      .metrics()
      .then(
        (text) => {
          response.writeHead(200, { 'content-type': registry.contentType });
          response.end(text);
        },
        (error: Error) => {
          response.writeHead(500, { 'content-type': 'text/plain' });
          response.end(`${error.message}\n`);
        },
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, () => resolve());
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

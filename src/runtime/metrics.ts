import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { WordContext } from './words/context.ts';

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
/** ZooKeeper's names, each true; those of an ensemble are absent rather than 0. */
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
};

/**
 * Serves `/metrics` in the Prometheus text format, as `metricsProvider.className=PrometheusMetricsProvider` asks for.
 * prom-client's only door. Rejects with the listener's error (EADDRINUSE) when the port is taken.
 */
export async function startMetrics(options: MetricsOptions, context: () => WordContext): Promise<RunningMetrics> {
  const registry = new Registry();
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
    registry.metrics().then(
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

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { figuresOf, spreadsOf } from './figures.ts';
import type { Health } from './health.ts';
import { roomOf } from './memory-judge.ts';
import { answerProbe } from './web/probes.ts';
import type { WordContext } from './words/context.ts';

export interface MetricsOptions {
  readonly address: string;
  readonly port: number;
  /** Also figures of the process: `process_*`, `nodejs_*` and `jvm_memory_*`. */
  readonly process: boolean;
  /** Counters end in `_total`, as in ZooKeeper from 3.10 on. */
  readonly totals: boolean;
}
export interface RunningMetrics {
  readonly port: number;
  stop(): Promise<void>;
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}
type Kind = 'gauge' | 'counter' | 'summary';
const QUANTILES = [0.5, 0.9, 0.99];
/** Stands on metrics of the memory: V8's heap under the name that stock alerts look at. */
const HEAP = { area: 'heap' };

/** What is told at this moment, as a registry of its own: figures of a leader are gone when it no longer leads. */
function registryOf(context: WordContext, { process: withProcess, totals }: MetricsOptions): Registry {
  const registry = new Registry();
  const put = (name: string, help: string, type: Kind, values: readonly Value[]): void => {
    const metric = {
      name,
      help,
      type,
      values,
      aggregator: 'sum',
      get: () => Promise.resolve({ name, help, type, values }),
    };
    registry.registerMetric(metric as unknown as Metric);
  };
  const keyed = new Map<string, Value[]>();
  for (const { name, help, kind, key, value } of figuresOf(context)) {
    const isTotal = totals && kind === 'counter' && !name.endsWith('_total');
    const values = keyed.get(name) ?? [];
    values.push({ labels: key === undefined ? {} : { key }, value });
    if (values.length === 1) put(isTotal ? `${name}_total` : name, help, kind, values);
    if (key !== undefined) keyed.set(name, values);
  }
  const sets = new Map<string, { readonly help: string; readonly values: Value[] }>();
  for (const { name, help, key, spread } of spreadsOf(context)) {
    const labels = key === undefined ? {} : { key };
    const set = sets.get(name) ?? { help, values: [] };
    sets.set(name, set);
    set.values.push(
      ...QUANTILES.map((quantile) => ({ labels: { ...labels, quantile }, value: spread.quantile(quantile) })),
      { metricName: `${name}_sum`, labels, value: spread.sum },
      { metricName: `${name}_count`, labels, value: spread.count },
    );
  }
  for (const [name, { help, values }] of sets) put(name, help, 'summary', values);
  if (!withProcess) return registry;
  const heap = getHeapStatistics();
  put('jvm_memory_bytes_used', 'bytes of the heap in use', 'gauge', [{ labels: HEAP, value: heap.used_heap_size }]);
  put('jvm_memory_bytes_max', 'bytes that it may have for what lives on', 'gauge', [
    { labels: HEAP, value: roomOf(heap) },
  ]);
  put('jvm_memory_bytes_committed', 'bytes that it has', 'gauge', [{ labels: HEAP, value: heap.total_heap_size }]);
  return registry;
}

/**
 * Serves `/metrics` in the Prometheus text format, as `metricsProvider.className=PrometheusMetricsProvider` asks for, and
 * probes. prom-client's only door. Rejects with the listener's error (EADDRINUSE) when the port is taken.
 */
export async function startMetrics(
  options: MetricsOptions,
  context: () => WordContext,
  health: Health,
): Promise<RunningMetrics> {
  const own = new Registry();
  if (options.process) collectDefaultMetrics({ register: own });
  const server = createServer(async (request, response) => {
    const { url = '', method = '' } = request;
    const path = url.split('?')[0] ?? '';
    if (await answerProbe(path, method, health, response)) return;
    if (path !== '/metrics' || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(path === '/metrics' ? 405 : 404, { 'content-type': 'text/plain' });
      response.end('GET /metrics\n');
      return;
    }
    try {
      const text = await Registry.merge([registryOf(context(), options), own]).metrics();
      response.writeHead(200, { 'content-type': own.contentType });
      response.end(text);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`${(error as Error).message}\n`);
    }
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

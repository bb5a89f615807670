import { PATIENCE_MS } from '../patience.ts';
import { until } from './members.ts';

/** What a zoo.cfg needs so that its server tells {@link figures}. */
export const EXPORTER = [
  'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  'metricsProvider.httpHost=127.0.0.1',
  'metricsProvider.httpPort=0',
];
export type Figures = ReadonlyMap<string, number>;

/** What a server tells under /metrics, by name and labels. `log`: of its present life at the end, where the port stands. */
export async function figures(log: () => string): Promise<Figures> {
  const said = (): string | undefined => [...log().matchAll(/metrics on 127\.0\.0\.1:(\d+)/g)].at(-1)?.[1];
  await until(() => said() !== undefined, PATIENCE_MS, log);
  // a connection that was kept may be closed by the time it is used again
  const headers = { connection: 'close' };
  const text = await (await fetch(`http://127.0.0.1:${said()}/metrics`, { headers })).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

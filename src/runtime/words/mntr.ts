import { figuresOf, spreadsOf } from '../figures.ts';
import { mean, mode, type Word, type WordContext } from './context.ts';

const QUANTILES: readonly (readonly [string, number])[] = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
];

/** What `mntr` and the admin server's `monitor` tell, the names without `zk_`. */
export function rowsOf(context: WordContext): [string, string | number][] {
  const { server, version } = context;
  const { peer, outbox } = server;
  const rows: [string, string | number][] = [
    ['version', version],
    ['server_state', mode(context)],
  ];
  if (peer.isMember) rows.push(['peer_state', `${peer.role} - ${peer.phase}`]);
  for (const { name, key, value } of figuresOf(context))
    rows.push([
      key === undefined ? name : `${key}_${name}`,
      name === 'avg_latency' ? mean(outbox.counts.totalLatency, outbox.counts.answered) : value,
    ]);
  for (const { name: plain, key, spread, isDetailed } of spreadsOf(context)) {
    const { count } = spread;
    const name = key === undefined ? plain : `${key}_${plain}`;
    rows.push(
      [`avg_${name}`, mean(spread.sum, count)],
      [`min_${name}`, Math.max(0, spread.min)],
      [`max_${name}`, Math.max(0, spread.max)],
      [`cnt_${name}`, count],
      [`sum_${name}`, spread.sum],
    );
    if (isDetailed) for (const [prefix, share] of QUANTILES) rows.push([`${prefix}_${name}`, spread.quantile(share)]);
  }
  return rows;
}

export const MNTR: Word = (context) =>
  rowsOf(context)
    .map(([key, value]) => `zk_${key}\t${value}\n`)
    .join('');

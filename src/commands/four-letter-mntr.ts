import type { Output } from '../shell/output.ts';

/** The figures of `mntr` in the order people look for them. */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ['server', /^zk_(?:version|server_state|uptime|peer_state|read_only)/],
  ['requests', /latency|packets|outstanding|connections|throttle|_per_/],
  ['tree', /znode|watch|ephemerals|data_size|session|container|ttl/],
  ['ensemble', /follower|learner|observer|sync|quorum|leader|election|propos|commit|ack|proposal/],
  ['disk', /fsync|snapshot|snap|txn|log|scrub|damage/],
  ['process', /jvm|process_|nodejs_|open_file|max_file|heap|gc_|thread|pool/],
];
const OTHERS = 'others';

/** `key TAB value` lines; for people a table with one group below the other. */
export function mntrTable(host: string, answer: string): Output {
  const rows = answer
    .split('\n')
    .filter((line) => line.includes('\t'))
    .map((line): [string, string] => {
      const [key = '', ...value] = line.split('\t');
      return [key, value.join('\t')];
    });
  const groupOf = (key: string): string => GROUPS.find(([, of]) => of.test(key))?.[0] ?? OTHERS;
  const names = [...GROUPS.map(([name]) => name), OTHERS];
  const humanRows = names.flatMap((name) => {
    const own = rows.filter(([key]) => groupOf(key) === name);
    return own.length === 0 ? [] : [[name, ''], ...own.map(([key, value]) => [`  ${key.replace(/^zk_/, '')}`, value])];
  });
  return {
    type: 'table',
    columns: [{ name: 'figure' }, { name: 'value', folds: true }],
    rows,
    humanRows,
    json: { host, word: 'mntr', answer },
  };
}

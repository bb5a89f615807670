/** Commands of other shells, and what does the same here: they are answered, not run. */
const FOREIGN: Readonly<Record<string, string>> = {
  // zk_shell
  child_count: 'count',
  session_info: 'session',
  chkzk: 'status',
  rm_r: 'deleteall',
  // ClickHouse's keeper-client
  get_stat: 'stat',
  flwc: '4lw ruok',
  find_super_nodes: 'top-nodes --by children',
  find_big_family: 'top-nodes --by subtree',
  cpr: 'cp -r',
  mvr: 'mv',
  // etcdctl, redis-cli
  del: 'delete',
  keys: 'ls -R',
  scan: 'find',
};

/** What to say instead of a name that another tool has; undefined for any other. */
export const nativeName = (name: string): string | undefined => {
  const low = name.toLowerCase();
  return Object.hasOwn(FOREIGN, low) ? FOREIGN[low] : undefined;
};

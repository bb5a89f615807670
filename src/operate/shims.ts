/** What stands in the scripts that carry Apache's and Kafka's names. */
export interface Shim {
  readonly name: string;
  readonly text: string;
}

/** In the second line of each, so that ours are told from others. */
export const SHIM_MARK = '# A script of zoosh, made by: zoosh shims';

const quoted = (word: string): string => `'${word.replace(/'/g, `'"'"'`)}'`;

/** How the scripts find zoosh: as now, unless ZOOSH names another; node as now, or the one of PATH when it has gone. */
const finder = (node: string, script: string): string => `zoosh() {
  if [ -n "\${ZOOSH:-}" ]; then exec "$ZOOSH" "$@"; fi
  node=${quoted(node)}
  [ -x "$node" ] || node=node
  exec "$node" ${quoted(script)} "$@"
}
ZOOSH_SHIM=$0
ZOOSH_SHIM_HOME=$(cd "$(dirname "$0")/.." && pwd)
export ZOOSH_SHIM ZOOSH_SHIM_HOME
`;

/** The file is the last word. */
const LAST = 'last=\nfor last; do :; done\n';

/** Name, what it is, and its body. */
const SCRIPTS: readonly (readonly [string, string, string])[] = [
  [
    'zkServer.sh',
    'zkServer.sh [--config DIR] start|start-foreground|stop|version|restart|status|print-cmd [NAME]',
    'zoosh server --apache "$@"',
  ],
  [
    'zkCli.sh',
    'zkCli.sh [-server HOST:PORT] [COMMAND]',
    `ZOOBINDIR=$(cd "$(dirname "$0")" && pwd)
if [ -r "$ZOOBINDIR/zkEnv.sh" ]; then . "$ZOOBINDIR/zkEnv.sh"; fi
export CLIENT_JVMFLAGS JVMFLAGS
zoosh --compat zkcli "$@"`,
  ],
  ['zkCleanup.sh', 'zkCleanup.sh [SNAPDIR] -n COUNT', 'zoosh server --apache cleanup "$@"'],
  [
    'zkServer-initialize.sh',
    'zkServer-initialize.sh [--configfile=FILE] [--myid=N] [--force]',
    'zoosh server --apache initialize "$@"',
  ],
  [
    'zkTxnLogToolkit.sh',
    'zkTxnLogToolkit.sh [-dhrvcy] LOG [-z ZXID]',
    `${LAST}chops= odd= before=
for word; do
  case $before,$word in
    -z,0[xX]*[!0-9a-fA-F]*) odd=1 ;;
    -z,0[xX]?*) ;;
    -z,*[!0-9]*) odd=1 ;;
  esac
  before=$word
  case $word in
    -c|--chop) chops=1 ;;
    --*) ;;
    -*[!dhrvcyz]*) odd=1 ;;
  esac
done
(zoosh txnlog "$@")
code=$?
case $code in
  0) ;;
  2) # for a file that is no log; one without room for a log's head is none at all
    if [ ! -f "$last" ] || [ ! -r "$last" ] || [ -n "$odd" ] || [ "$(wc -c <"$last")" -lt 16 ]; then code=1; fi ;;
  44) code=\${chops:-0} ;; # Apache's shows a broken transaction as such and goes on
  *) code=1 ;;
esac
exit $code`,
  ],
  [
    'zkSnapShotToolkit.sh',
    'zkSnapShotToolkit.sh [-d|-json] SNAPSHOT',
    `${LAST}odd= files=0
for word; do
  case $word in
    -d|-json) ;;
    -*) odd=1 ;;
    *) files=$((files + 1)) ;;
  esac
done
(zoosh snapshot ls "$@")
code=$?
case $code in
  0) ;;
  2) # for words that do not fit, and a file that is not there
    if [ -z "$odd" ] && [ $files -lt 2 ] && [ -f "$last" ] && [ -r "$last" ]; then code=1; fi ;;
  *) code=1 ;;
esac
exit $code`,
  ],
  [
    'zkSnapshotRecursiveSummaryToolkit.sh',
    'zkSnapshotRecursiveSummaryToolkit.sh SNAPSHOT NODE DEPTH',
    `(zoosh snapshot summary "$@")
code=$?
case $code in
  0) [ $# -eq 3 ] || code=2 ;; # it has no help
  2) # for words that do not fit; 1 for a file that is not there
    case $#,\${3:-} in
      3,*[!0-9]*) ;;
      3,?*) code=1 ;;
    esac ;;
  *) code=1 ;;
esac
exit $code`,
  ],
  [
    'zkSnapshotComparer.sh',
    'zkSnapshotComparer.sh -l LEFT -r RIGHT -b BYTES -n NODES',
    `left= right= bytes= nodes= odd=
for word; do
  case $word in
    -l|--left|--left=*) left=1 ;;
    -r|--right|--right=*) right=1 ;;
    -b|--bytes|--bytes=*) bytes=1 ;;
    -n|--nodes|--nodes=*) nodes=1 ;;
    -d|--debug|-i|--interactive) ;;
    -h|--help) left=1 right=1 bytes=1 nodes=1 ;;
    -*) odd=1 ;;
  esac
done
if [ -z "$left" ] || [ -z "$right" ] || [ -z "$bytes" ] || [ -z "$nodes" ]; then
  echo "error: -l LEFT, -r RIGHT, -b BYTES and -n NODES must be there; --help tells more" >&2
  exit 2
fi
(zoosh snapshot compare "$@")
code=$?
case $code in
  0|1) code=0 ;; # Apache's does not tell by its code whether they differ
  2) [ -n "$odd" ] || code=1 ;; # 2 is for words that are not known
  *) code=1 ;;
esac
exit $code`,
  ],
  [
    'zookeeper-shell.sh',
    'zookeeper-shell.sh HOST:PORT[/PATH] [-zk-tls-config-file FILE] [COMMAND], as Kafka has it',
    `if [ $# -lt 1 ]; then
  echo "USAGE: $0 zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]"
  exit 1
fi
server=$1
shift
CLIENT_JVMFLAGS="\${KAFKA_OPTS:-} \${CLIENT_JVMFLAGS:-}"
export CLIENT_JVMFLAGS
if [ "\${1:-}" = -zk-tls-config-file ] && [ $# -ge 2 ]; then
  file=$2
  shift 2
  zoosh --compat zkcli -server "$server" -client-configuration "$file" "$@"
fi
zoosh --compat zkcli -server "$server" "$@"`,
  ],
  [
    'zookeeper-server-start.sh',
    'zookeeper-server-start.sh [-daemon] zookeeper.properties, as Kafka has it',
    `verb=start-foreground
if [ "\${1:-}" = -daemon ]; then
  verb=start
  shift
fi
if [ $# -lt 1 ]; then
  echo "USAGE: $0 [-daemon] zookeeper.properties"
  exit 1
fi
case $1 in
  */*) file=$1 ;;
  *) file=./$1 ;;
esac
shift
JVMFLAGS="\${KAFKA_HEAP_OPTS:--Xmx512M -Xms512M} \${KAFKA_OPTS:-} \${JVMFLAGS:-}"
ZOO_LOG_DIR=\${LOG_DIR:-\${ZOO_LOG_DIR:-$ZOOSH_SHIM_HOME/logs}}
export JVMFLAGS ZOO_LOG_DIR
zoosh server --apache --started-as zookeeper-server-start.sh "$verb" "$file" "$@"`,
  ],
  [
    'zookeeper-server-stop.sh',
    'zookeeper-server-stop.sh: every server of this user that zookeeper-server-start.sh started',
    'zoosh server --apache --started-as zookeeper-server-start.sh stop',
  ],
];

/** What other scripts take their variables from. */
const ENV = `#!/bin/sh
${SHIM_MARK}
# To be read by other scripts (. zkEnv.sh), which then know where ZooKeeper's configuration and logs are.
ZOOBINDIR=\${ZOOBINDIR:-/usr/bin}
ZOOKEEPER_PREFIX=$ZOOBINDIR/..
if [ $# -gt 1 ] && [ "$1" = --config ]; then
  shift
  ZOOCFGDIR=$1
  shift
fi
if [ -z "\${ZOOCFGDIR:-}" ]; then
  for ZOOCFGDIR in "$ZOOKEEPER_PREFIX/conf" "$ZOOKEEPER_PREFIX/etc/zookeeper" /etc/zookeeper/conf /etc/zookeeper; do
    [ -d "$ZOOCFGDIR" ] && break
  done
fi
if [ -f "$ZOOCFGDIR/zookeeper-env.sh" ]; then . "$ZOOCFGDIR/zookeeper-env.sh"; fi
ZOOCFG=$ZOOCFGDIR/\${ZOOCFG:-zoo.cfg}
if [ -f "$ZOOCFGDIR/java.env" ]; then . "$ZOOCFGDIR/java.env"; fi
ZOO_LOG_DIR=\${ZOO_LOG_DIR:-$ZOOKEEPER_PREFIX/logs}
CLASSPATH=\${CLASSPATH:-}
`;

/** All scripts, for this node and this zoosh. */
export const shims = (node: string, script: string): Shim[] => [
  ...SCRIPTS.map(([name, about, body]) => ({
    name,
    text: `#!/bin/sh\n${SHIM_MARK}\n# ${about}\n${finder(node, script)}${body}\n`,
  })),
  { name: 'zkEnv.sh', text: ENV },
];

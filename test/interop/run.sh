#!/usr/bin/env bash
# Programs we did not write, against our server. Needs Debian's zookeeper, python3-kazoo, strace; a missing one is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in /usr/share/zookeeper/bin/zkCli.sh strace java; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (install zookeeper python3-kazoo strace)" >&2; exit 1; }
done
work=$(mktemp -d)
pid=''
stop() { if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; pid=''; fi; }
trap 'stop; rm -rf "$work"' EXIT

port=''
serve() { # extra settings...
  local args=()
  for each in "$@"; do args+=(--set "$each"); done
  node bin/zoosh.js start standalone --port 0 --data "$work/data" --set '4lw.commands.whitelist=*' "${args[@]}" >"$work/out" 2>"$work/err" &
  pid=$!
  for _ in $(seq 100); do
    port=$(sed -n 's/^ready .*:\([0-9]*\)$/\1/p' "$work/out")
    [ -n "$port" ] && return
    sleep 0.1
  done
  cat "$work/err" >&2
  exit 1
}

serve
echo '-- kazoo'
/usr/bin/python3 test/interop/kazoo_checks.py "127.0.0.1:$port"
echo '-- zkCli.sh'
bash test/interop/zkcli.sh "127.0.0.1:$port"
stop

echo '-- our client, against our server'
rm -rf "$work/data"
serve
node dist/test/interop/client-checks.js "127.0.0.1:$port"
ZOOKEEPER="127.0.0.1:$port" node --test dist/test/interop/client-apache.js | grep -E "^# (tests|pass|fail|skipped)|^not ok"
stop

echo '-- our client, against Apache ZooKeeper'
mkdir -p "$work/apache"
apache_port=$((20000 + RANDOM % 10000))
printf 'tickTime=2000\ndataDir=%s\nclientPort=%s\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n4lw.commands.whitelist=*\n' "$work/apache" "$apache_port" >"$work/zoo.cfg"
java -Xmx256m -cp '/usr/share/java/zookeeper.jar:/usr/share/java/*' org.apache.zookeeper.server.ZooKeeperServerMain "$work/zoo.cfg" >"$work/apache.log" 2>&1 &
pid=$!
node dist/test/interop/client-checks.js "127.0.0.1:$apache_port" || { tail -5 "$work/apache.log" >&2; exit 1; }
ZOOKEEPER="127.0.0.1:$apache_port" node --test dist/test/interop/client-apache.js | grep -E "^# (tests|pass|fail|skipped)|^not ok"
stop

echo '-- durability, traced'
/usr/bin/python3 test/interop/traced.py
echo 'interop: all passed'

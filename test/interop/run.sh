#!/usr/bin/env bash
# Programs we did not write, against our server; and ensembles of real processes, hurt (NEMESIS_SECONDS=300, NEMESIS_KILLS=50). Needs Debian's zookeeper, python3-kazoo, libcurator-recipes-java, libjline2-java, strace, zsh, fish, bash-completion; a missing one is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in /usr/lib/zookeeper/bin/cli_mt /usr/lib/zookeeper/bin/load_gen gcc /usr/share/zookeeper/bin/zkCli.sh /usr/share/java/curator-recipes.jar /usr/share/java/jline2.jar strace java javac keytool openssl unshare setpriv pgrep systemd-analyze zsh fish /usr/share/bash-completion/bash_completion prometheus promtool collectd; do
  command -v "$tool" >/dev/null || [ -f "$tool" ] || { echo "missing: $tool (install zookeeper python3-kazoo libcurator-recipes-java libjline2-java strace zsh fish bash-completion systemd procps prometheus collectd-core)" >&2; exit 1; }
done
/usr/bin/python3 -c 'import kazoo.tests, pytest, mock, objgraph, puresasl, gevent, eventlet' ||
  { echo 'missing: python3-pytest python3-mock python3-objgraph python3-pure-sasl python3-gevent python3-eventlet' >&2; exit 1; }
work=$(mktemp -d)
pid=''
stop() { if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; pid=''; fi; }
trap 'stop; rm -rf "$work"' EXIT

port=''
# A port for clients, and two for members beside it, below what the system hands out; nobody listens at any of them.
choose() {
  local each free
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 10000)) free=yes
    for each in "$port" "$((port + 1001))" "$((port + 1002))"; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$each") 2>/dev/null; then free=''; fi
    done
    if [ -n "$free" ]; then return; fi
  done
  echo 'no free ports' >&2
  exit 1
}
serve() { # extra settings...
  local args=()
  : >"$work/out" # what the one before said is not about this one
  for each in "$@"; do args+=(--set "$each"); done
  node bin/zoosh.js start standalone --port 0 --data "$work/data" --set '4lw.commands.whitelist=*' "${args[@]}" >"$work/out" 2>"$work/err" &
  pid=$!
  for _ in $(seq 600); do
    port=$(sed -n 's/^ready .*:\([0-9]*\)$/\1/p' "$work/out")
    [ -n "$port" ] && return
    sleep 0.1
  done
  cat "$work/err" >&2
  exit 1
}

apache() { # extra settings...
  mkdir -p "$work/apache"
  choose
  printf '%s\n' tickTime=2000 "dataDir=$work/apache" "clientPort=$port" clientPortAddress=127.0.0.1 \
    admin.enableServer=false '4lw.commands.whitelist=*' "$@" >"$work/zoo.cfg"
  java -Xmx1g -cp '/usr/share/java/zookeeper.jar:/usr/share/java/*' org.apache.zookeeper.server.ZooKeeperServerMain "$work/zoo.cfg" >"$work/apache.log" 2>&1 &
  pid=$!
  until_serving
}
# However long Java takes to start here; some minutes at most.
until_serving() {
  local said=''
  for _ in $(seq 1800); do
    said=$({ exec 3<>"/dev/tcp/127.0.0.1/$port" && printf srvr >&3 && timeout 5 cat <&3; } 2>/dev/null || true)
    case $said in *Zxid*) return ;; esac
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "Apache ZooKeeper does not serve on port $port:" >&2
  tail -20 "$work/apache.log" >&2
  exit 1
}

# An ensemble of one whose members may be changed by super:adminpass.
member() {
  rm -rf "$work/member"
  mkdir -p "$work/member"
  echo 1 >"$work/member/myid"
  choose
  printf '%s\n' tickTime=2000 initLimit=10 syncLimit=5 "dataDir=$work/member" admin.enableServer=false \
    standaloneEnabled=false reconfigEnabled=true '4lw.commands.whitelist=*' \
    'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=' \
    "server.1=127.0.0.1:$((port + 1001)):$((port + 1002));127.0.0.1:$port" >"$work/member.cfg"
}
serve_member() {
  member
  node bin/zoosh.js start server --config "$work/member.cfg" >"$work/out" 2>"$work/err" &
  pid=$!
}
apache_member() {
  member
  java -Xmx256m -cp '/usr/share/java/zookeeper.jar:/usr/share/java/*' org.apache.zookeeper.server.quorum.QuorumPeerMain "$work/member.cfg" >"$work/apache.log" 2>&1 &
  pid=$!
  until_serving
}

# A file of node:test against $port: its counts, and what failed; a test that was skipped is a failure.
tests() { # one file: a second would not be run
  [ $# = 1 ] || { echo "tests takes one file, not $*" >&2; exit 1; }
  local tap="$work/tap.$1"
  if ! ZOOKEEPER="127.0.0.1:$port" node --test --test-reporter=tap "dist/test/interop/$1" >"$tap"; then
    cat "$tap" >&2
    exit 1
  fi
  grep -E '^# (tests|pass|fail|skipped|stories|flipped|power|syncs|imported|exported|backup|kazoo|curator|step|[0-9])' "$tap"
  if ! grep -q '^# skipped 0$' "$tap" || ! grep -q '^# todo 0$' "$tap"; then
    echo "$1: a test was skipped" >&2
    exit 1
  fi
}

echo "-- kazoo's own tests, on our servers and on Apache's"
/usr/bin/python3 test/interop/kazoo_suite.py "$work/kazoo-suite"
echo "-- the C client and clients from npm, on our servers and on Apache's"
/usr/bin/python3 test/interop/foreign_clients.py "$work/foreign"

serve
echo '-- kazoo'
/usr/bin/python3 test/interop/kazoo_checks.py "127.0.0.1:$port"
echo '-- recipes of kazoo and ours on the same paths'
tests recipes.js
echo '-- recipes of Curator and ours on the same paths'
tests recipes-curator.js
echo '-- the same on three servers of ours, of which the leader is killed'
RECIPES_SERVERS=3 tests recipes-curator.js
echo '-- recipes of kazoo and of Curator, on Apache ZooKeeper'
(
  export RECIPES_SERVER=apache
  tests recipes.js & kazoo=$!
  tests recipes-curator.js & curator=$!
  failed=0
  wait "$kazoo" || failed=1
  wait "$curator" || failed=1
  exit "$failed"
)
echo "-- more of Curator's recipes, on our servers and on Apache's"
tests curator-checks.js
echo '-- zkCli.sh'
bash test/interop/zkcli.sh "127.0.0.1:$port"
echo '-- zkCli.sh and zoosh as zkCli, line by line, against our server'
tests zkcli-live.js
stop
echo '-- zkCli.sh with every command, by lines and on a terminal, on our servers and on Apache'\''s'
tests zkcli-everywhere.js

echo '-- our client, against our server'
rm -rf "$work/data"
serve
node dist/test/interop/client-checks.js "127.0.0.1:$port"
tests client-apache.js
stop

echo '-- our shell, against our server'
rm -rf "$work/data"
serve enforceQuota=true
tests shell-apache.js
echo '-- completion in bash, zsh and fish'
tests completion.js
stop

echo '-- our shell, against an ensemble of ours'
serve_member
tests shell-ensemble.js
stop

echo '-- our client, against Apache ZooKeeper'
apache
node dist/test/interop/client-checks.js "127.0.0.1:$port" || { tail -5 "$work/apache.log" >&2; exit 1; }
tests client-apache.js
stop

echo '-- our shell, against Apache ZooKeeper'
apache enforceQuota=true
tests shell-apache.js
stop

echo '-- our shell, against an ensemble of Apache ZooKeeper'
apache_member
tests shell-ensemble.js
stop

echo '-- logins by SASL, ours and others, at both servers'
tests sasl.js
echo '-- TLS of clients, by certificates, ours and others, at both servers'
tests tls.js
echo '-- four-letter words and admin answers, ours and those of Apache ZooKeeper'
tests answers.js
echo '-- the audit log, ours and that of Apache ZooKeeper'
tests audit.js
echo '-- watched by Prometheus and collectd'
tests monitoring.js
echo '-- alerts that only our figures have, each fired by its cause'
tests alerts.js

echo '-- local sessions and read-only mode, on ensembles of both'
tests local-sessions.js

echo '-- as a service and in a container'
tests operate.js
echo '-- by the names of the scripts of Apache ZooKeeper, beside them'
tests operate-apache.js
echo '-- what the tools for files print, beside those of Apache ZooKeeper'
tests tools-apache.js

echo '-- who may do what, as Apache ZooKeeper says'
node dist/test/security/access/record.js test/security/access/apache-3.8.0.txt --check
node dist/test/security/access/record.js test/security/access/apache-3.8.0-proved.txt --check --proved
echo '-- from Apache ZooKeeper to ours and back'
tests migrate.js
echo '-- an Apache ensemble replaced member by member'
tests replaced.js
echo '-- backup under load, restoration, imported sessions that live on'
tests backup.js

echo '-- random programs, on Apache ZooKeeper and ours side by side, and lies that must be found'
node dist/test/interop/differ/main.js --programs "${DIFFER_PROGRAMS:-150}" --lies

echo '-- examples of the documents that call openssl'
tests documents.js

echo '-- durability, traced'
/usr/bin/python3 test/interop/traced.py
echo '-- ensembles of our servers: stories of disks and of strangers'
tests stories.js

echo '-- ensembles of our servers: the nemesis'
node dist/test/interop/nemesis.js --only 'kill leader' --seconds 0 --rounds "${NEMESIS_KILLS:-50}"
node dist/test/interop/nemesis.js --seconds "${NEMESIS_SECONDS:-300}"
echo 'interop: all passed'

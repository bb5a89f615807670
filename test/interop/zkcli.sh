#!/usr/bin/env bash
# Debian's zkCli.sh runs a script of its commands against the server given; its answers are looked for one by one.
set -euo pipefail
server=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
timeout 300 /usr/share/zookeeper/bin/zkCli.sh -server "$server" >"$out" 2>&1 <<'CMDS' || true
create /cli hello-cli
get /cli
set -s /cli changed
stat /cli
ls /
ls -s /cli
create -s /cli/s- x
create -e /cli/e x
create -c /cli/c
getAllChildrenNumber /cli
getEphemerals /cli
getAcl /cli
addauth digest bob:secret
setAcl /cli auth::cdrwa
getAcl /cli
whoami
setquota -n 10 /cli
listquota /cli
delquota /cli
sync /cli
addWatch -m PERSISTENT /cli
set /cli watched
removewatches /cli
get /missing
delete /cli
deleteall /cli
ls /cli
config
version
close
connect
quit
CMDS
count=0
expect() {
  if ! grep -qF -- "$1" "$out"; then
    echo "FAIL zkCli: no '$1' in:" >&2
    cat "$out" >&2
    exit 1
  fi
  count=$((count + 1))
}
expect 'Created /cli'
expect 'hello-cli'
expect 'dataVersion = 1'
expect 'cZxid = 0x'
expect 'Created /cli/s-0000000000'
expect 'Created /cli/e'
expect 'Created /cli/c'
expect '[/cli/e]'
expect "'world,'anyone"
expect "'digest,'bob:"
expect 'digest: bob'
expect 'Output quota for /cli count=10'
expect 'Output stat for /cli count=4'
expect 'Sync is OK'
expect 'type:NodeDataChanged path:/cli'
expect 'type:PersistentWatchRemoved path:/cli'
expect 'Node does not exist: /missing'
expect 'Node not empty: /cli'
expect 'Node does not exist: /cli'
expect 'ZooKeeper CLI version'
echo "zkCli: $count checks passed"

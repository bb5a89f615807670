#!/usr/bin/env bash
# The completion script in bash itself: commands, options, live znodes, what gets a blank and what does not.
set -euo pipefail
server=$1
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
printf '#!/bin/sh\nexec node "%s" "$@"\n' "$PWD/bin/zoosh.js" >"$bin/zoosh"
chmod +x "$bin/zoosh"
export PATH="$bin:$PATH" ZOOSH_SERVER="$server" ZOOSH_HOME="$bin/home"
zoosh create '/with space' x >/dev/null
zoosh create /comp x >/dev/null
zoosh create /comp/child x >/dev/null
nospace=0
compopt() { nospace=1; } # outside of a real completion bash refuses it
# shellcheck disable=SC1090
source <(zoosh completion bash)
passed=0
check() { # line, replies joined by blanks, 1 when no blank follows
  COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=(zoosh) COMPREPLY=() nospace=0
  _zoosh
  if [ "${COMPREPLY[*]:-}" != "$2" ] || [ "$nospace" != "$3" ]; then
    echo "completion of '$1': '${COMPREPLY[*]:-}' (nospace $nospace), not '$2' ($3)" >&2
    exit 1
  fi
  passed=$((passed + 1))
}
check 'zoosh creat' 'create' 0
check 'zoosh delete' 'delete deleteall' 0
check 'zoosh get /com' '/comp/' 1
check 'zoosh get /comp/' '/comp/child' 0
check 'zoosh get /wi' "/with\\ space" 0
check 'zoosh addWatch -m P' 'PERSISTENT PERSISTENT_RECURSIVE' 0
check "zoosh $server get /com" '/comp/' 1
check 'zoosh get /none' '' 0
ZOOSH_SERVER=127.0.0.1:1 check 'zoosh get /com' '' 0
zoosh deleteall /comp '/with space' >/dev/null
echo "bash completion: $passed checks passed"

#!/bin/sh
# zoo.cfg and myid from the variables, unless they are there; then the command, in this process.
set -eu
if [ "${1:-}" = zkServer.sh ] && [ "${2:-}" = start-foreground ] && [ $# -eq 2 ]; then
  config=$(zoosh server from-env)
  set -- "$@" "$config"
fi
exec "$@"

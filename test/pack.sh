#!/usr/bin/env bash
# The packed tarball holds what is needed and nothing else, installs without scripts and development packages, and runs.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --ignore-scripts --pack-destination "$work" >/dev/null
tarball=$(echo "$work"/zoosh-*.tgz)
tar -tzf "$tarball" | sed 's#^package/##' | sort >"$work/list"
extra=$(grep -vE '^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|bin/(zoosh\.js|package\.json)|completions/zoosh\.(bash|zsh|fish)|docs/[a-z]+\.md|docs/deploy/[A-Za-z.-]+|docs/pictures/[a-z]+\.svg|man/zoosh\.1|dist/bin/([A-Za-z0-9-]+\.js|(boot|program)\.cjs)|dist/src/.*\.(js|d\.ts))$' "$work/list" || true)
[ -z "$extra" ] || { echo "packed, and not wanted:" "$extra" >&2; exit 1; }
for file in bin/zoosh.js bin/package.json dist/bin/boot.cjs dist/bin/program.cjs dist/src/index.js dist/src/index.d.ts dist/src/embed.js dist/bin/main.js dist/bin/key-job.js completions/zoosh.bash man/zoosh.1 LICENSE README.md SECURITY.md; do
  grep -qx "$file" "$work/list" || { echo "not packed: $file" >&2; exit 1; }
done
mkdir "$work/user"
cd "$work/user"
echo '{"name":"user","private":true,"type":"module"}' >package.json
npm install --silent --no-fund --no-audit --ignore-scripts --omit=dev --prefer-offline "$tarball"
[ "$(printf 'create /bar hello-bar\nget /bar\n' | node_modules/.bin/zoosh playground)" = $'/bar\nhello-bar' ]
# without what is optional neither of the packages that have an install script is there, and it runs all the same
mkdir "$work/bare"
echo '{"name":"bare","private":true}' >"$work/bare/package.json"
(
  cd "$work/bare"
  npm install --silent --no-fund --no-audit --ignore-scripts --omit=dev --omit=optional --prefer-offline "$tarball"
  scripts=$(grep -l '"\(pre\|post\)\?install":' node_modules/*/package.json node_modules/@*/*/package.json || true)
  [ -z "$scripts" ] || { echo "with an install script:" "$scripts" >&2; exit 1; }
  [ "$(printf 'create /bar hello-bar\nget /bar\n' | node_modules/.bin/zoosh playground)" = $'/bar\nhello-bar' ]
)
cat >try.js <<'JS'
import { connect } from 'zoosh';
import { startEmbedded } from 'zoosh/server';
const server = await startEmbedded();
const client = await connect(server.connectString);
await client.create('/a', 'embedded');
console.log((await client.get('/a')).data.toString());
await client.close();
await server.stop();
JS
[ "$(node try.js)" = embedded ]
# every example of README.md, the long ones too, with what was installed
cmp "$root/README.md" node_modules/zoosh/README.md
ZOOSH_PACKAGE="$PWD/node_modules/zoosh" ZOOSH_TEST=long node --test --test-reporter=tap \
  --test-name-pattern='examples of README.md' "$root/dist/test/documents/documents.test.js" >tap || { cat tap >&2; exit 1; }
grep -q '^ok .* examples of README.md do what it says$' tap || { cat tap >&2; exit 1; }
# and the servers of README.md, which stand there as not run: as it has them, but at ports that are free
servers=$(sed -n '/^## The server/,/^## An /s/^\(zoosh start [^#]*\).*/\1/p' "$root/README.md")
[ "$(wc -l <<<"$servers")" = 3 ]
printf 'tickTime=2000\ndataDir=%s/own\nclientPort=0\nclientPortAddress=127.0.0.1\n' "$work" >zoo.cfg
while read -r line; do
  case $line in
  *--config*) ;;
  *) line="$(sed 's/ --port [0-9]*//' <<<"$line") --port 0" ;;
  esac
  rm -f out # of the one before
  PATH="$PWD/node_modules/.bin:$PATH" bash -c "exec $line" >out 2>err &
  pid=$!
  for _ in $(seq 600); do
    grep -qs '^ready ' out && break
    sleep 0.1
  done
  [ "$(node_modules/.bin/zoosh --connect-timeout 30s "$(sed -n 's/^ready //p' out)" -c 'create /bar hello-bar; get /bar' | tail -1)" = hello-bar ] || { cat err >&2; exit 1; }
  kill -INT "$pid"
  wait "$pid"
done <<<"$servers"
echo "pack: $(wc -l <"$work/list") files, $(wc -c <"$tarball") bytes; installed without scripts, ran, embedded, did what README.md says"

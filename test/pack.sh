#!/usr/bin/env bash
# The packed tarball holds what is needed and nothing else, installs without scripts and development packages, and runs.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --ignore-scripts --pack-destination "$work" >/dev/null
tarball=$(echo "$work"/zoosh-*.tgz)
tar -tzf "$tarball" | sed 's#^package/##' | sort >"$work/list"
extra=$(grep -vE '^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin/zoosh\.js|completions/zoosh\.(bash|zsh|fish)|docs/[a-z]+\.md|docs/deploy/[A-Za-z.-]+|docs/pictures/[a-z]+\.svg|man/zoosh\.1|dist/bin/[A-Za-z0-9-]+\.js|dist/src/.*\.(js|d\.ts))$' "$work/list" || true)
[ -z "$extra" ] || { echo "packed, and not wanted:" "$extra" >&2; exit 1; }
for file in bin/zoosh.js dist/src/index.js dist/src/index.d.ts dist/src/embed.js dist/bin/main.js completions/zoosh.bash man/zoosh.1 LICENSE README.md; do
  grep -qx "$file" "$work/list" || { echo "not packed: $file" >&2; exit 1; }
done
mkdir "$work/user"
cd "$work/user"
echo '{"name":"user","private":true,"type":"module"}' >package.json
npm install --silent --no-fund --no-audit --ignore-scripts --omit=dev --prefer-offline "$tarball"
[ "$(printf 'create /bar hello-bar\nget /bar\n' | node_modules/.bin/zoosh playground)" = $'/bar\nhello-bar' ]
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
echo "pack: $(wc -l <"$work/list") files, $(wc -c <"$tarball") bytes; installed without scripts, ran, embedded"

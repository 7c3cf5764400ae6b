#!/usr/bin/env bash
# polars.sh DIR: Polars' rolling on the files that `benchmarks -- backfill ... --dir DIR` has written, with the CPU seconds and peak memory of its
# process. nodejs-polars is installed by npm into a directory outside the repository (NODE_MODULES_DIR, default a temporary one). Needs Node 20.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
modules=${NODE_MODULES_DIR:-$(mktemp -d)}
version=0.26.1
[[ -d $modules/node_modules/nodejs-polars-linux-x64-gnu ]] || npm install --silent --no-save --prefix "$modules" nodejs-polars@$version nodejs-polars-linux-x64-gnu@$version
for keys in zipf uniform; do
  [[ -d $1/$keys ]] || continue
  echo "$keys"
  node "$here/polars.mjs" "$modules" "$1/$keys"
done

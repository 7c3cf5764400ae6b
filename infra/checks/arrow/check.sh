#!/usr/bin/env bash
# check.sh: another Arrow implementation (npm's apache-arrow, installed outside the repository) reads an archive file and a training set, and every
# value must be the one that StreamMl reads. Needs Node 20 and npm. STREAMML_ARROW_JS names a directory whose node_modules has apache-arrow already.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
export STREAMML_ARROW_JS=${STREAMML_ARROW_JS:-$(mktemp -d)}
[[ -d $STREAMML_ARROW_JS/node_modules/apache-arrow ]] || npm install --silent --no-save --prefix "$STREAMML_ARROW_JS" apache-arrow@21
dotnet build "$root/tests/BatchBackfill" -v q -nologo -clp:ErrorsOnly
"$root/tests/BatchBackfill/bin/Debug/net10.0/StreamMl.BatchBackfill.Tests" -class StreamMl.BatchBackfill.Tests.OtherArrowTests

#!/usr/bin/env bash
# Everything that the Node package must pass: build, lint, types, tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly tests=$PWD/tests/node
readonly modules=$tests/node_modules
readonly stamp=$modules/.installed

# Installed anew only when the lock file has changed.
if ! cmp --silent "$tests/package-lock.json" "$stamp"; then
    npm ci --prefix "$tests" --no-audit --no-fund --loglevel=error
    cp "$tests/package-lock.json" "$stamp"
fi

# The processes that the vectors speak of.
if [[ -z ${SESSIONREG_PROCESSES:-} ]]; then
    cargo build --quiet --locked --package sessionreg-tests --bin processes
    export SESSIONREG_PROCESSES=${CARGO_TARGET_DIR:-$PWD/target}/debug/processes
fi

# A debug build: it has an export that panics, to see what becomes of that.
node bindings-node/build.mjs --debug

# Folder by folder: from the root, Biome would go through all of target/.
for folder in bindings-node tests/node examples/node examples/dashboard examples/restore-server/node; do
    (cd "$folder" && "$modules/.bin/biome" ci --colors=off --error-on-warnings \
        --config-path="$tests/biome.json" --log-level=warn .)
done
"$modules/.bin/tsc" --project "$tests/types"

# A call that blocks would block the test runner too.
timeout --kill-after=10 600 node --test "$tests"/*.test.mjs "$@"

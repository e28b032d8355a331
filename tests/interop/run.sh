#!/usr/bin/env bash
# What the languages do together, and every example of the documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

bash scripts/build-all.sh
cc -std=gnu99 -Wall -Wextra -Werror -Iinclude tests/interop/peer.c \
    -Ltarget/lib -lsessionreg -Wl,-rpath,"$PWD/target/lib" -o target/peer-c
.venv/bin/python tests/interop/interop.py target/debug/peer target/peer-c
.venv/bin/python tests/interop/docs.py "$PWD/target/lib"
node --test tests/interop/ports.test.mjs
bash examples/demo/run.sh >target/demo.log || { cat target/demo.log; exit 1; }
echo "demo: 1 passed, 0 failed"

#!/usr/bin/env bash
# Builds what the demo needs and runs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building the library for C, Python and Node (the first time takes a minute or two) ..."
bash scripts/build-all.sh
cc -std=gnu99 -Wall -Wextra -Werror -Iinclude examples/demo/list.c \
    -Ltarget/lib -lsessionreg -Wl,-rpath,"$PWD/target/lib" -o target/demo-list
.venv/bin/python examples/demo/demo.py target/demo-list target/debug/processes

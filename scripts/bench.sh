#!/usr/bin/env bash
# Builds releases of everything, measures, and writes docs/benchmarks.md.
#
#   scripts/bench.sh [--rounds <number>] [--job <name>]... [--dry-run]
#
# With --dry-run, or where only some jobs are measured, the tables are shown and not written. All
# that is built lies below target/, apart from what the tests have built: those builds check more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly languages=$PWD/core/benches/languages
readonly built=${CARGO_TARGET_DIR:-$PWD/target}/release
readonly out=${CARGO_TARGET_DIR:-$PWD/target}/bench

[[ $(uname -s) == Linux ]] || { echo "skipped: the floors are system calls of Linux"; exit 0; }

# Rust: the programs that cargo builds are where it says.
rust=$(cargo bench --quiet --locked -p sessionreg --bench speed --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')

# C, against an installed library.
PREFIX=$out/c bash scripts/install.sh >/dev/null
"${CC:-cc}" -O2 -Wall -Wextra -Werror -I"$out/c/include" -o "$out/c/speed" \
    "$languages/c/speed.c" -L"$out/c/lib" -Wl,-rpath,"$out/c/lib" -lsessionreg

# Python: the package as a wheel would install it.
cargo build --quiet --locked --release -p sessionreg-python
readonly venv=$out/venv stamp=$out/venv/requirements.txt
if ! cmp --silent "$languages/python/requirements.txt" "$stamp"; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$languages/python/requirements.txt"
    cp "$languages/python/requirements.txt" "$stamp"
fi
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
rm -rf "$site/sessionreg"
mkdir "$site/sessionreg"
cp bindings-python/python/sessionreg/*.py "$site/sessionreg"
cp "$built/lib_sessionreg.so" "$site/sessionreg/_sessionreg.abi3.so"
"$venv/bin/python" -m compileall -q "$site/sessionreg"

# Node.
cargo build --quiet --locked --release -p sessionreg-node
export SESSIONREG_NATIVE=$built/libsessionreg_node.so
readonly modules=$languages/node/node_modules
if ! cmp --silent "$languages/node/package-lock.json" "$modules/.installed"; then
    npm ci --prefix "$languages/node" --no-audit --no-fund --loglevel=error
    cp "$languages/node/package-lock.json" "$modules/.installed"
fi

# The interpreter that runs the driver is the one that is measured.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH NODE_OPTIONS
exec "$venv/bin/python" scripts/bench.py --rust "$rust" --c "$out/c/speed" \
    --library "$out/c/lib/libsessionreg.so" --disk "$out" "$@"

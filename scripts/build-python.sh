#!/usr/bin/env bash
# Makes the virtual environment of this checkout and builds the Python module into it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly package=bindings-python
readonly venv=$PWD/.venv
readonly stamp=$venv/requirements.txt

if ! cmp --silent "$package/requirements-dev.txt" "$stamp"; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$package/requirements-dev.txt"
    cp "$package/requirements-dev.txt" "$stamp"
fi

# In a folder of its own: what maturin builds and what cargo builds replace each other otherwise.
log=$(VIRTUAL_ENV=$venv CARGO_TARGET_DIR=$PWD/target/python "$venv/bin/maturin" develop --locked \
    --manifest-path "$package/Cargo.toml" 2>&1) || {
    echo "$log" >&2
    exit 1
}

#!/usr/bin/env bash
# Everything that the Python module must pass: build, lint, types, stubs, tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly package=bindings-python
bash scripts/build-python.sh
export VIRTUAL_ENV=$PWD/.venv PATH=$PWD/.venv/bin:$PATH

# The processes that the vectors speak of.
if [[ -z ${SESSIONREG_PROCESSES:-} ]]; then
    cargo build --quiet --locked --package sessionreg-tests --bin processes
    export SESSIONREG_PROCESSES=${CARGO_TARGET_DIR:-$PWD/target}/debug/processes
fi

readonly sources=("$package/python" tests/python examples/python examples/restore-server/python)
ruff check --quiet --config "$package/pyproject.toml" "${sources[@]}"
ruff format --quiet --check --config "$package/pyproject.toml" "${sources[@]}"
mypy --config-file "$package/pyproject.toml" "${sources[@]}"
(cd "$package/python" && stubtest --concise --allowlist ../../tests/python/stubtest-allowlist.txt sessionreg)
pytest --config-file "$package/pyproject.toml" --rootdir tests/python tests/python "$@"

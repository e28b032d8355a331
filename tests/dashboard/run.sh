#!/usr/bin/env bash
# Everything that the dashboard must pass: lint, types, the server's tests, and those in a browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly config=bindings-python/pyproject.toml
bash scripts/build-python.sh
export VIRTUAL_ENV=$PWD/.venv PATH=$PWD/.venv/bin:$PATH

pip install --quiet --disable-pip-version-check \
    --requirement examples/dashboard/requirements.txt --requirement tests/dashboard/requirements.txt

readonly sources=(tests/dashboard examples/dashboard)
ruff check --quiet --config "$config" --config 'lint.per-file-ignores = {"test_*.py" = ["D103"]}' \
    "${sources[@]}"
ruff format --quiet --check --config "$config" "${sources[@]}"
mypy --config-file "$config" "${sources[@]}"
pytest --config-file "$config" --rootdir tests/dashboard tests/dashboard "$@"

#!/usr/bin/env bash
# Builds the library for every language, for use from this checkout: the C library in
# target/lib, the Python module in .venv, the Node addon in bindings-node.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --quiet --locked -p sessionreg-ffi -p sessionreg-tests

# The loader looks for the name that the library has inside.
mkdir -p target/lib
case $(uname -s) in
    Darwin) ln -sfn ../debug/libsessionreg.dylib target/lib/libsessionreg.dylib ;;
    *)
        ln -sfn ../debug/libsessionreg.so target/lib/libsessionreg.so.0
        ln -sfn libsessionreg.so.0 target/lib/libsessionreg.so
        ;;
esac

bash scripts/build-python.sh

node bindings-node/build.mjs --debug
# As if it were installed, for every script of this checkout.
mkdir -p node_modules
ln -sfn ../bindings-node node_modules/sessionreg

#!/usr/bin/env bash
# Says what is missing to build, test and try this project; one line for each, and how to get it.
set -euo pipefail

missing=0

lacks() {
    echo "missing: $1: $2"
    missing=1
}

# at_least <name> <wanted version> <how to get it>: compares with the first number that it reports.
at_least() {
    local found
    found=$("$1" --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) || found=none
    [[ $found != none && $(printf '%s\n' "$2" "$found" | sort -V | head -n 1) == "$2" ]] ||
        lacks "$1 $2 or later (found: $found)" "$3"
}

has() {
    command -v "$1" >/dev/null || lacks "$1" "$2"
}

at_least cargo 1.89 "https://rustup.rs, or: rustup update stable"
at_least python3 3.10 "https://www.python.org/downloads, or the package python3"
at_least node 20.17 "https://nodejs.org, the current LTS"
has npm "comes with Node; on Debian the package npm"
has cc "a C compiler: package gcc and libc6-dev, or: xcode-select --install"
! command -v python3 >/dev/null || python3 -c 'import ensurepip, venv' 2>/dev/null ||
    lacks "Python's venv" "on Debian the package python3-venv"

exit "$missing"

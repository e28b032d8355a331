# Two commands for everybody: `make demo` and `make test`. The rest is for maintainers.

PREFIX ?= /usr/local
DESTDIR ?=
SHELL := /bin/bash

.PHONY: help demo test doctor lint rust c python node interop dashboard platforms stress bench install clean

help:
	@echo 'make demo       three programs in three languages share the records of real processes'
	@echo 'make test       every test of every language, lint, format and drift checks'
	@echo 'make platforms  Windows under Wine, macOS and MSVC type-checked, musl, aarch64'
	@echo 'make stress     the long fault runs with full counts (4 minutes)'
	@echo 'make bench      the speed tables of docs/benchmarks.md'
	@echo 'make install    the C library, header and pkg-config file (PREFIX, DESTDIR)'

demo: doctor
	@bash examples/demo/run.sh

test: rust c python node interop dashboard
	@echo 'make test: all parts passed'

# One part after another: two builds at once only get in each other's way.
lint: doctor
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps

rust: lint
	cargo test --locked --workspace

c: rust
	@bash tests/c/run.sh

python: c
	@bash tests/python/run.sh

node: python
	@bash tests/node/run.sh

interop: node
	@bash tests/interop/run.sh

dashboard: interop
	@bash tests/dashboard/run.sh

platforms: doctor
	@bash scripts/platforms.sh

stress: doctor
	SESSIONREG_STRESS=1 cargo test --locked --release -p sessionreg-tests -- --nocapture

bench: doctor
	@bash scripts/bench.sh

install:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' bash scripts/install.sh

clean:
	cargo clean
	rm -rf .venv bindings-node/node_modules

doctor:
	@bash scripts/doctor.sh

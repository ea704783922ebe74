# What each target does is in scripts/, one file each. `make` lists the targets.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup run new-module dev stop build test test-rust e2e screenshots size bench chaos fuzz-api check check-native check-wasm fmt psql clean

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## installs what is missing for running and testing
	@scripts/setup.sh test

run: ## all of Tidewatch with demo data on http://127.0.0.1:3000, until Ctrl-C (PROGRAM=parcels: one of your own)
	@scripts/run.sh

new-module: ## writes a program with a module of your own into examples (NAME=parcel)
	@scripts/new-module.sh "$(NAME)"

dev: ## what run does, rebuilt and reloaded whenever a file changes
	@scripts/dev.sh

stop: ## ends what run or dev left behind
	@scripts/stop.sh

build: ## builds server and site into .data/dist
	@scripts/setup.sh run
	@scripts/build.sh

test: ## all tests: Rust and browser, with a database of their own
	@scripts/test.sh

test-rust: ## only the Rust tests
	@scripts/test.sh rust

e2e: ## only the browser tests
	@scripts/test.sh browser

screenshots: ## pictures of every page, wide and narrow, light and dark, into .data/screenshots
	@scripts/test.sh screens

size: ## what a browser loads, built for production: after gzip and brotli
	@scripts/size.sh

bench: ## measures Tidewatch beside its peers, about an hour (ROWS=fanout,replay RUNS=1 QUICK=1 for a quick look)
	@scripts/bench.sh

chaos: ## breaks three instances on purpose, a quarter of an hour (ONLY=kill,rolling for some faults)
	@scripts/chaos.sh

fuzz-api: ## asks every operation of the API by its OpenAPI document, seven minutes (FUZZ_SECONDS=60 for a quick look)
	@scripts/fuzz-api.sh

check: ## formatting, lints, shell scripts, directions of the dependencies, documents, metrics
	@scripts/check.sh

check-native: ## the same without the lints for the browser
	@scripts/check.sh native

check-wasm: ## only the lints for the browser
	@scripts/check.sh wasm

fmt: ## formats the Rust code
	@scripts/fmt.sh

psql: ## a session in the database of make run
	@scripts/postgres.sh psql .data/postgres

clean: ## stops everything and removes databases, logs and the built site
	@scripts/clean.sh

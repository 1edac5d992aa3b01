# What people type; `make` alone lists it. The work is done by scripts/, which say what they do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ifneq ($(firstword $(sort 3.81 $(MAKE_VERSION))),3.81)
$(error GNU make $(MAKE_VERSION) is too old: install 3.81 or newer, on macOS with `brew install make`, and call it as gmake)
endif

.PHONY: help run build test check verify web format bench audit fuzz clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build what is missing and start everything on 127.0.0.1; Ctrl-C stops it
	@scripts/install-postgres.sh && scripts/build.sh && exec bin/boxoffice-standalone up

build: ## Build bin/boxoffice and bin/boxoffice-standalone
	@scripts/build.sh

test: ## Run every test, installing what they need
	@scripts/build.sh && scripts/test.sh

check: ## Format, lint, determinism, tidiness, and that web/dist is what its source builds
	@scripts/check.sh

verify: check test ## Everything CI runs

web: ## Rebuild web/dist from web/src
	@scripts/web-packages.sh && cd web && npm run --silent build

format: ## Format the Go code
	@scripts/format.sh

bench: ## Measure purchases beside the bare engine and a naive saga, holds beside pgbench, and live streams
	@scripts/install-postgres.sh && scripts/build.sh && BOXOFFICE_BIN="$(CURDIR)/bin" go run ./bench $(BENCH)
	@go run ./bench/stock $(BENCH_STOCK)

audit: ## Check every invariant of stock and money in the database of `make run`
	@[ -x bin/boxoffice-standalone ] || scripts/build.sh
	@scripts/audit.sh

fuzz: ## Fuzz every parser of foreign input, FUZZTIME (20s) each
	@scripts/fuzz.sh

clean: ## Remove what was built; .boxoffice/ with its data stays
	rm -rf bin artefacts web/node_modules

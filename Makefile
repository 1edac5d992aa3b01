# Targets for people; see `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO      ?= go
BIN     := $(CURDIR)/bin
# The race detector where it is affordable; the rest runs without.
RACED   := ./ticketing/... ./encryption/... ./workflows/... ./activities/... ./payment/... ./config/...

.PHONY: help run build test check verify web bench audit fuzz clean tools

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build what is missing and start everything on 127.0.0.1
	@scripts/install-postgres.sh
	@exec $(BIN)/boxoffice-standalone up

build: ## Build both binaries into bin/
	@scripts/build.sh

test: build ## Run every test, installing what they need
	@scripts/test.sh

check: ## Format, lint, determinism, tidiness, and that web/dist is what its source builds
	@scripts/check.sh

verify: check test ## Everything CI runs

web: ## Rebuild web/dist from its source
	cd web && npm ci --no-fund --no-audit && npm run build

bench: build ## Measure purchases beside the bare engine and a naive saga
	@scripts/install-postgres.sh
	$(GO) run ./bench

audit: build ## Check every invariant of the running instance's database
	@scripts/audit.sh

fuzz: ## Fuzz every parser of foreign input for a short while
	@scripts/fuzz.sh

clean: ## Remove what was built; .boxoffice/ with its data stays
	rm -rf bin artefacts web/node_modules

#!/usr/bin/env bash
# Says in one line what to do when there is no Go, or one too old for this module and not allowed to fetch a newer one.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/^go //p' standalone/go.mod)
if ! command -v go >/dev/null; then
	echo "Go is missing: install Go $wanted or newer from https://go.dev/dl and put it on PATH" >&2
	exit 1
fi
if ! go -C standalone env GOMOD >/dev/null 2>&1 || ! go -C standalone version >/dev/null 2>&1; then
	echo "$(GOTOOLCHAIN=local go env GOVERSION) is too old: install Go $wanted or newer from https://go.dev/dl and put it on PATH" >&2
	exit 1
fi

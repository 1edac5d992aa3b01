#!/usr/bin/env bash
# Says in one line what to do when there is no Go, or one too old for this module that may not fetch a newer one.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/^go //p' standalone/go.mod)
advice="install Go $wanted or newer from https://go.dev/dl and put it on PATH"
if ! command -v go >/dev/null; then
	echo "Go is missing: $advice" >&2
	exit 1
fi
# Go itself compares versions best, and says what it found; older ones do not even know -C.
if ! complaint=$(cd standalone && go list -m 2>&1 >/dev/null); then
	case $complaint in
	*'requires go'* | *'invalid go version'* | *'unknown directive'* | *'download go'*) echo "Go is too old: $advice" >&2 ;;
	*) printf '%s\n' "$complaint" >&2 ;;
	esac
	exit 1
fi

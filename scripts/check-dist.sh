#!/usr/bin/env bash
# Proves that web/dist is what web/src builds, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/web-packages.sh
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
(cd web && npm run --silent build -- --outDir "$built/dist" --emptyOutDir --logLevel warn)
if ! diff -rq web/dist "$built/dist"; then
	echo "web/dist is not what web/src builds: run 'make web' and commit the result" >&2
	exit 1
fi
if command -v git >/dev/null && [ -n "$(git status --porcelain --ignored -- web/dist 2>/dev/null)" ]; then
	git status --short --ignored -- web/dist
	echo "web/dist has changes that are not committed" >&2
	[ -z "${CI:-}" ] || exit 1
fi

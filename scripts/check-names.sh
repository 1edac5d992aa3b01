#!/usr/bin/env bash
# Fails on folders whose name says nothing, and on files too long to read at once. Go and the web pages have linters for
# the latter; here are the other languages. `check-names.sh FOLDER` checks another tree.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

ours() {
	find . \( -name node_modules -o -name .git -o -name .boxoffice -o -path ./bin -o -path ./artefacts -o -path ./web/dist \) -prune -o "$@" -print
}

vague=$(ours -type d | grep -E '/(utils?|common|helpers?|managers?|shared|base|misc|internal|lib)$' || true)
vague+=$(ours -type f -name '*.go' | xargs grep -HnE '^package (utils?|common|helpers?|managers?|shared|base|misc)(_test)?$' || true)
if [ -n "$vague" ]; then
	printf 'a folder or package is named by what is in it, not:\n%s\n' "$vague" >&2
	exit 1
fi

longest=400
long=$(ours -type f \( -name '*.sh' -o -name '*.sql' -o -name '*.css' -o -name '*.html' -o -name Makefile -o -name Dockerfile \) |
	while IFS= read -r file; do
		lines=$(wc -l <"$file")
		[ "$lines" -le $longest ] || echo "$file: $lines lines"
	done)
if [ -n "$long" ]; then
	printf 'longer than %d lines:\n%s\n' $longest "$long" >&2
	exit 1
fi

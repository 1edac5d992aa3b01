#!/usr/bin/env bash
# Builds the tools that tools/go.mod pins, once per version, and prints the folder they are in.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/need-go.sh
key=$({ cat tools/go.mod tools/go.sum && go -C tools env GOVERSION; } | cksum | tr ' ' -)
folder=$PWD/bin/tools/$key
if [ ! -d "$folder" ]; then
	echo "Compiling golangci-lint and workflowcheck: the first time that takes a few minutes." >&2
	rm -rf bin/tools
	mkdir -p bin/tools
	unfinished=$(mktemp -d bin/tools/unfinished.XXXXXX)
	go -C tools build -buildvcs=false -ldflags="-s -w" -o "$PWD/$unfinished/" \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint go.temporal.io/sdk/contrib/tools/workflowcheck
	mv "$unfinished" "$folder"
fi
printf '%s\n' "$folder"

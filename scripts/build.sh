#!/usr/bin/env bash
# Builds bin/boxoffice and bin/boxoffice-standalone, saying what it is doing while it compiles.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v go >/dev/null; then
	echo "build: Go is missing: install Go $(sed -n 's/^go //p' go.mod) or newer from https://go.dev/dl and put it on PATH" >&2
	exit 1
fi
mkdir -p bin

# compile NAME FOLDER PACKAGE: builds one binary, with a sign of life every 15 s.
compile() {
	local name=$1 folder=$2 package=$3 begun=$SECONDS
	(cd "$folder" && go build -buildvcs=false -ldflags="-s -w" -o "$OLDPWD/bin/$name" "$package") &
	local compiler=$!
	trap 'kill $compiler 2>/dev/null || true' EXIT
	while kill -0 $compiler 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - begun >= 15 && (SECONDS - begun) % 15 == 0)); then
			echo "  still compiling $name ($((SECONDS - begun)) s)"
			sleep 1
		fi
	done
	trap - EXIT
	wait $compiler
}

if [ ! -x bin/boxoffice-standalone ]; then
	echo "Compiling. The first time this takes several minutes: the Temporal server is part of it."
fi
compile boxoffice . ./cmd/boxoffice
compile boxoffice-standalone standalone .

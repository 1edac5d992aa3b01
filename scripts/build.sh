#!/usr/bin/env bash
# Builds bin/boxoffice and bin/boxoffice-standalone, saying what it is doing while it compiles.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/need-go.sh
mkdir -p bin
version=$(git describe --tags --always --dirty 2>/dev/null || echo development)

# progress NAME: reads what `go build -v` says, passes on what is not the name of a package, and every ten seconds says how
# many were compiled.
progress() {
	local name=$1 line count=0 begun=$SECONDS told=$SECONDS
	while IFS= read -r line; do
		if [[ $line =~ ^[A-Za-z0-9._~/-]+$ ]]; then
			count=$((count + 1))
		else
			printf '%s\n' "$line" >&2
		fi
		if ((SECONDS - told >= 10)); then
			told=$SECONDS
			printf '  %s: %d packages compiled, %d s\n' "$name" "$count" $((SECONDS - begun))
		fi
	done
}

# compile NAME FOLDER PACKAGE: builds one binary beside the old one, which stays whole until the new one is.
compile() {
	local name=$1 folder=$2 package=$3
	go -C "$folder" build -v -buildvcs=false -ldflags="-s -w -X main.version=$version" -o "$PWD/bin/.$name" "$package" 2>&1 | progress "$name"
	mv -f "bin/.$name" "bin/$name"
}

if [ ! -x bin/boxoffice-standalone ]; then
	echo "Compiling boxoffice, and an embedded Temporal server for this machine: the first time that takes several minutes."
fi
compile boxoffice . ./cmd/boxoffice
compile boxoffice-standalone standalone .

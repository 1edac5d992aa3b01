#!/usr/bin/env bash
# Builds the mail server that tools/mailpit pins, for tests, once per version, and prints its path.
set -euo pipefail
cd "$(dirname "$0")/.."

key=$({ cat tools/mailpit/go.mod tools/mailpit/go.sum && go -C tools/mailpit env GOVERSION; } | cksum | tr ' ' -)
program=$PWD/bin/mailpit/$key/mailpit
if [ ! -x "$program" ]; then
	echo "Compiling Mailpit, a mail server for tests: the first time that takes a minute." >&2
	rm -rf bin/mailpit
	mkdir -p "$(dirname "$program")"
	go -C tools/mailpit build -buildvcs=false -ldflags="-s -w" -o "$program.new" github.com/axllent/mailpit
	mv "$program.new" "$program"
fi
printf '%s\n' "$program"

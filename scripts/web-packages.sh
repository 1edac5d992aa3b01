#!/usr/bin/env bash
# Installs the packages of the web pages as web/package-lock.json says, unless they are.
set -euo pipefail
cd "$(dirname "$0")/../web"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "Node.js with npm is missing: install Node.js 20.19 or newer from https://nodejs.org and put it on PATH" >&2
	exit 1
fi
stamp=node_modules/.installed
installed=$({ cat package-lock.json && node --version; } | cksum)
if [ "$(cat $stamp 2>/dev/null)" != "$installed" ]; then
	npm ci --no-fund --no-audit
	printf '%s\n' "$installed" >$stamp
fi

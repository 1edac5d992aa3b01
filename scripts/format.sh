#!/usr/bin/env bash
# Writes every Go file of ours as scripts/check.sh wants it.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(scripts/tools.sh)
for module in . standalone tools; do
	(cd $module && "$tools/golangci-lint" fmt --config "$OLDPWD/.golangci.yml")
done

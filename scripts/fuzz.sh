#!/usr/bin/env bash
# Fuzzes every parser of foreign input for a short while each: FUZZTIME=30s make fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need-go.sh

found=0
while IFS=: read -r file _ line; do
	name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
	echo "== ./$(dirname "$file") $name"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-20s}" "./$(dirname "$file")"
	found=$((found + 1))
done < <(grep -rnE '^func Fuzz[A-Za-z0-9_]*\(' --include='*_test.go' --exclude-dir=node_modules . | sed 's|^\./||')
echo "$found fuzz tests ran for ${FUZZTIME:-20s} each and found nothing new"

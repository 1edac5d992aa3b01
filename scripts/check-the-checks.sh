#!/usr/bin/env bash
# A check that cannot fail proves nothing. Plants violations in a copy of the tree and expects each of them to be reported.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(scripts/tools.sh)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard -- ':!standalone' ':!tools' | while IFS= read -r -d '' file; do
	[ ! -f "$file" ] || printf '%s\0' "$file"
done | tar -cf - --null -T - | tar -xf - -C "$copy"
cd "$copy"

ours=github.com/boxoffice/boxoffice
planted=()
# plant FOLDER IMPORT: a file in the folder that imports what the folder must not.
plant() {
	local name
	name=$(sed -n 's/^package \([a-z]*\)$/\1/p' "$1"/*.go | grep -v '_test$' | head -n 1)
	printf '// Package %s has a planted import.\npackage %s\n\nimport _ "%s" // planted\n' "$name" "$name" "$2" >"$1/planted.go"
	planted+=("$1/planted.go")
}
plant ticketing github.com/google/uuid
plant encryption $ours/web
plant config $ours/web
plant migrations $ours/web
plant deploy/healthcheck $ours/config
plant payment $ours/web
plant payment/gatewayclient $ours/payment
plant payment/sandbox $ours/web
plant payment/sandbox/gateway $ours/web
plant notify $ours/web
plant notify/smtp $ours/web
plant store go.temporal.io/sdk/temporal
plant store/demo $ours/web
plant store/localpostgres $ours/web
plant store/storetest $ours/web
plant activities gorm.io/gorm
plant workflows $ours/web
plant worker $ours/web
plant api go.temporal.io/sdk/temporal
plant cmd/boxoffice $ours/store/storetest

# A file that is too long.
{
	printf '// Package web has a planted file.\npackage web\n'
	for i in $(seq 410); do printf '\nvar _ = %d\n' "$i"; done
} >web/planted.go
planted+=(web/planted.go)

# A workflow that reads the clock.
cat >workflows/planted_workflow.go <<'GO'
package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// PlantedWorkflow answers differently on replay.
func PlantedWorkflow(workflow.Context) (time.Time, error) { return time.Now(), nil }
GO

missed=0
report=$("$tools/golangci-lint" run --config .golangci.yml --allow-parallel-runners --enable-only depguard,revive \
	--max-issues-per-linter 0 --max-same-issues 0 --output.text.print-issued-lines=false --output.text.colors=false ./... 2>&1 || true)
for file in "${planted[@]}"; do
	if ! grep -qE "^$file:[0-9]+:.*\((depguard|revive)\)$" <<<"$report"; then
		echo "golangci-lint does not report $file" >&2
		missed=1
	fi
done
if [ $missed -ne 0 ]; then
	printf '%s\n' "$report" | tail -n 40 >&2
fi

if "$tools/workflowcheck" ./workflows/... >workflowcheck.txt 2>&1; then
	echo "workflowcheck lets a workflow read the clock" >&2
	missed=1
elif ! grep -q 'PlantedWorkflow.*non-deterministic' workflowcheck.txt; then
	echo "workflowcheck does not name the planted workflow:" >&2
	cat workflowcheck.txt >&2
	missed=1
fi

mkdir -p store/util
if scripts/check-names.sh "$copy" 2>/dev/null; then
	echo "check-names.sh lets a package be called util" >&2
	missed=1
fi
[ $missed -eq 0 ] && echo "${#planted[@]} planted violations, a clock in a workflow and a vague name were reported"
exit $missed

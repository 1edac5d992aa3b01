#!/usr/bin/env bash
# Format, lint, determinism, tidiness, and that what is committed is what its source builds. Every check runs, even if
# one fails.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

tools=$(scripts/tools.sh)
lint=(--config "$PWD/.golangci.yml" --allow-parallel-runners)

formatted() {
	local module bad=0
	for module in . standalone tools; do
		(cd $module && "$tools/golangci-lint" fmt --config "$OLDPWD/.golangci.yml" --diff-colored=false --diff) || bad=1
	done
	[ $bad -eq 0 ] || echo "not formatted as gofumpt does: run scripts/format.sh" >&2
	return $bad
}

linted() {
	(cd "$1" && "$tools/golangci-lint" run "${lint[@]}")
}

tidy() {
	local module bad=0
	for module in . standalone tools; do
		go -C $module mod tidy -diff || bad=1
		go -C $module mod verify >/dev/null || bad=1
	done
	return $bad
}

scripts_parse() {
	local script
	for script in scripts/*.sh deploy/*.sh .ci/run; do
		bash -n "$script" || return 1
	done
}

web_checked() {
	scripts/web-packages.sh && (cd web && npm run --silent check)
}

step "names and lengths" scripts/check-names.sh
step "scripts parse" scripts_parse
step "formatted" formatted
step "go.mod is tidy" tidy
step "lint: root module" linted .
step "lint: standalone" linted standalone
step "lint: tools" linted tools
step "workflows are deterministic" "$tools/workflowcheck" ./workflows/...
step "the checks can fail" scripts/check-the-checks.sh
step "containers and imports are described as the code is" go -C tools test ./...
step "web: types and lint" web_checked
step "web/dist is what web/src builds" scripts/check-dist.sh
finish_steps "make check"

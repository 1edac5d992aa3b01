#!/usr/bin/env bash
# Every test. Installs what is missing, starts one PostgreSQL for all packages and stops it in the end. Everything runs, even
# after a failure. The tests of the whole system come last, so that the last lines are those of go test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

artefacts=$PWD/artefacts
# On a machine with many cores one database would have too many clients otherwise.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
at_once=$((cores < 4 ? cores : 4))

folder=$(mktemp -d)
postgres=
cleanup() {
	if [ -n "$postgres" ]; then
		kill "$postgres" 2>/dev/null || true
		wait "$postgres" 2>/dev/null || true
	fi
	rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# start_postgres: waits for the line with the server's URL, and exports it.
start_postgres() {
	chmod 755 "$folder" # as root, the server runs as another user
	bin/boxoffice-standalone postgres --fast --data "$folder/data" --port 0 >"$folder/url" 2>"$folder/log" &
	postgres=$!
	local tries=600
	until [ -s "$folder/url" ]; do
		tries=$((tries - 1))
		if ! kill -0 "$postgres" 2>/dev/null || [ $tries -eq 0 ]; then
			echo "PostgreSQL does not start: $(cat "$folder/log")" >&2
			return 1
		fi
		sleep 0.1
	done
	BOXOFFICE_TEST_DATABASE_URL=$(cat "$folder/url")
	export BOXOFFICE_TEST_DATABASE_URL
}

# The race detector needs a C compiler.
race=-race
if ! command -v "${CC:-cc}" >/dev/null && ! command -v gcc >/dev/null; then
	echo "No C compiler: the tests run without the race detector. Debian, Ubuntu: apt-get install gcc libc6-dev" >&2
	race=
fi

root_packages() {
	local packages
	packages=$(go list ./... | grep -vE '/(systemtest|bench)(/|$)')
	# shellcheck disable=SC2086 # a list of packages, and perhaps no -race
	go vet $packages && go test $race -p "$at_once" -timeout 15m $packages
}

standalone_packages() {
	# Lint has vetted it; vetting would read the whole Temporal server once more.
	go -C standalone test -vet=off -p "$at_once" -timeout 15m ./...
}

web_pages() {
	scripts/web-packages.sh && (cd web && npm run --silent test)
}

bench_compiles() {
	[ ! -d bench ] || go vet ./bench/...
}

scripts/install-test-tools.sh
BOXOFFICE_MAILPIT=$(scripts/mailpit.sh)
export BOXOFFICE_MAILPIT
start_postgres
step "root module${race:+, race detector on}" root_packages
step "standalone module" standalone_packages
step "web pages" web_pages
step "bench compiles" bench_compiles
begin_last_step "make test" "whole system, with a browser"

rm -rf "$artefacts"
mkdir -p "$artefacts"
echo "Screenshots and logs: $artefacts"
code=0
# The tests that run in parallel mostly wait: for a deadline, for a killed process, for a carrier.
BOXOFFICE_BIN=$PWD/bin go test -count=1 -p 1 -parallel 3 -tags mutants -timeout 20m ./systemtest/... || code=$?
if [ $code -ne 0 ]; then
	echo "Logs and screenshots are in $artefacts" >&2
	exit $code
fi
if [ "$steps_failed" -ne 0 ]; then
	echo FAIL
	exit 1
fi

#!/usr/bin/env bash
# Checks every invariant of stock and money in the database of `make run`, whether it is running or not; or in the one that
# BOXOFFICE_DATABASE_URL names, with the keys of BOXOFFICE_ENCRYPTION_KEYS.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${BOXOFFICE_DATABASE_URL:-}" ]; then
	exec bin/boxoffice audit
fi
data=${BOXOFFICE_DATA:-.boxoffice}
if [ ! -f "$data/secrets.env" ]; then
	echo "audit: there is nothing in $data yet: start the product with 'make run' first, or set BOXOFFICE_DATABASE_URL" >&2
	exit 1
fi
set -a
. "$data/secrets.env"
set +a

# Where the server's files are: in the data folder, or, when that is below a folder only root may enter, under /var/lib.
absolute=$(cd "$data" && pwd)/postgres
if [ ! -f "$absolute/password" ] && command -v sha256sum >/dev/null; then
	absolute=/var/lib/boxoffice-$(printf %s "$absolute" | sha256sum | cut -c1-12)
fi
port=${BOXOFFICE_POSTGRES_PORT:-54329}
if [ -f "$absolute/cluster/postmaster.pid" ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
	BOXOFFICE_DATABASE_URL="postgres://boxoffice:$(cat "$absolute/password")@127.0.0.1:$port/boxoffice?sslmode=disable" bin/boxoffice audit
	exit
fi

# Not running: start only the database.
answer=$(mktemp)
postgres=
trap '[ -z "$postgres" ] || { kill "$postgres" 2>/dev/null; wait "$postgres" || true; }; rm -f "$answer"' EXIT
bin/boxoffice-standalone postgres --data "$data/postgres" --port 0 >"$answer" &
postgres=$!
until [ -s "$answer" ]; do
	kill -0 "$postgres" 2>/dev/null || { postgres=; exit 1; }
	sleep 0.1
done
BOXOFFICE_DATABASE_URL=$(sed 's#/postgres?#/boxoffice?#' "$answer") bin/boxoffice audit

#!/bin/sh
# Makes sure that a PostgreSQL server, version 14 or newer, is installed: quick and silent where it is. Otherwise it
# installs the one of the system with apt where that is allowed, or says in one line what to do.
#
# Only the programs are installed. boxoffice starts a server of its own with a data folder of its own; the system's
# service and its data are neither made nor touched.
set -eu

oldest=14

# usable FOLDER: it holds a server that is new enough.
usable() {
	[ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
	version=$("$1/postgres" --version 2>/dev/null | sed -n 's/.*(PostgreSQL) \([0-9][0-9]*\).*/\1/p')
	[ -n "$version" ] && [ "$version" -ge "$oldest" ]
}

# found: the same places as store/localpostgres/binaries.go.
found() {
	if [ -n "${BOXOFFICE_POSTGRES_BIN:-}" ]; then
		usable "$BOXOFFICE_POSTGRES_BIN"
		return
	fi
	if initdb=$(command -v initdb) && initdb=$(readlink -f "$initdb") && usable "${initdb%/*}"; then
		return 0
	fi
	for folder in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
		/Library/PostgreSQL/*/bin /usr/pgsql-*/bin; do
		if usable "$folder"; then
			return 0
		fi
	done
	return 1
}

fail() {
	echo "install-postgres: $1" >&2
	exit 1
}

if found; then
	exit 0
fi
if [ -n "${BOXOFFICE_POSTGRES_BIN:-}" ]; then
	fail "BOXOFFICE_POSTGRES_BIN=$BOXOFFICE_POSTGRES_BIN holds no PostgreSQL server, version $oldest or newer: correct or unset it"
fi

by_hand="install a PostgreSQL server, version $oldest or newer (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17; Fedora: dnf install postgresql-server postgresql-contrib)"
if ! command -v apt-get >/dev/null; then
	fail "no PostgreSQL server was found: $by_hand"
fi
if [ "$(id -u)" -eq 0 ]; then
	as_root=env
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root="sudo env"
else
	fail "no PostgreSQL server was found, and installing it takes root: sudo $0, or $by_hand"
fi

echo "install-postgres: installing PostgreSQL with apt-get"
$as_root mkdir -p /etc/postgresql-common/createcluster.d
settings=/etc/postgresql-common/createcluster.d/boxoffice.conf
if [ ! -e "$settings" ]; then
	# Debian would otherwise make and start a server of its own on port 5432.
	echo 'create_main_cluster = false' | $as_root tee "$settings" >/dev/null
fi
$as_root DEBIAN_FRONTEND=noninteractive apt-get update -q
$as_root DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
found || fail "apt-get has installed no PostgreSQL server, version $oldest or newer: $by_hand"

#!/bin/sh
# Brings the schema of Temporal's two databases up to the server's version. Does nothing where it is.
set -eu
for name in temporal visibility; do
	case $name in
	temporal) export SQL_DATABASE=temporal ;;
	visibility) export SQL_DATABASE=temporal_visibility ;;
	esac
	temporal-sql-tool create-database --defaultdb postgres
	temporal-sql-tool setup-schema --version 0.0
	temporal-sql-tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$name/versioned"
done

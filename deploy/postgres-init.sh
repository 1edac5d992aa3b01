#!/bin/sh
# Runs once, when the volume is new: a user for Temporal, who may create databases and touches none of the product's.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$TEMPORAL_POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'password';
REVOKE CONNECT ON DATABASE boxoffice FROM PUBLIC;
SQL

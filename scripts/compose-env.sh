#!/usr/bin/env bash
# Prints the settings docker-compose.yml needs, with fresh secrets: scripts/compose-env.sh > .env
# deploy/example.env says what each is for.
set -euo pipefail

hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
key() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

cat <<ENV
# Made by scripts/compose-env.sh. The data in the volumes cannot be read without it.
POSTGRES_PASSWORD=$(hex 24)
TEMPORAL_POSTGRES_PASSWORD=$(hex 24)
BOXOFFICE_ENCRYPTION_KEYS=k1:$(key)
BOXOFFICE_SANDBOX_MERCHANT=M$(hex 6 | tr a-f A-F)
BOXOFFICE_SANDBOX_KEY=$(hex 32)
BOXOFFICE_SANDBOX_CALLBACK_KEY=$(hex 32)
BOXOFFICE_CODEC_TOKEN=$(hex 24)
ENV

#!/bin/sh
# Waits until the server answers, then makes sure that the product's namespace exists.
set -eu
namespace=${BOXOFFICE_TEMPORAL_NAMESPACE:-default}
tries=60
until temporal operator cluster health >/dev/null 2>&1; do
	tries=$((tries - 1))
	if [ $tries -eq 0 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS does not become healthy" >&2
		exit 1
	fi
	sleep 1
done
temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
	temporal operator namespace create --namespace "$namespace" --retention 72h

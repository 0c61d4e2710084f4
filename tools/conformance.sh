#!/bin/sh
# Runs OCI's conformance program against `slipway registry serve`, on disk and in memory, after a build:
#   tools/conformance.sh PROGRAM
# PROGRAM comes of `go build` (Go 1.24) in the folder conformance of github.com/opencontainers/distribution-spec.
# Reports go below .cache/conformance. Fails where a test fails.
set -eu
program=${1:?usage: tools/conformance.sh PROGRAM}
reports=.cache/conformance
work=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

for storage in "--storage $work/registry" --memory; do
  for version in 1.1 dev; do
    # shellcheck disable=SC2086 # a flag and its value
    bin/slipway registry serve $storage --sparse --port 0 > "$work/address" &
    server=$!
    for _ in $(seq 100); do
      [ -s "$work/address" ] && break
      sleep 0.1
    done
    OCI_REGISTRY=$(sed -n 's|.*http://||p' "$work/address")
    OCI_VERSION=$version
    OCI_RESULTS_DIR=$PWD/$reports/$version$(printf '%s' "$storage" | sed 's/ .*//')
    OCI_TLS=disabled
    export OCI_REGISTRY OCI_VERSION OCI_RESULTS_DIR OCI_TLS
    if [ "$version" = dev ]; then
      OCI_DATA_SPARSE=true OCI_API_BLOBS_UPLOAD_CANCEL=true
      export OCI_DATA_SPARSE OCI_API_BLOBS_UPLOAD_CANCEL
    else
      unset OCI_DATA_SPARSE OCI_API_BLOBS_UPLOAD_CANCEL
    fi
    mkdir -p "$OCI_RESULTS_DIR"
    failed=0
    (cd "$work" && "$program") > "$OCI_RESULTS_DIR/report.txt" 2>&1 || failed=1
    printf '%s, version %s:\n' "${storage%% *}" "$version"
    sed -n '/^OCI Conformance Result/,/^ *Total/p' "$OCI_RESULTS_DIR/report.txt"
    kill "$server"
    wait "$server" || true
    server=
    : > "$work/address"
    [ "$failed" = 0 ] || exit 1
  done
done

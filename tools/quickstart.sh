#!/bin/sh
# `make quickstart`: builds examples/quickstart, pushes it to a registry, pulls it back and looks at its layers.
# Everything goes into a folder that is removed at the end, and the registry stops with it.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d "${TMPDIR:-/tmp}/slipway-quickstart.XXXXXX")
server=
finish() {
  status=$?
  trap - EXIT INT TERM HUP
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  bin/slipway prune --all --force >/dev/null 2>&1 || true
  rm -rf "$work" || true
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# A store of its own, so that what is yours stays as it is.
SLIPWAY_ROOT=$work/store
export SLIPWAY_ROOT

run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

run node tools/make-busybox-layout.ts "$work/busybox"

printf '\n$ bin/slipway registry serve --storage %s --addr 127.0.0.1:0 &\n' "$work/registry"
bin/slipway registry serve --storage "$work/registry" --addr 127.0.0.1:0 > "$work/serve.out" 2>&1 &
server=$!
address=
for _ in $(seq 100); do
  address=$(sed -n 's|.*\(127\.0\.0\.1:[0-9][0-9]*\).*|\1|p' "$work/serve.out" | head -n 1)
  [ -n "$address" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$address" ]; then
  echo 'The registry did not start:' >&2
  cat "$work/serve.out" >&2
  exit 1
fi
echo "The registry listens on $address."
image=$address/quickstart

run bin/slipway build --build-context "busybox=oci-layout://$work/busybox" -t "$image" examples/quickstart
run bin/slipway push "$image"
run bin/slipway rmi "$image"
run bin/slipway pull "$image"
run bin/slipway images
run bin/slipway layers "$image"
printf '\nDone: %s was built, pushed, pulled back and looked into.\n' "$image"

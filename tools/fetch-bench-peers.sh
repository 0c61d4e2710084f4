#!/bin/sh
# Fetches the builders of a newer Debian that the benchmarks compare with, and installs none: tools/fetch-bench-peers.sh FOLDER
#   FOLDER/root       a Debian with them in it, 800 MB, which the benchmarks enter in name spaces of its own
#   FOLDER/buildkit   BuildKit, which Debian does not package: built from its source with all that it vendors, where BUILDKIT_SOURCE
#                     says where that is (BUILDKIT_VERSION where git does not know what it is), by the Go of PATH or, if that is missing, by a newer Debian's
# Does nothing where they are there. Needs root and mmdebstrap.
set -eu
folder=${1:?usage: [BUILDKIT_SOURCE=FOLDER [BUILDKIT_VERSION=TEXT]] fetch-bench-peers.sh FOLDER}
source=${BUILDKIT_SOURCE:-}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
base=dash,coreutils,findutils,mount,util-linux,libc-bin,tar,gzip,pigz,isal,zstd,curl,ca-certificates,git,iproute2,iptables
wanted=buildah,podman,skopeo,umoci,docker.io,docker-cli,docker-buildx,containerd,runc,golang-github-containers-common

# A Debian in which packages are unpacked and not set up: PACKAGES SUITE FOLDER
unpack() {
  mmdebstrap --quiet --variant=extract --include="$1" "$2" "$3"
  # What the packages would do when they are set up, as far as these programs need it.
  for each in bin sbin lib lib64; do [ -e "$3/$each" ] || ln -s "usr/$each" "$3/$each"; done
  mkdir -p "$3/proc" "$3/sys" "$3/dev" "$3/run" "$3/tmp" "$3/root" "$3/old"
  printf 'root:x:0:0:root:/root:/bin/sh\n' > "$3/etc/passwd"
  printf 'root:x:0:\ndocker:x:999:\n' > "$3/etc/group"
}

if [ "$(cat "$folder/complete" 2>/dev/null || true)" != "$wanted" ]; then
  rm -rf "$folder/root" "$folder/complete"
  unpack "$base,$wanted" trixie "$folder/root"
  printf '%s\n' "$wanted" > "$folder/complete"
fi

if [ -n "$source" ] && [ ! -x "$folder/buildkit/buildkitd" ]; then
  if command -v go >/dev/null 2>&1; then
    go=$(command -v go)
  else
    [ -d "$folder/go" ] || unpack golang-go sid "$folder/go"
    GOROOT=$(echo "$folder"/go/usr/lib/go-1.*)
    export GOROOT
    go=$GOROOT/bin/go
  fi
  mkdir -p "$folder/buildkit"
  version=${BUILDKIT_VERSION:-$(git -C "$source" describe --tags --always 2>/dev/null || echo unknown)}
  (cd "$source" && CGO_ENABLED=0 GOFLAGS=-mod=vendor GOTOOLCHAIN=local GOCACHE="$folder/go-cache" "$go" build \
    -ldflags "-X github.com/moby/buildkit/version.Version=$version" \
    -o "$folder/buildkit/" ./cmd/buildkitd ./cmd/buildctl)
  rm -rf "$folder/go" "$folder/go-cache"
fi

#!/bin/sh
# Makes what the end-to-end tests build on, from Debian's packages alone:
#   FOLDER/base.tar   a minimal Debian root file system, about 170 MB
#   FOLDER/debs/      nodejs and what it needs beyond that base
# Does nothing where both are there. Needs root and mmdebstrap.
set -eu
folder=${1:?usage: make-debian-base.sh FOLDER [SUITE]}
suite=${2:-bookworm}
[ -f "$folder/complete" ] && exit 0
mkdir -p "$folder"
work=$(mktemp -d "$folder/work.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

mmdebstrap --quiet --variant=minbase --include=ca-certificates "$suite" "$work/base.tar"

# What apt would add to that base: it is told of the base's packages instead of this machine's.
mkdir -p "$work/debs/partial" "$work/state/lists/partial" "$work/dpkg"
tar -xOf "$work/base.tar" ./var/lib/dpkg/status > "$work/dpkg/status"
apt-get -qq -o Debug::NoLocking=1 -o Dir::State::status="$work/dpkg/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root \
  install --yes --download-only --no-install-recommends nodejs
rm -rf "$work/debs/partial" "$work/debs/lock"

rm -rf "$folder/debs"
mv "$work/debs" "$folder/debs"
mv "$work/base.tar" "$folder/base.tar"
touch "$folder/complete"

#!/bin/sh
# Fetches programs that the tests compare with, newer than this Debian has: tools/fetch-newer-peers.sh FOLDER
# They are unpacked below FOLDER/root and not installed. Does nothing where they are there; without Debian or a network it says
# so and succeeds: the tests that need them skip themselves with a word.
set -eu
folder=${1:?usage: fetch-newer-peers.sh FOLDER}
wanted='crane/sid oras/trixie amazon-ecr-credential-helper/trixie'

[ "$(cat "$folder/complete" 2>/dev/null || true)" = "$wanted" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
  echo "Not a Debian system; tests with these programs are skipped: $wanted" >&2
  exit 0
fi
rm -rf "$folder"
mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial" "$folder/root"
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  sed -n 's/^URIs: *\(http[^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\) .*/\2/p' | head -n 1)
printf 'deb %s trixie main\ndeb %s sid main\n' "${mirror:=http://deb.debian.org/debian}" "$mirror" > "$folder/sources.list"
here=$(cd "$folder" && pwd)
apt="-qq -o Dir::Etc::sourcelist=$here/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State=$here/state
  -o Dir::Cache=$here/cache -o Acquire::Languages=none -o APT::Sandbox::User="
# shellcheck disable=SC2086 # options and names are words
if ! (apt-get $apt update && cd "$here/cache" && apt-get $apt download $wanted) >"$folder/log" 2>&1; then
  echo "Cannot fetch; tests with these programs are skipped: $wanted" >&2
  exit 0
fi
for package in "$here"/cache/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
rm -rf "$folder/state" "$folder/cache" "$folder/sources.list"
printf '%s\n' "$wanted" > "$folder/complete"

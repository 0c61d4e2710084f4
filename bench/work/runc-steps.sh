#!/bin/sh
# What steps cost without a builder: COUNT containers one after the other, each on an overlay over what the ones before it changed.
# runc-steps.sh FOLDER COUNT; FOLDER holds lower/ and bundle/config.json, whose root is FOLDER/merged.
set -eu
folder=$1 count=$2
rm -rf "$folder/uppers" "$folder/work"
mkdir -p "$folder/uppers" "$folder/work" "$folder/merged"
lowers=$folder/lower
at=0
while [ "$at" -lt "$count" ]; do
  mkdir "$folder/uppers/$at" "$folder/work/$at"
  mount -t overlay overlay -o "lowerdir=$lowers,upperdir=$folder/uppers/$at,workdir=$folder/work/$at" "$folder/merged"
  runc run --bundle "$folder/bundle" "slipway-bench-$$-$at" </dev/null || { umount "$folder/merged"; exit 1; }
  umount "$folder/merged"
  # Mount options have a page at most; more layers than these change nothing of what a step costs.
  [ "$at" -ge 8 ] || lowers=$folder/uppers/$at:$lowers
  at=$((at + 1))
done

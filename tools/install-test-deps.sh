#!/bin/sh
# Installs the Debian packages that the tests use and that are missing: tools/install-test-deps.sh [PACKAGE…]
# Only root can; without root it says what is missing and succeeds: the tests that need it skip themselves with a word.
set -eu

packages=${*:-runc git uidmap netavark iptables iproute2 slirp4netns passt openssh-client openssh-server busybox-static skopeo umoci podman buildah docker-registry mmdebstrap golang-github-containers-common attr libcap2-bin procps xz-utils bzip2 chromium}

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
  echo "Not a Debian system; the tests use these packages where they are there: $packages" >&2
  exit 0
fi

missing=
for package in $packages; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "Not root, so these packages stay missing, and what needs them is skipped:$missing" >&2
  exit 0
fi

echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Neither services that packages would start, nor questions they would ask.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT INT TERM
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod +x "$policy"
fi
apt-get -qq update
# shellcheck disable=SC2086 # one word a package
apt-get -qq install --yes --no-install-recommends $missing

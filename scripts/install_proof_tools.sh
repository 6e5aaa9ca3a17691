#!/usr/bin/env bash
# Installs the programs that `make proof` needs, where it can: as root, with apt-get. Only what is missing.
# It never fails: what it could not install, the tests name when they skip (with CI set: when they fail).
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
say() { printf 'proof: %s\n' "$1"; }

packages=()
command -v dockerd >/dev/null || packages+=(docker.io)
# The program goes into an image without a libc, so it must be static. `ldd` fails for a static program.
if ! command -v busybox >/dev/null || ldd "$(command -v busybox)" >/dev/null 2>&1; then packages+=(busybox-static); fi
command -v nsenter >/dev/null || packages+=(util-linux)
command -v openssl >/dev/null || packages+=(openssl)
# Debian's own browser; Ubuntu's package of the same name is a snap, which does not run where this does.
if ! command -v chromium >/dev/null && grep -qs '^ID=debian' /etc/os-release; then packages+=(chromium); fi
# Without a Japanese font every Japanese page is boxes.
if ! command -v fc-list >/dev/null; then packages+=(fontconfig fonts-ipafont-gothic); fi
if command -v fc-list >/dev/null && [[ -z "$(fc-list :lang=ja)" ]]; then packages+=(fonts-ipafont-gothic); fi

if [[ ${#packages[@]} == 0 && -x "$(command -v docker)" ]]; then exit 0; fi
if [[ $EUID != 0 ]]; then
  say "not root, so nothing is installed"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  say "there is no apt-get here, so nothing is installed"
  exit 0
fi

# Packages start their services. This tier starts a daemon of its own, in private namespaces, so none is wanted.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

say "updating the list of packages"
apt-get update -qq || say "apt-get could not update its lists; trying with the old ones"
# Some releases have the client in a package of its own, which docker.io only recommends.
if ! command -v docker >/dev/null && [[ -n "$(apt-cache madison docker-cli)" ]]; then packages+=(docker-cli); fi
if [[ ${#packages[@]} == 0 ]]; then
  say "there is a dockerd but no docker, and no package docker-cli: install Docker's client"
  exit 0
fi
say "installing ${packages[*]} with apt-get, without starting services"
log="$(mktemp)"
if ! apt-get install -y -qq --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "${packages[@]}" \
  >"$log" 2>&1; then
  cat "$log" >&2
  say "apt-get could not install ${packages[*]}"
fi
rm -f "$log"

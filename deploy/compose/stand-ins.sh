#!/usr/bin/env bash
# Makes images that stand in for the lab's bases, from Debian's packages, for machines that reach a Debian mirror but no
# registry. It needs root, debootstrap and Docker. What it prints makes docker-compose use them:
#
#   eval "$(./stand-ins.sh)"         for all of them
#   eval "$(./stand-ins.sh debian)"  for Debian alone
#
# The images stay on the engine, and Debian itself in a file, so that only the first time takes minutes:
#
#   ./stand-ins.sh --remove    removes both
#
# MIRROR names another mirror than Debian's own.
set -euo pipefail

suite=bookworm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/berth/stand-ins
tar=$cache/$suite-$(dpkg --print-architecture).tar
debian=berth-stand-in/debian:12-slim
redis=berth-stand-in/redis:7
haproxy=berth-stand-in/haproxy:2.6

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

make_debian_tar() {
  local scratch
  echo "Debian $suite by debootstrap, which takes a minute or two ..." >&2
  mkdir -p "$cache"
  scratch=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$scratch/root" ${MIRROR:+"$MIRROR"} >"$scratch/log" 2>&1 || {
    tail -n 20 "$scratch/log" >&2
    exit 1
  }
  # Deleting through a mount that debootstrap has left would reach this machine's own files.
  if grep -q " $scratch" /proc/mounts; then
    echo "debootstrap has left mounts in $scratch" >&2
    exit 1
  fi
  rm -rf "$scratch"/root/var/cache/apt/archives/*.deb "$scratch"/root/var/lib/apt/lists/*
  tar -C "$scratch/root" -cf "$tar.new" .
  mv "$tar.new" "$tar"
  rm -rf "$scratch"
}

make_debian() {
  if has_image "$debian"; then return; fi
  if [ ! -e "$tar" ]; then make_debian_tar; fi
  docker import --change 'CMD ["bash"]' "$tar" "$debian" >/dev/null
}

# make_from_package IMAGE PACKAGE USER: Debian with one more package, which starts as the public image does.
make_from_package() {
  if has_image "$1"; then return; fi
  echo "$1 from Debian's package $2 ..." >&2
  docker build --quiet --tag "$1" - >/dev/null <<END
FROM $debian
RUN apt-get update && apt-get install -y --no-install-recommends $2 && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /data && chown $3: /data
USER $3
END
}

if [ "${1:-}" = --remove ]; then
  for image in "$redis" "$haproxy" "$debian"; do
    if has_image "$image"; then docker image rm "$image" >/dev/null; fi
  done
  rm -f "$tar"
  exit
fi
make_debian
if [ "${1:-}" = debian ]; then
  echo "export DEBIAN_IMAGE=$debian"
  exit
fi
make_from_package "$redis" redis-server redis
make_from_package "$haproxy" haproxy haproxy
echo "export DEBIAN_IMAGE=$debian REDIS_IMAGE=$redis HAPROXY_IMAGE=$haproxy"

#!/bin/sh
# Installs Berth where there are no Debian packages, from the archives that lie beside this script. Nothing is fetched.
#
#   sudo sh install.sh berth-agent              a host
#   sudo sh install.sh berth                    a control plane, and the command berth
#   sudo sh install.sh --uninstall berth-agent  leaves settings and what the program knew
#   sudo sh install.sh --purge berth-agent      leaves nothing
#
# Once more with newer archives is an upgrade: a service that runs is restarted, and containers run on. It needs glibc 2.28
# and, for the service, systemd.
set -eu

bin=/usr/local/bin
units=/etc/systemd/system

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

main() {
  action=install
  case ${1:-} in
    --uninstall) action=uninstall && shift ;;
    --purge) action=purge && shift ;;
  esac
  program=${1:-}
  case $program in
    berth) state=control-plane settings=control-plane.env ;;
    berth-agent) state=agent settings=agent.env ;;
    *) fail 'say what: berth-agent for a host, berth for a control plane.' ;;
  esac
  [ "$(id -u)" -eq 0 ] || fail 'only root can do this.'
  if [ -e "/usr/bin/$program" ]; then fail "$program is installed here as a package: use the package manager."; fi
  if [ "$action" = install ]; then install_program; else uninstall; fi
}

has_systemd() { [ -d /run/systemd/system ]; }

install_program() {
  here=$(cd "$(dirname "$0")" && pwd)
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) fail "there is no archive for $(uname -m)." ;;
  esac
  archive=$(cd "$here" && find . -maxdepth 1 -name "$program-[0-9]*-linux-$machine.tar.gz" | sed 's|^\./||')
  case $archive in
    '') fail "there is no $program-VERSION-linux-$machine.tar.gz in $here." ;;
    *' '* | *'
'*) fail "there is more than one $program archive in $here: keep one." ;;
  esac
  expected=$(grep "  $archive\$" "$here/SHA256SUMS" 2>/dev/null) || fail "$archive is not in $here/SHA256SUMS."
  (cd "$here" && echo "$expected" | sha256sum --check --status) || fail "$archive is damaged: its checksum is another."

  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  tar -xzf "$here/$archive" -C "$scratch" --strip-components=1 --no-same-owner
  "$scratch/$program" --version >/dev/null || fail "$program does not run on this machine."

  is_new=yes
  if [ -e "$bin/$program" ]; then is_new=; fi
  if [ "$program" = berth ] && ! getent passwd berth >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/berth/control-plane --no-create-home --shell /usr/sbin/nologin berth
  fi
  # Beside its place first: a program that runs keeps its file, and a start finds a whole one.
  mkdir -p "$bin"
  cp "$scratch/$program" "$bin/$program.new"
  chmod 0755 "$bin/$program.new"
  mv "$bin/$program.new" "$bin/$program"
  mkdir -p "/usr/local/share/doc/$program"
  cp "$scratch/copyright" "/usr/local/share/doc/$program/copyright"
  mkdir -p /etc/berth
  if [ ! -e "/etc/berth/$settings" ]; then
    cp "$scratch/$settings" "/etc/berth/$settings"
    chmod 0600 "/etc/berth/$settings"
    if [ "$program" = berth ]; then
      chgrp berth "/etc/berth/$settings"
      chmod 0640 "/etc/berth/$settings"
    fi
  fi
  mkdir -p "$units"
  sed "s|=/usr/bin/$program|=$bin/$program|" "$scratch/$program.service" >"$units/$program.service"
  if has_systemd; then
    systemctl daemon-reload
    if [ -n "$is_new" ]; then
      systemctl --quiet enable "$program.service"
      # Waits for "berth-agent join", unless its settings are here already.
      if [ "$program" = berth-agent ]; then systemctl start "$program.service"; fi
    else
      systemctl try-restart "$program.service"
    fi
  fi
  echo "Installed: $("$bin/$program" --version)"
}

uninstall() {
  if has_systemd && [ -e "$units/$program.service" ]; then
    systemctl stop "$program.service"
    systemctl --quiet disable "$program.service"
  fi
  rm -f "$units/$program.service" "$bin/$program"
  rm -rf "/usr/local/share/doc/$program"
  rmdir /usr/local/share/doc 2>/dev/null || true
  if has_systemd; then
    systemctl daemon-reload
    systemctl reset-failed "$program.service" 2>/dev/null || true
  fi
  if [ "$action" = purge ]; then
    rm -rf "/etc/berth/$settings" "/var/lib/berth/$state" "$units/$program.service.d"
    rmdir /etc/berth /var/lib/berth 2>/dev/null || true
    if [ "$program" = berth ] && getent passwd berth >/dev/null; then userdel berth; fi
  fi
}

main "$@"

# Installs packages of the distribution without letting them start services. Sourced, never run.

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# Put here by the set-up of Berth while it installs packages; may be removed.'

can_install_packages() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

# install_packages NAME...: one `apt-get update`, one install, nothing recommended, nothing started.
install_packages() {
  forbid_service_starts
  trap allow_service_starts EXIT
  trap 'exit 130' INT TERM HUP
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update
  apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install "$@"
}

# Berth runs a Redis of its own, and starts Docker its own way: a package that starts its service now would only
# be in the way, or fail where there is no systemd. A policy that somebody else has put there is left alone.
forbid_service_starts() {
  if [ -e "$POLICY" ] && ! grep -qsF "$POLICY_MARK" "$POLICY"; then return; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
  chmod 755 "$POLICY"
}

allow_service_starts() {
  if grep -qsF "$POLICY_MARK" "$POLICY"; then rm -f "$POLICY"; fi
}

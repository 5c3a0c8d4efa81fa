#!/usr/bin/env bash
# Brings a machine to where Berth runs: `bash scripts/setup.sh [toolchain|run|test]`.
#
#   toolchain   Node 24, pnpm and the dependencies: what building and checking need
#   run         and Redis and a Docker engine that answers: what `berth up` needs (the default)
#   test        and the AWS CLI, busybox, iproute2, iptables and libfaketime: what the end-to-end tests need
#
# Does only what is missing; says nothing when nothing is. What it may not do itself it names in one message.
set -euo pipefail

BERTH_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PATH="$PATH:/usr/sbin:/sbin"
PURPOSE=${1:-run}
mkdir -p "$BERTH_ROOT/.berth"

. "$BERTH_ROOT/scripts/setup/progress.sh"
. "$BERTH_ROOT/scripts/setup/toolchain.sh"
. "$BERTH_ROOT/scripts/setup/debian-packages.sh"
. "$BERTH_ROOT/scripts/setup/docker-engine.sh"

main() {
  case $PURPOSE in
    toolchain | run | test) ;;
    *) fail "setup.sh knows toolchain, run and test, not \"$PURPOSE\"." ;;
  esac
  take_turns
  : >"$SETUP_LOG"
  if [ "$PURPOSE" != toolchain ]; then setup_machine; fi
  setup_toolchain
}

# Two set-ups at once (`npm start` here, `npm test` there) would step on each other.
take_turns() {
  command -v flock >/dev/null || return 0
  exec 9>"$BERTH_ROOT/.berth/setup.lock"
  flock -n 9 && return 0
  echo '==> Waiting for another set-up to finish ...'
  flock 9
}

setup_machine() {
  local packages=() refusals=() engine=0
  command -v redis-server >/dev/null || packages+=(redis-server)
  if [ "$PURPOSE" = test ]; then
    aws_works || packages+=(awscli)
    busybox_is_static || packages+=(busybox-static)
    command -v ip >/dev/null && command -v tc >/dev/null || packages+=(iproute2)
    command -v iptables >/dev/null || packages+=(iptables)
    # Machines of the fault tests, which only root can make.
    if [ "$(id -u)" -eq 0 ]; then
      command -v mke2fs >/dev/null || packages+=(e2fsprogs)
      has_libfaketime || packages+=(libfaketime)
    fi
  fi
  docker_answers || engine=$?
  if [ "$engine" -ne 0 ]; then
    if [ "$engine" -eq 2 ]; then
      refusals+=("This user may not speak to the Docker engine: sudo usermod -aG docker $(id -un), then log in again.")
    elif [ -n "${DOCKER_HOST:-}" ]; then
      refusals+=("No Docker engine answers at DOCKER_HOST=$DOCKER_HOST: start it there, or unset DOCKER_HOST.")
    elif ! command -v dockerd >/dev/null; then
      packages+=(docker.io iptables ca-certificates)
    elif [ "$(id -u)" -ne 0 ]; then
      refusals+=('Docker is installed but not running: sudo systemctl start docker')
    fi
  fi
  if [ "${#packages[@]}" -gt 0 ] && ! can_install_packages; then
    refusals=("$(how_to_install "${packages[@]}")" ${refusals[@]+"${refusals[@]}"})
  fi
  if [ "${#refusals[@]}" -gt 0 ]; then
    fail 'Berth cannot finish its set-up on this machine by itself. What is missing:' '' "${refusals[@]/#/  - }" '' \
      'Then run the same command again.'
  fi
  if [ "${#packages[@]}" -gt 0 ]; then
    step "Installing from the distribution's packages: ${packages[*]}" install_packages "${packages[@]}"
    case " ${packages[*]} " in *' docker.io '*) keep_tasks_over_engine_restarts ;; esac
  fi
  if [ "$engine" -ne 0 ]; then step 'Starting the Docker engine' start_docker_engine; fi
}

# A shim of a version manager may be on the path with nothing behind it; Debian's own is not, and asking it is slow.
aws_works() { [ -x /usr/bin/aws ] || aws --version >/dev/null 2>&1; }

has_libfaketime() {
  compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || [ -e /usr/lib64/faketime/libfaketime.so.1 ]
}

# The tests' images hold nothing else, so a busybox that needs libraries would not start in them.
busybox_is_static() { command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1; }

how_to_install() {
  local reason='this is not a Debian or Ubuntu machine'
  if [ "$(id -u)" -ne 0 ]; then reason='only root may install packages'; fi
  printf 'Not installed, and not installable from here (%s):\n' "$reason"
  local package
  for package in "$@"; do
    case $package in
      redis-server) echo '      Redis 7 (redis-server)' ;;
      docker.io) echo '      Docker Engine 20.10 or later (dockerd)' ;;
      awscli) echo '      the AWS CLI (aws), for the end-to-end tests' ;;
      iproute2 | iptables) echo "      $package, for the tests on hosts in network namespaces" ;;
      e2fsprogs | libfaketime) echo "      $package, for the fault tests" ;;
      busybox-static) echo '      a static busybox, for the images of the tests' ;;
    esac
  done
  printf '    On Debian and Ubuntu: sudo apt-get update && sudo apt-get install --no-install-recommends %s\n' "$*"
  printf '    Elsewhere: the packages of the same programs, or https://docs.docker.com/engine/install/ and https://redis.io/docs/install'
}

# Under systemd the engine reads its settings from a file; without live-restore a restart of it ends every task.
# Only for an engine that was installed just now, and only where nobody has written settings.
keep_tasks_over_engine_restarts() {
  if has_systemd && [ ! -e /etc/docker/daemon.json ]; then
    mkdir -p /etc/docker
    echo '{ "live-restore": true }' >/etc/docker/daemon.json
  fi
}

main

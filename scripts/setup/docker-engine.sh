# Finds, and where it may, starts the Docker engine. Sourced, never run.

DOCKER_ENGINE_LOG=/var/log/dockerd.log

has_systemd() { [ -d /run/systemd/system ]; }

# 0 when an engine answers, 2 when one refuses this user, 1 otherwise.
docker_answers() { node "$BERTH_ROOT/scripts/setup/docker-answers.mjs"; }

# start_docker_engine: starts the engine of this machine and waits until it answers.
start_docker_engine() {
  if has_systemd; then
    systemctl start docker
  else
    start_dockerd_by_hand
  fi
  wait_for_docker
}

start_dockerd_by_hand() {
  local live_restore=--live-restore
  # dockerd refuses a setting that stands both in its file and on its command line.
  if grep -qs '"live-restore"' /etc/docker/daemon.json; then live_restore=; fi
  # Where /run outlives a restart of the machine, an old pid may by now belong to somebody else.
  forget_stale_pid /var/run/docker.pid dockerd
  forget_stale_pid /var/run/docker/containerd/containerd.pid containerd
  # All inherited descriptors but the standard three are closed: the engine outlives this script and its lock.
  setsid dockerd $live_restore >>"$DOCKER_ENGINE_LOG" 2>&1 </dev/null 9>&- &
  DOCKERD_PID=$!
}

forget_stale_pid() {
  local file=$1 program=$2 pid
  [ -f "$file" ] || return 0
  pid=$(cat "$file")
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$program" ]; then rm -f "$file"; fi
}

wait_for_docker() {
  local tries=0
  until docker_answers; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ] || { [ -n "${DOCKERD_PID:-}" ] && ! kill -0 "$DOCKERD_PID" 2>/dev/null; }; then
      echo "The Docker engine did not come up. The end of its log:"
      if has_systemd; then journalctl --no-pager -u docker -n 25; else tail -n 25 "$DOCKER_ENGINE_LOG"; fi
      return 1
    fi
    sleep 0.5
  done
}

#!/bin/bash
# A host's start: its Docker engine, the images that it is given, its agent. Ends when either of the two ends, so that
# the container is started again.
set -euo pipefail

# Docker's name server knows the containers of a service as PROJECT_agent_N or PROJECT-agent-N.
name=$(getent -s hosts:dns hosts "$(hostname -i)" | sed -nE 's/.*[_-](agent[_-][0-9]+)\..*/\1/p' | tr _ - || true)
name=${name:-$(hostname)}
number=${name##*-}

# Docker shows /proc/sys for reading; an engine inside has to write there.
mount -o remount,rw /proc/sys

# Tasks are within the container's own cgroup, and go with it. Where there is only one hierarchy, a group that has
# processes may have no groups below it.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  cgroup=/berth-lab-$(hostname)
else
  cgroup=$(sed -n 's/^[0-9]*:memory:\(.*\)$/\1/p' /proc/self/cgroup)/berth
fi

# The container's log is the agent's.
dockerd --live-restore --cgroup-parent "$cgroup" --userland-proxy=false >/var/log/dockerd.log 2>&1 &
engine=$!
agent=
# As when a machine is shut down: the agent first, which leaves its containers alone, then these, then the engine.
stop() {
  if [ -n "$agent" ]; then
    kill -TERM "$agent" 2>/dev/null || true
    wait "$agent" || true
  fi
  docker ps --quiet | timeout 40 xargs --no-run-if-empty docker stop --time 30 >/dev/null || true
  kill -TERM "$engine" 2>/dev/null || true
  wait "$engine" || true
  find "/sys/fs/cgroup$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
  exit 0
}
trap stop TERM INT

until docker version >/dev/null 2>&1; do
  kill -0 "$engine" || { tail -n 20 /var/log/dockerd.log >&2; exit 1; }
  sleep 0.2
done
load-images

# The token is needed once. After that the host has a certificate.
BERTH_TOKEN=$(cat /door/token)
export BERTH_TOKEN
export ECS_INSTANCE_ATTRIBUTES="{\"berth.host\": \"$name\"}"
# Hosts take turns in three zones.
zones=(a b c)
if [[ $number =~ ^[0-9]+$ ]]; then export BERTH_ZONE="$BERTH_REGION${zones[(number - 1) % 3]}"; fi
export BERTH_DATA_DIR=/var/lib/berth/agent
export BERTH_CGROUP_PARENT=$cgroup
berth-agent &
agent=$!
wait -n "$agent" "$engine" || true
stop

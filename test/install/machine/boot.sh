#!/bin/sh
# What a kernel has done before systemd is there, as far as a container's runtime leaves it undone.
set -eu

# A runtime shows these for reading; systemd and the engine inside write there.
mount -o remount,rw /proc/sys
for hierarchy in /sys/fs/cgroup/*; do
  if mountpoint -q "$hierarchy"; then mount -o remount,bind,rw "$hierarchy"; fi
done
exec /lib/systemd/systemd

#!/bin/sh
# A control plane that others reach by the name of its container.
set -eu

BERTH_REDIS_URL=redis://:$(cat /secrets/redis-password)@redis:6379
export BERTH_REDIS_URL
export BERTH_ADVERTISE="$HOSTNAME:4567"
export BERTH_ADVERTISE_API="https://$HOSTNAME:4566"
export BERTH_CA_BUNDLE_FILE="/trust/$HOSTNAME.pem"
exec berth control-plane

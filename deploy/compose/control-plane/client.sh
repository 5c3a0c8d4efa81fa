#!/bin/sh
# Runs a command as a client of the lab's API.
set -eu

. /secrets/access-key.env
cat /trust/*.pem >/tmp/berth-ca.pem
export AWS_CA_BUNDLE=/tmp/berth-ca.pem
exec "$@"

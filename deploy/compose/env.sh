#!/bin/sh
# Prints what makes the aws command and the AWS SDKs use the lab:
#
#   eval "$(./env.sh)"
#
# The key is the lab's own, made at its first start. The roots that the API is known by are put beside this script.
set -eu

cd "$(dirname "$0")"
if docker compose version >/dev/null 2>&1; then compose='docker compose'; else compose=docker-compose; fi

# The door is a client of the API too. Control planes come and go.
# shellcheck disable=SC2086
inside() { $compose exec -T door "$@"; }

inside sh -c 'cat /trust/*.pem' >berth-ca.pem
key=$(inside cat /secrets/access-key.env)
region=$(inside printenv AWS_REGION)
# shellcheck disable=SC2086
address=$($compose port api 4566)
cat <<END
export AWS_ENDPOINT_URL=https://localhost:${address##*:}
$key
export AWS_DEFAULT_REGION=$region
export AWS_REGION=$region
export AWS_CA_BUNDLE=$PWD/berth-ca.pem
export NODE_EXTRA_CA_CERTS=$PWD/berth-ca.pem
unset AWS_SESSION_TOKEN
END

#!/usr/bin/env bash
# `npm start`: sets the machine up and runs a one-machine cluster until Ctrl-C. Arguments go to `berth up`:
# `npm start -- --hosts 5`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh run
exec ./berth up "$@"

#!/usr/bin/env bash
# `npm test`: sets the machine up, runs the unit, integration and end-to-end tests in that order, and ends with one
# line that counts all of them: `N passed, N failed, N skipped`. `npm test -- unit integration` runs only those.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bash scripts/setup.sh test || exit 1
export PATH="$PWD/.tools/node_modules/.bin:$PATH"

projects=("$@")
if [ "${#projects[@]}" -eq 0 ]; then projects=(unit integration e2e); fi

results=.berth/test-results
rm -rf "$results"
mkdir -p "$results"

status=0
for project in "${projects[@]}"; do
  printf '\n==> The %s tests\n' "$project"
  node node_modules/vitest/vitest.mjs run --project "$project" \
    --reporter=default --reporter=json --outputFile.json="$results/$project.json" </dev/null || status=1
done

echo
node scripts/count-tests.ts "${projects[@]/#/$results/}" || status=1
exit "$status"

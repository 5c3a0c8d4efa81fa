#!/usr/bin/env bash
# Checks everything that can be checked without running the tests. All checks run, whatever the ones before them
# found; those that failed are named at the end.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bash scripts/setup.sh toolchain || exit 1
export PATH="$PWD/.tools/node_modules/.bin:$PWD/node_modules/.bin:$PATH"

failed=()

# check TITLE COMMAND...
check() {
  local title=$1
  shift
  printf '==> %s\n' "$title"
  "$@" </dev/null || failed+=("$title")
}

check 'Format' oxfmt --check
check 'Lint' oxlint --type-aware --deny-warnings
check 'Types' tsc --noEmit -p tsconfig.json
check 'Import rules' node scripts/check-import-rules.ts
check 'Generated code' node scripts/generate.ts --check

if [ "${#failed[@]}" -gt 0 ]; then
  printf '\nNot in order:\n' >&2
  printf '  - %s\n' "${failed[@]}" >&2
  exit 1
fi
printf '\nAll checks passed.\n'

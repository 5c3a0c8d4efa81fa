# How set-up speaks: one line before each step that does something, all detail in a log file, the end of that
# log when a step fails. Sourced, never run.

SETUP_LOG="$BERTH_ROOT/.berth/setup.log"

# fail MESSAGE...: says what is wrong, one argument a line, and ends the set-up.
fail() {
  printf '\n' >&2
  printf '%s\n' "$@" >&2
  exit 1
}

# step TITLE COMMAND...: announces the title, runs the command with its output in the log, and tells how long it
# took when a person will have noticed. Ends the set-up, with the tail of the log, when the command fails.
step() {
  local title=$1 began=$SECONDS status=0
  shift
  printf '==> %s ...\n' "$title"
  printf '\n==> %s: %s\n' "$title" "$*" >>"$SETUP_LOG"
  # A subshell with its own `set -e`, so that a function stops at its first failing command.
  set +e
  (set -e && "$@") >>"$SETUP_LOG" 2>&1 </dev/null
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then
    printf '\n%s\n' "--- the last lines of $SETUP_LOG:" >&2
    tail -n 25 "$SETUP_LOG" >&2
    fail "Set-up stopped: \"$title\" failed with exit code $status. All of its output is in $SETUP_LOG"
  fi
  if [ $((SECONDS - began)) -ge 2 ]; then
    printf '    done in %s s\n' $((SECONDS - began))
  fi
}

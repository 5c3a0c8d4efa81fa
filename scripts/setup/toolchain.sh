# Node, pnpm and the workspace's dependencies, all inside this directory. Sourced, never run.

NODE_VERSION=24.21.0
PNPM_VERSION=12.21.0
TOOLS="$BERTH_ROOT/.tools"
WANTED_TOOLS="node@$NODE_VERSION pnpm@$PNPM_VERSION"

# setup_toolchain: afterwards `node` is Node 24 or later, `pnpm` is ours, and the dependencies are those of the lockfile.
setup_toolchain() {
  if node_is_new_enough node; then WANTED_TOOLS="pnpm@$PNPM_VERSION"; fi
  if ! tools_are_there; then
    step "Installing $(echo "$WANTED_TOOLS" | sed 's/ / and /') from npm" install_tools
  fi
  export PATH="$TOOLS/node_modules/.bin:$PATH"
  if [ "$(dependencies_stamp)" != "$(cat "$BERTH_ROOT/node_modules/.berth-stamp" 2>/dev/null)" ]; then
    step 'Installing the dependencies of the workspace' install_dependencies
  fi
}

node_is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 24 ]
}

tools_are_there() {
  [ -x "$TOOLS/node_modules/.bin/pnpm" ] || return 1
  case $WANTED_TOOLS in
    node@*) node_is_new_enough "$TOOLS/node_modules/.bin/node" ;;
    *) true ;;
  esac
}

install_tools() {
  mkdir -p "$TOOLS"
  # shellcheck disable=SC2086 # two package names
  npm install --prefix "$TOOLS" --no-audit --no-fund --ignore-scripts=false $WANTED_TOOLS
  tools_are_there
}

# Changes with everything that decides what is in node_modules.
dependencies_stamp() {
  (cd "$BERTH_ROOT" && sha256sum pnpm-lock.yaml pnpm-workspace.yaml .npmrc package.json test/package.json packages/*/package.json) |
    sha256sum
}

install_dependencies() {
  cd "$BERTH_ROOT"
  # CI=true: never ask, not even before a node_modules of another shape is replaced.
  CI=true pnpm install --frozen-lockfile
  dependencies_stamp >node_modules/.berth-stamp
}

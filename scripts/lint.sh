#!/usr/bin/env bash
# Checks the format of all C++ and analyses core/, sim/scenario, sim/results and real/. Changes nothing;
# status 1 when there is something to say.
#
#   scripts/lint.sh                  all of it (minutes: clang-tidy reads every header again)
#   scripts/lint.sh format           only the format
#   scripts/lint.sh core/path.cpp    these files
#
# SENNIT_BUILD names the build folder with compile_commands.json (build/release), SENNIT_JOBS how
# many files at a time (all CPUs). Tests are not analysed: GoogleTest's macros make most of what
# clang-tidy would say there. Nor is what includes ns-3: its headers are not ours to correct.
set -euo pipefail
cd "$(dirname "$0")/.."

analyse() {  # source files
  local build=${SENNIT_BUILD:-build/release}
  [ -f "$build/compile_commands.json" ] || cmake --preset release >/dev/null
  printf '%s\0' "$@" |
    xargs -0 -P "${SENNIT_JOBS:-$(nproc)}" -n 1 clang-tidy -p "$build" --quiet 2> >(grep -v 'warnings\? generated' >&2)
}

if [ $# -gt 0 ] && [ "$1" != format ]; then
  clang-format --dry-run -Werror "$@"
  analyse "$@" || exit 1
  exit 0
fi

status=0
find core sim real tests \( -name '*.cpp' -o -name '*.h' \) -print0 |
  xargs -0 clang-format --dry-run -Werror || status=1
[ "${1:-}" = format ] && exit "$status"

mapfile -t sources < <(find core sim/scenario sim/results real -name '*.cpp' |
  grep -vE '_(test|bench|fuzz)\.cpp$' | sort)
analyse "${sources[@]}" || status=1
exit "$status"

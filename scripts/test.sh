#!/usr/bin/env bash
# Installs, builds and runs every test: everything under AddressSanitizer and
# UndefinedBehaviorSanitizer, the core by clang, and everything as released. The last lines are
# ctest's counts of the last build.
#
#   scripts/test.sh             all three: 13 minutes on two cores, 8 when nothing changed
#   scripts/test.sh release     one of them, by name
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
builds=("$@")
[ $# -gt 0 ] || builds=(asan clang release)

configure_and_build() {  # preset, then further cmake arguments
  local preset=$1
  shift
  cmake --preset "$preset" "$@" >"build-$preset.log" 2>&1 || {
    cat "build-$preset.log" >&2
    exit 1
  }
  mv "build-$preset.log" "build/$preset/configure.log"
  cmake --build --preset "$preset"
}

for preset in "${builds[@]}"; do
  echo "== $preset"
  case $preset in
    release) configure_and_build release ;;
    asan) configure_and_build asan -DSENNIT_BENCHMARKS=OFF ;;
    # The second compiler reads the core: ns-3's headers are not ours to correct.
    clang) configure_and_build clang -DSENNIT_SIM=OFF -DSENNIT_BENCHMARKS=OFF ;;
    *)
      echo "test.sh: found build '$preset'; allowed: release, asan, clang" >&2
      exit 2
      ;;
  esac
  ctest --preset "$preset" -j "$(nproc)"
done

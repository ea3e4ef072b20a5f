#!/usr/bin/env bash
# Installs, builds the benchmarks and runs them: one table with the goals, ratios first. About four
# minutes; never a test, because a busy machine must not fail a build.
#
#   scripts/benchmark.sh [--quick]     --quick: under a minute, one repetition each
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 1 ] || { [ $# -eq 1 ] && [ "$1" != --quick ]; }; then
  echo "benchmark.sh: found '$*'; allowed: nothing, or --quick" >&2
  exit 2
fi
scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target benchmarks
exec /usr/bin/python3 -B tests/benchmark/report.py build/release "$@"

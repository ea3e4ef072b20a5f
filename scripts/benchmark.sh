#!/usr/bin/env bash
# Installs, builds the benchmarks and runs them: tables with the goals, ratios first. Never a test,
# because a busy machine must not fail a build.
#
#   scripts/benchmark.sh [--quick] [core|tunnel]
#
# core: what a packet costs, without a network; four minutes. tunnel: sennitd through the kernel,
# beside the bare forwarder and the tunnels that are installed (wireguard-go, openvpn, fastd, tinc);
# needs root, and three minutes for each. Without a word both. --quick: one repetition each.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=() short=() what=both
for word in "$@"; do
  case $word in
    --quick) quick=(--quick) short=(--short) ;;
    core | tunnel) what=$word ;;
    *)
      echo "benchmark.sh: found '$word'; allowed: --quick, core, tunnel" >&2
      exit 2
      ;;
  esac
done

scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target benchmarks
if [ "$what" != tunnel ]; then
  /usr/bin/python3 -B tests/benchmark/report.py build/release "${quick[@]}"
fi
if [ "$what" = tunnel ] || { [ "$what" = both ] && [ "$(id -u)" -eq 0 ]; }; then
  /usr/bin/python3 -B tests/benchmark/tunnel_bench.py build/release "${short[@]}"
elif [ "$what" = both ]; then
  echo "benchmark.sh: tunnels are not measured: that needs root" >&2
fi

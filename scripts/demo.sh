#!/usr/bin/env bash
# From a fresh checkout to a figure: installs what is missing, builds the simulator, runs one
# scenario with each of its links alone for comparison, and draws it.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
[ -f build/release/build.ninja ] || cmake --preset release >/dev/null
cmake --build --preset release --target sennit-sim

# Expectations that are not met (status 1) are printed and do not end the demonstration.
status=0
build/release/bin/sennit-sim run scenarios/lte-pair.yaml --best-single --out results || status=$?
[ "$status" -le 1 ] || exit "$status"

run=results/lte-pair/default/seed-1
PYTHONPATH=analysis /usr/bin/python3 -m sennit plot "$run" -o "$run/figure.png"

cat <<END

$run/summary.json   all KPIs
$run/trace.h5       every packet and 100 ms time series (PYTHONPATH=analysis: sennit.read)
$run/figure.png     throughput, delay and queues over time

Next: build/release/bin/sennit-sim run --help
END

#!/usr/bin/env bash
# Builds the simulator and measures the goals of the project in ns-3: one table with what was
# measured, what was asked and whether it is met, in results/goals/ too. All goals over five seeds
# take hours, it says how many before it starts; interrupted, it goes on where it was. --short takes
# minutes.
#
#   scripts/goals.sh [--short] [--only 1,2,5] [--seeds 1-5] [--cc cubic,bbr] [--set key=value]...
#   scripts/goals.sh --variants            every scheduler on every profile
#   scripts/goals.sh --sweep [250]         random pairs of links: is bonding worth it?
#   scripts/goals.sh --plots DIR           and what limits each goal that is not met, drawn
#   scripts/goals.sh --report FILE.md      what was measured as the tables of a document; runs nothing
#   scripts/goals.sh --help                all options
#
# Exit status: 0; 1 a goal is not met; 2 bad input; 3 a run crashed.
set -euo pipefail
cd "$(dirname "$0")/.."

goals=(/usr/bin/python3 -B tests/goals/goals.py build/release)
for argument in "$@"; do
  case $argument in -h | --help) exec "${goals[@]}" --help ;; esac
done
"${goals[@]}" --check-arguments "$@"  # before minutes of building
for argument in "$@"; do
  case $argument in --report | --report=*) exec "${goals[@]}" "$@" ;; esac
done
scripts/setup.sh >&2
cmake --preset release >&2
cmake --build --preset release --target sennit-sim >&2
if cmake --build --preset release --target help | grep '^fec_goals:' >/dev/null; then
  cmake --build --preset release --target fec_goals >&2
fi
exec "${goals[@]}" "$@"

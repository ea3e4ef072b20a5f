#!/usr/bin/env python3
"""Equal seeds give equal digests and summaries in different processes; different seeds differ."""

import json
import subprocess
import sys
import tempfile


def run(simulator, scenario, seed):
    """One short run's summary, without what depends on the machine's speed."""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [simulator, "run", scenario, "--variant", "default", "--duration", "8s", "--seed",
             str(seed), "--json", "--no-trace", "--out", out],
            stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode not in (0, 1):  # 1: an expectation unmet, in a run that was cut short
        sys.exit(f"{simulator} ended with status {done.returncode}")
    summary = json.loads(done.stdout)[0]
    for key in ("wall_s", "speed"):
        del summary["run"][key]
    return summary


def main():
    simulator, scenario = sys.argv[1:]
    first, again, other = (run(simulator, scenario, seed) for seed in (1, 1, 2))
    if first != again:
        sys.exit(f"two runs with seed 1 differ:\n{json.dumps(first)}\n{json.dumps(again)}")
    if first["run"]["digest"] == other["run"]["digest"]:
        sys.exit(f"seeds 1 and 2 have the same digest {first['run']['digest']}")
    print("seed 1 twice:", first["run"]["digest"], "- seed 2:", other["run"]["digest"])


main()

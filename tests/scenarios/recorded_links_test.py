#!/usr/bin/env python3
"""lte-pair over public recordings of LTE links (mahimahi format; Winstein et al., NSDI 2013): the
default must deliver more than the better link alone, on average over three seeds.

The recordings are not part of the project. They are looked for in $SENNIT_RECORDINGS, or in
../shared/traces beside the checkout; without them the test is skipped (exit status 77).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

LINKS = {"lte-a": "Verizon-LTE-short", "lte-b": "TMobile-LTE-short"}


def main():
    simulator, source = sys.argv[1], pathlib.Path(sys.argv[2])
    folder = pathlib.Path(os.environ.get("SENNIT_RECORDINGS", source / ".." / "shared" / "traces"))
    settings = []
    for link, recording in LINKS.items():
        for direction in ("up", "down"):
            file = (folder / f"{recording}.{direction}").resolve()
            if not file.exists():
                print(f"skipped: {file} is not there; set SENNIT_RECORDINGS to run this test")
                sys.exit(77)
            settings += ["--set", f"links.{link}.{direction}.trace.file={file}"]
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [simulator, "run", source / "scenarios/lte-pair.yaml", "--variant", "default",
             "--best-single", "--seeds", "1-3", "--json", "--no-trace", "--out", out, *settings],
            stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode not in (0, 1):  # 1: the expectations are those of the generated traces
        sys.exit(f"{simulator} ended with status {done.returncode}")
    goodput = {}
    for summary in json.loads(done.stdout):
        goodput.setdefault(summary["variant"], []).append(summary["aggregate"]["goodput_mbps"])
    mean = {variant: sum(values) / len(values) for variant, values in goodput.items()}
    print("goodput, Mbit/s:", {variant: round(value, 2) for variant, value in mean.items()})
    best = max(value for variant, value in mean.items() if variant != "default")
    if mean["default"] <= best:
        sys.exit(f"the default carries {mean['default']:.2f} Mbit/s, the better link {best:.2f}")


main()

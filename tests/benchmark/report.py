#!/usr/bin/env python3
"""Runs the benchmarks of one build and prints one table: what was measured, the goal, whether it is
met. Goals first. The programs' own output goes to <build>/benchmark/.

    report.py BUILD [--quick]

Times are the processor's, and ratios compare what took turns in the same run, because a machine that
does something else as well is the usual case; the spread over the repetitions is printed beside the
median.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

MEGABYTE = 1 << 20
MEMORY_GOAL_MB = 400
GROWTH_GOAL = 1.05  # of the peak when the run is twice as long


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, values, unit="", goal=None, at_least=False, digits=2):
        """`values` of several repetitions; their median is what counts."""
        median = statistics.median(values)
        measured = f"{median:.{digits}f}{unit}"
        if len(values) > 1:
            measured += f"  ({min(values):.{digits}f} to {max(values):.{digits}f})"
        met = ""
        if goal is not None:
            met = "yes" if (median >= goal if at_least else median <= goal) else "NO"
            goal = f"{'>=' if at_least else '<='} {goal:g}{unit}"
        self.rows.append((what, measured, goal or "", met))

    def print(self):
        rows = [("what", "measured (least to most)", "goal", "met")] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        for row in rows:
            print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


class Benchmarks:
    def __init__(self, build, quick):
        self.programs = build / "bin"
        self.output = build / "benchmark"
        self.output.mkdir(parents=True, exist_ok=True)
        self.quick = quick

    def run(self, program, min_time, repetitions):
        """Google Benchmark's repetitions by name, in random order so that a slow moment of the
        machine meets all alike."""
        result = self.output / f"{program}.json"
        print(f"{program} ...", file=sys.stderr, flush=True)
        with open(self.output / f"{program}.txt", "w") as text:
            subprocess.run(
                [self.programs / program, f"--benchmark_out={result}",
                 "--benchmark_out_format=json", f"--benchmark_min_time={min_time}",
                 f"--benchmark_repetitions={repetitions}",
                 "--benchmark_enable_random_interleaving=true"],
                stdout=text, stderr=subprocess.STDOUT, check=True)
        rows = {}
        for row in json.loads(result.read_text())["benchmarks"]:
            if row["run_type"] != "iteration":
                continue
            if "error_message" in row:
                sys.exit(f"{row['name']}: {row['error_message']}")
            rows.setdefault(row["run_name"], []).append(row)
        return rows

    def simulation(self):
        print("simulation_cost ...", file=sys.stderr, flush=True)
        arguments = ["5", "1"] if self.quick else ["20", "3"]
        done = subprocess.run([self.programs / "simulation_cost", *arguments],
                              stdout=subprocess.PIPE, check=True, text=True)
        (self.output / "simulation_cost.json").write_text(done.stdout)
        return json.loads(done.stdout)

    def peak_memory_mb(self, seconds):
        """Of the largest process of `sennit-sim run` with its full trace."""
        print(f"sennit-sim run, {seconds} s ...", file=sys.stderr, flush=True)
        scenario = pathlib.Path(__file__).with_name("one-flow.yaml")
        with tempfile.TemporaryDirectory(dir=self.output) as folder:
            child = os.fork()
            if child == 0:
                run = subprocess.run(
                    [self.programs / "sennit-sim", "run", scenario, "--duration", f"{seconds}s",
                     "--out", folder, "--jobs", "1", "--quiet"])
                os._exit(run.returncode)
            _, status, used = os.wait4(child, 0)
            if status != 0:
                sys.exit("sennit-sim failed")
        return used.ru_maxrss * 1024 / MEGABYTE


def column(rows, name, key="cpu_time", per=1.0):
    return [row[key] / per for row in rows[name]]


def ratio(rows, over, under):
    pairs = zip(column(rows, over), column(rows, under))
    return [above / below for above, below in pairs]


def add_packet_path(table, benches):
    rows = benches.run("packet_path_bench", 0.2 if benches.quick else 1, 1 if benches.quick else 5)
    names = {
        "paths:1/trace:0/mbps:5000": "1 path",
        "paths:1/trace:1/mbps:5000": "1 path, traced",
        "paths:2/trace:0/mbps:5000": "2 paths",
        "paths:2/trace:1/mbps:5000": "2 paths, traced",
        "paths:1/trace:0/mbps:1000": "1 path at 1 Gbit/s",
    }
    full = {text: f"both_ends/{name}/manual_time" for name, text in names.items()}
    for text, name in full.items():
        table.add(f"packet through both ends / bare seal + open: {text}",
                  column(rows, name, "ratio"), goal=1.35)
    most = [max(row["allocations_per_packet"] for runs in rows.values() for row in runs)]
    table.add("allocations per packet (most of the above)", most, goal=0, digits=0)
    return rows, full


def add_goals(table, benches):
    path_rows, path_names = add_packet_path(table, benches)
    fec = benches.run("fec_bench", 0.05, 3 if benches.quick else 9)
    for shape, text in (("10/2", "10 + 2"), ("15/4", "15 + 4")):
        table.add(f"Reed-Solomon encode / bare ec_encode_data, speed: {text}",
                  ratio(fec, f"bare_ec_encode_data/{shape}",
                        f"block_encode<FecCode::reed_solomon>/{shape}"),
                  goal=0.8, at_least=True)
    simulation = None
    if (benches.programs / "simulation_cost").exists():
        simulation = benches.simulation()
        for kind, text in (("tunnel", "no trace"), ("tunnel_traced", "traced")):
            table.add(f"simulation through the tunnel / over bare ns-3: {text}",
                      simulation[kind]["ratios"], goal=3)
        lengths = (5, 10) if benches.quick else (30, 60)
        peaks = [benches.peak_memory_mb(seconds) for seconds in lengths]
        table.add(f"peak memory, {lengths[1]} s at 100 Mbit/s, full trace", peaks[1:], " MB",
                  goal=MEMORY_GOAL_MB, digits=0)
        table.add(f"its growth from {lengths[0]} s to {lengths[1]} s", [peaks[1] / peaks[0]],
                  goal=GROWTH_GOAL)
    return path_rows, path_names, fec, simulation


def add_times(table, benches, path_rows, path_names, fec, simulation):
    """What the ratios are made of, and what has no goal."""
    repetitions = 1 if benches.quick else 5
    for text, name in path_names.items():
        table.add(f"packet through both ends: {text}", column(path_rows, name, "path_ns"), " ns",
                  digits=0)
    table.add("bare seal + open of 1,400 bytes",
              column(path_rows, path_names["1 path"], "bare_ns"), " ns", digits=0)
    cipher = benches.run("cipher_bench", 0.1, repetitions)
    for do in ("seal", "open"):
        for which in ("default", "openssl"):
            rows = cipher[f"{do}/{which}"]
            table.add(f"{do}, 1,413 bytes, nothing else, {which}: {rows[0]['label']}",
                      [row["cpu_time"] for row in rows], " ns", digits=0)
    queue = benches.run("ingress_queue_bench", 0.1, repetitions)
    table.add("ingress queue, push + pop, 64 flows",
              column(queue, "push_and_pop/flows:64/rules:0", per=64), " ns", digits=0)
    for code, text in (("reed_solomon", "Reed-Solomon"), ("parity", "XOR")):
        table.add(f"{text} encode 10 + 2, per packet",
                  column(fec, f"block_encode<FecCode::{code}>/10/2", per=10), " ns", digits=0)
    scheduler = benches.run("scheduler_bench", 0.02, repetitions)
    for name in scheduler:
        if name.endswith("/2"):
            table.add(f"schedule, 2 paths, batch of 32, per packet: {name.split('/')[1]}",
                      column(scheduler, name, per=32), " ns", digits=1)
    link = benches.run("link_model_bench", 0.1, repetitions)
    table.add("link model, 100 Mbit/s at 80 %, per packet",
              column(link, "per_packet/constant_rate/120"), " ns", digits=0)
    if simulation:
        for kind, text in (("bare", "bare ns-3"), ("tunnel", "tunnel"),
                           ("tunnel_traced", "tunnel, traced")):
            table.add(f"one flow, {'5' if benches.quick else '20'} s simulated: {text}",
                      simulation[kind]["all_seconds"], " s")


def main():
    arguments = sys.argv[1:]
    quick = "--quick" in arguments
    folders = [a for a in arguments if not a.startswith("-")]
    if len(folders) != 1 or len(folders) + quick != len(arguments):
        sys.exit(__doc__)
    table = Table()
    benches = Benchmarks(pathlib.Path(folders[0]), quick)
    add_times(table, benches, *add_goals(table, benches))
    table.print()
    print(f"\nload average now {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors;"
          f" all output: {benches.output}")


if __name__ == "__main__":
    main()

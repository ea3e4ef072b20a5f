#!/usr/bin/env python3
"""Measures tunnels against each other over one link without a limit: a veth between two network
namespaces, both ends and the load on this machine. Needs root; leaves nothing behind.

    tunnel_bench.py BUILD [--short] [--rounds N] [--seconds S] [--only NAME...] [--json FILE]
                          [--wireguard-go PATH]

The bare forwarder (gso_forwarder) is the limit; sennitd is measured when it is built, others when
they are installed. All take turns in every round, in another order each time, and medians over the
rounds are compared, so that a machine that does something else as well meets all alike. Per tunnel:
TCP through it with one stream and with four, the processor time of its processes for a gigabyte of
that, ping through it idle and under that load, and UDP packets of 1,400 and 64 bytes, first as many
as a sender can make, then half of what came through.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import tunnels
from tunnels import INNER, OUTER, SECOND_OUTER, Failed, run

GIGABYTE = 1e9
UDP_HEADERS = 28
PACKET_SIZES = (1400, 64)  # inner IP packets

# What was measured, and by which rule several rounds become one figure.
COLUMNS = {
    "tcp1": "TCP 1, Mbit/s",
    "tcp4": "TCP 4, Mbit/s",
    "cpu": "CPU s/GB",
    "idle": "ping idle p50, ms",
    "load": "under load p99, ms",
    "udp1400": "UDP 1400, kpkt/s",
    "udp64": "UDP 64, kpkt/s",
    "loss1400": "lost at half, %",
    "loss64": "lost at half, %",
}
DIGITS = {"tcp1": 0, "tcp4": 0, "cpu": 2, "idle": 3, "load": 2, "udp1400": 1, "udp64": 1,
          "loss1400": 3, "loss64": 3}


class World:
    """Two namespaces with two links; gone when the `with` ends, whatever ended it."""

    def __init__(self):
        self.names = [f"sennit-bench-{os.getpid()}-{end}" for end in "ab"]

    def __enter__(self):
        try:
            for name in self.names:
                run("ip", "netns", "add", name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            for link, addresses in enumerate((OUTER, SECOND_OUTER)):
                run("ip", "-n", self.names[0], "link", "add", f"wan{link}", "type", "veth", "peer",
                    "name", f"wan{link}", "netns", self.names[1])
                for name, address in zip(self.names, addresses):
                    run("ip", "-n", name, "address", "add", f"{address}/24", "dev", f"wan{link}")
                    run("ip", "-n", name, "link", "set", f"wan{link}", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)

    def inside(self, end, *command):
        return ["ip", "netns", "exec", self.names[end], *map(str, command)]


def cpu_seconds(pids):
    """User and system time of whole processes, all their threads."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def percentile(values, fraction):
    values = sorted(values)
    return values[min(len(values) - 1, int(fraction * len(values)))]


class Meter:
    """Everything that is measured of one running tunnel."""

    def __init__(self, world, tunnel, seconds):
        self.world, self.tunnel, self.seconds = world, tunnel, seconds

    def measure(self):
        self.wait_until_it_carries()
        figures = {"idle": percentile(self.ping(self.seconds * 0.5), 0.5)}
        before = cpu_seconds(self.tunnel.pids())
        load = self.start_ping(self.seconds)
        one = self.tcp(1)
        figures["load"] = percentile(self.times(load), 0.99)
        figures["tcp1"] = one["bits_per_second"] / 1e6
        figures["cpu"] = (cpu_seconds(self.tunnel.pids()) - before) / (one["bytes"] / GIGABYTE)
        figures["tcp4"] = self.tcp(4)["bits_per_second"] / 1e6
        for size in PACKET_SIZES:
            flood = self.udp(size, 0)
            figures[f"udp{size}"] = flood["received"] / flood["seconds"] / 1e3
            half = self.udp(size, flood["received"] / flood["seconds"] / 2 * 8 * (size - UDP_HEADERS))
            figures[f"loss{size}"] = 100 * half["lost"] / max(1, half["lost"] + half["received"])
        return figures

    def wait_until_it_carries(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            probe = self.world.inside(0, "ping", "-c", 1, "-W", 1, INNER[1])
            if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return
        raise Failed(f"{self.tunnel.name}: carried nothing within 20 s: {self.tunnel.log(0)}")

    def start_ping(self, seconds):
        count = max(20, int(seconds * 100))
        return subprocess.Popen(self.world.inside(0, "ping", "-i", "0.01", "-c", count, "-W", 1, INNER[1]),
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ping(self, seconds):
        return self.times(self.start_ping(seconds))

    def times(self, process):
        output, _ = process.communicate()
        found = [float(ms) for ms in re.findall(r"time=([0-9.]+) ms", output)]
        if not found:
            raise Failed(f"{self.tunnel.name}: no ping came back")
        return found

    def iperf(self, *options):
        server = subprocess.Popen(self.world.inside(1, "iperf3", "-s", "-1", "-B", INNER[1]),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.2)
            client = self.world.inside(0, "iperf3", "-J", "-c", INNER[1], "-t", self.seconds, *options)
            done = subprocess.run(client, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  timeout=self.seconds + 30)
            report = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            raise Failed(f"{self.tunnel.name}: iperf3 {' '.join(map(str, options))}: {error}") from None
        finally:
            server.terminate()
            server.wait()
        if "error" in report:
            raise Failed(f"{self.tunnel.name}: iperf3: {report['error']}")
        return report["end"]

    def tcp(self, streams):
        return self.iperf("-P", streams)["sum_received"]

    def udp(self, packet_size, bits_per_second):
        options = ["-u", "-b", int(bits_per_second), "-l", packet_size - UDP_HEADERS]
        end = self.iperf(*options)
        total = end["sum"]
        return {"seconds": total["seconds"], "lost": total["lost_packets"],
                "received": total["packets"] - total["lost_packets"]}


def available(arguments):
    build = pathlib.Path(arguments.build).resolve()
    tunnels.Forwarder.build = tunnels.Sennit.build = build
    if arguments.wireguard_go:
        path = str(pathlib.Path(arguments.wireguard_go).resolve())
        tunnels.WireguardGo.find = classmethod(lambda cls: path)
    kinds = [kind for kind in tunnels.ALL if kind.find()]
    missing = [kind.name for kind in tunnels.ALL if not kind.find()]
    if missing:
        print(f"not here, so not measured: {', '.join(missing)}", file=sys.stderr)
    if arguments.only:
        names = [kind.name for kind in kinds]
        for name in arguments.only:
            if name not in names:
                sys.exit(f"tunnel_bench.py: --only {name}; allowed: {', '.join(names)}")
        kinds = [kind for kind in kinds if kind.name in arguments.only]
    return kinds


def measure_all(kinds, rounds, seconds):
    results = {kind.name: [] for kind in kinds}
    with World() as world, tempfile.TemporaryDirectory() as folder:
        ready = [kind(world.names, folder) for kind in kinds]
        for i in range(rounds):
            for tunnel in ready[i % len(ready):] + ready[:i % len(ready)]:
                print(f"round {i + 1} of {rounds}: {tunnel.name} ...", file=sys.stderr, flush=True)
                try:
                    tunnel.start()
                    results[tunnel.name].append(Meter(world, tunnel, seconds).measure())
                except Failed as error:
                    print(f"  {error}", file=sys.stderr)
                finally:
                    tunnel.stop()
    return results


def medians(results):
    return {name: {key: statistics.median(r[key] for r in rounds) for key in COLUMNS}
            for name, rounds in results.items() if rounds}


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [text.rjust(width) for text, width in zip(row[1:], widths[1:])]
        print("  ".join(cells))


def goals(figures):
    """(what, measured, goal, met), as far as there is something to compare with."""
    own, limit = figures.get("sennitd"), figures.get("forwarder")
    other, two = figures.get("wireguard-go"), figures.get("sennitd, two links")
    rows = []

    def at_least(what, value, goal):
        rows.append((what, f"{value:.2f}", f">= {goal:g}", "yes" if value >= goal else "NO"))

    def at_most(what, value, goal):
        rows.append((what, f"{value:.2f}", f"<= {goal:g}", "yes" if value <= goal else "NO"))

    if own is None:
        return rows
    for key, what in (("tcp1", "one stream"), ("tcp4", "four streams")):
        if limit:
            at_least(f"TCP, {what}: sennitd / forwarder", own[key] / limit[key], 0.6)
        if other:
            at_least(f"TCP, {what}: sennitd / wireguard-go", own[key] / other[key], 3)
        if two:
            at_least(f"TCP, {what}: two links / one", two[key] / own[key], 1)
    if limit:
        for size in PACKET_SIZES:
            key = f"udp{size}"
            at_least(f"UDP {size}, all that can be sent: sennitd / forwarder", own[key] / limit[key], 1)
    for size in PACKET_SIZES:
        at_most(f"UDP {size}, lost at half of that, %", own[f"loss{size}"], 0)
    at_most("CPU s/GB", own["cpu"], 1.5)
    at_most("ping under load p99, ms", own["load"], 4)
    at_most("ping idle p50, ms", own["idle"], 0.25)
    return rows


def report(results):
    figures = medians(results)
    rows = goals(figures)
    if rows:
        print_rows([("what", "measured", "goal", "met"), *rows])
        print()
    limit = figures.get("forwarder")
    if limit:
        print_rows([("of the forwarder's", "TCP 1", "TCP 4", "UDP 1400", "UDP 64")] + [
            (name, *(f"{f[key] / limit[key]:.2f}" for key in ("tcp1", "tcp4", "udp1400", "udp64")))
            for name, f in figures.items()])
        print()
    print_rows([("medians", *COLUMNS.values())] + [
        (name, *(f"{f[key]:.{DIGITS[key]}f}" for key in COLUMNS)) for name, f in figures.items()])
    print(f"\nload average now {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="build folder with bin/gso_forwarder, bin/sennitd")
    parser.add_argument("--short", action="store_true", help="one round of two seconds each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--json", metavar="FILE", help="every round's figures")
    parser.add_argument("--wireguard-go", metavar="PATH", help="another than the installed one")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.rounds, arguments.seconds = 1, 2
    return arguments


def main():
    arguments = parse_arguments()
    if os.geteuid() != 0:
        sys.exit("tunnel_bench.py: needs root, for network namespaces")
    for program in ("ip", "ping", "iperf3", "openssl"):
        if not shutil.which(program):
            sys.exit(f"tunnel_bench.py: {program} is not installed (scripts/setup.sh installs all)")
    # An end by signal unwinds as an exception does, and so cleans up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    results = measure_all(available(arguments), arguments.rounds, arguments.seconds)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")
    report(results)


if __name__ == "__main__":
    main()

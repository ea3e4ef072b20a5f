"""Two ends in two network namespaces, joined by veths of limited rate: one real sennitd each.

Everything that was made is gone after close(), whatever happened. Names carry this process's id, so
two runs do not meet.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77  # what ctest counts as skipped
INNER = {"a": "10.77.0.1", "b": "10.77.0.2"}


def unable():
    """Why this machine cannot run such a test; nothing when it can."""
    if os.geteuid() != 0:
        return "not root"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "no ip and tc (Debian package iproute2)"
    name = f"sn{os.getpid()}t"
    if subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL).returncode != 0:
        return "no network namespaces"
    subprocess.run(["ip", "netns", "del", name])
    return None


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class Stage:
    """Links have the names w0, w1, ... in both namespaces."""

    def __init__(self, daemon, control, rates_mbit, queue_ms=50):
        self.daemon, self.control = daemon, control
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sennit-"))
        self.names = {end: f"sn{os.getpid()}{end}" for end in "ab"}
        self.processes = []
        self.rates = rates_mbit
        try:
            self._wire(rates_mbit, queue_ms)
            self._configure()
        except BaseException:
            self.close()
            raise

    def _wire(self, rates, queue_ms):
        for name in self.names.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for i, rate in enumerate(rates):
            run("ip", "link", "add", f"w{i}", "netns", self.names["a"], "type", "veth",
                "peer", "name", f"w{i}", "netns", self.names["b"])
            for host, name in enumerate(self.names.values(), 1):
                run("ip", "-n", name, "addr", "add", f"198.18.{i}.{host}/24", "dev", f"w{i}")
                run("ip", "-n", name, "link", "set", f"w{i}", "up")
                # No segmentation offload past a shaper: tbf refuses packets beyond its burst.
                run("tc", "-n", name, "qdisc", "add", "dev", f"w{i}", "root", "tbf", "rate",
                    f"{rate}mbit", "burst", "10kb", "latency", f"{queue_ms}ms")

    def _configure(self):
        keys = {end: run(self.control, "keygen", str(self.folder / f"{end}.key")).strip()
                for end in "ab"}
        for end, other, host in (("a", "b", 2), ("b", "a", 1)):
            links = [f"  - {{name: link{i}, interface: w{i}}}" for i in range(len(self.rates))]
            ends = [f"      - {{name: e{i}, address: '198.18.{i}.{host}:51820'}}"
                    for i in range(len(self.rates))]
            paths = [f"      - {{name: link{i}, link: link{i}, endpoint: e{i}}}"
                     for i in range(len(self.rates))]
            self.file(end).write_text("\n".join([
                f"interface: {{name: sennit0, addresses: [{INNER[end]}/24]}}",
                f"private_key_file: {end}.key", f"control: {self.folder}/{end}.sock",
                "links:", *links, "peers:", f"  - name: {other}", f"    public_key: {keys[other]}",
                "    endpoints:", *ends, "    paths:", *paths, ""]))

    def file(self, end):
        return self.folder / f"{end}.yaml"

    def inside(self, end, *command, **options):
        """Starts a program in a namespace."""
        process = subprocess.Popen(["ip", "netns", "exec", self.names[end], *command], **options)
        self.processes.append(process)
        return process

    def start(self, end):
        with open(self.folder / f"{end}.log", "a") as log:
            return self.inside(end, self.daemon, "--config", str(self.file(end)), stderr=log)

    def log(self, end):
        return (self.folder / f"{end}.log").read_text()

    def ask(self, end, *command):
        return run(self.control, "--socket", f"{self.folder}/{end}.sock", *command)

    def status(self, end):
        return json.loads(self.ask(end, "status", "--json"))

    def states(self, end):
        return {path["name"]: path["state"] for path in self.status(end)["paths"]}

    def wait_for(self, what, condition, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except RuntimeError:  # no daemon answers yet
                pass
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {what}\n" + self.story())

    def all_up(self):
        return all(set(self.states(end).values()) == {"up"} for end in "ab")

    def story(self):
        return "".join(f"--- {end}\n{self.log(end)}" for end in "ab"
                       if (self.folder / f"{end}.log").exists())

    def link(self, end, i, state):
        run("ip", "-n", self.names[end], "link", "set", f"w{i}", state)

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in filter(None, (process.stdout, process.stderr)):
                pipe.close()
        for name in self.names.values():
            run("ip", "netns", "del", name, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_traffic(stage, end, *arguments):
    """A part of traffic.py in a namespace; its output is one JSON object."""
    traffic = pathlib.Path(__file__).with_name("traffic.py")
    return stage.inside(end, sys.executable, "-B", str(traffic), *map(str, arguments),
                        stdout=subprocess.PIPE, text=True)


def result_of(process, seconds=30):
    text, _ = process.communicate(timeout=seconds)
    return json.loads(text)

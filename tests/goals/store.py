"""What sennit-sim answered, kept by what was asked, so that a campaign of hours can be interrupted
and goes on where it was. A run is the same when the program, its arguments and the files that they name
are: a run is a function of those (docs/simulation.md, Determinism).

DIR/store/ has one file per run, how long each kind of run took, and the program itself: the
campaign goes on with it while another is built."""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import threading

FILE_SETTING = ".file="  # --set links.x.down.trace.file=PATH


@dataclasses.dataclass(frozen=True)
class Command:
    """One call of sennit-sim."""

    arguments: tuple  # of `sennit-sim run`, but for --out; the first is the scenario
    out: pathlib.Path
    kind: str  # runs of one kind take about the same time
    gigabits: float  # about what is carried in simulated time, for a first estimate

    @property
    def traced(self):
        return "--no-trace" not in self.arguments


def write_whole(path, text):
    """A file is there entirely or not at all, whenever it is interrupted."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.write_text(text)
    beside.replace(path)


def file_digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Store:
    def __init__(self, folder, program):
        self.folder = folder / "store"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.build = file_digest(program)[:12]
        self.program = self._copy(program)
        self.times_file = self.folder / "times.json"
        self.times = json.loads(self.times_file.read_text()) if self.times_file.exists() else {}
        self.lock = threading.Lock()

    def _copy(self, program):
        copy = (self.folder / f"{program.name}-{self.build}").resolve()
        if not copy.exists():
            beside = copy.with_name(f".{copy.name}.{os.getpid()}")
            shutil.copy2(program, beside)
            beside.replace(copy)
        return copy

    def _file(self, command):
        digest = hashlib.sha256(self.build.encode())
        for argument in command.arguments:
            digest.update(b"\0" + argument.encode())
            _, is_file, file = argument.partition(FILE_SETTING)
            if is_file:
                digest.update(file_digest(file).encode())
        digest.update(file_digest(command.arguments[0]).encode())
        return self.folder / f"{digest.hexdigest()[:24]}.json"

    def find(self, command):
        """Summaries by variant, or None if it must be run. A traced run's trace must be there."""
        file = self._file(command)
        if not file.exists():
            return None
        summaries = json.loads(file.read_text())["summaries"]
        if command.traced and not all(self._traced(command, s) for s in summaries.values()):
            return None
        return summaries

    @staticmethod
    def _traced(command, summary):
        """Another run may have had the folder since."""
        folder = run_folder(command.out, summary)
        if not (folder / "trace.h5").exists() or not (folder / "summary.json").exists():
            return False
        there = json.loads((folder / "summary.json").read_text())
        return there["run"]["digest"] == summary["run"]["digest"]

    def keep(self, command, summaries, seconds):
        write_whole(self._file(command), json.dumps(
            {"arguments": command.arguments, "seconds": round(seconds, 1), "summaries": summaries}))
        with self.lock:
            self.times[command.kind] = round(seconds, 1)
            write_whole(self.times_file, json.dumps(self.times, indent=1, sort_keys=True))


def run_folder(out, summary):
    """As sennit-sim names it."""
    return out / summary["scenario"] / summary["variant"] / f"seed-{summary['seed']}"

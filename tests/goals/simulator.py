"""Runs sennit-sim: one process per job, several at a time, none of which takes another along. What
was run before is not run again (store.py)."""

import concurrent.futures
import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time

from store import Store

# Measured on profile 4, both cores busy; other profiles are within a factor of two.
SECONDS_PER_GIGABIT = 3.5
SECONDS_PER_RUN = 0.5


class BadInput(Exception):
    """What the user asked for cannot be run; the text says why."""


class RunFailed(Exception):
    pass


class Simulator:
    """`out`: where answers are kept; None: nothing is, and everything is run."""

    def __init__(self, build, jobs=1, out=None):
        self.program = pathlib.Path(build) / "bin" / "sennit-sim"
        if not self.program.is_file():
            raise BadInput(f"{self.program} is not there; build it: "
                           "cmake --build --preset release --target sennit-sim")
        self.jobs = jobs
        self.store = Store(out, self.program) if out else None
        if self.store:
            self.program = self.store.program
        self.processes, self.stopping, self.lock = set(), False, threading.Lock()

    @property
    def build(self):
        """Which program measured; "" when nothing is kept."""
        return self.store.build if self.store else ""

    def run(self, command):
        """Summaries by variant."""
        summaries = self.store.find(command) if self.store else None
        if summaries is not None:
            return summaries
        started = time.monotonic()
        summaries = self._run([*command.arguments, "--out", command.out])
        if self.store:
            self.store.keep(command, summaries, time.monotonic() - started)
        return summaries

    def _run(self, arguments):
        with subprocess.Popen(
            [self.program, "run", *map(str, arguments), "--json", "--quiet", "--jobs", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:
            with self._running(process):
                out, errors = process.communicate()
        said = " ".join(errors.split())[-400:]
        if process.returncode == 2:
            raise BadInput(said)
        if process.returncode not in (0, 1):
            raise RunFailed(f"sennit-sim ended with status {process.returncode}: {said}")
        return {summary["variant"]: summary for summary in json.loads(out)}

    @contextlib.contextmanager
    def _running(self, process):
        with self.lock:
            self.processes.add(process)
            if self.stopping:
                process.terminate()
        try:
            yield
        finally:
            with self.lock:
                self.processes.discard(process)

    def _end_processes(self):
        with self.lock:
            self.stopping = True
            for process in self.processes:
                process.terminate()

    def run_all(self, tasks, command_of, work):
        """Runs command_of(task) for all and calls work(task, summaries); yields (task, result,
        failure) as they end, one of the two None. Progress goes to stderr. BadInput ends
        everything: it would be the same for the rest."""
        commands = {task: command_of(task) for task in tasks}
        progress = Progress(self, commands.values())
        call = lambda task: work(task, self.run(commands[task]))
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = {pool.submit(call, task): task for task in tasks}
            try:
                for future in concurrent.futures.as_completed(futures):
                    task, result, failure = futures[future], None, None
                    try:
                        result = future.result()
                    except BadInput:
                        raise
                    except Exception as error:  # one run's trouble stays its own
                        failure = f"{type(error).__name__}: {error}"
                    progress.ended(task.label, commands[task], failure)
                    yield task, result, failure
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._end_processes()
                raise

    def schedulers(self, scenario):
        """Names of all that are built in: the simulator lists them when it does not know one."""
        try:
            self._run([scenario, "--set", "tunnel.scheduler.algorithm=which"])
        except BadInput as error:
            _, _, names = str(error).partition("allowed: ")
            if names:
                return names.split(", ")
            raise
        raise RunFailed("sennit-sim accepted a scheduler called which")


class Progress:
    """How far it is and how long it will take, on stderr. A run's time is that of the last one of
    its kind, or else follows from what it carries; how wrong that was so far corrects the rest."""

    def __init__(self, simulator, commands):
        self.store, self.jobs = simulator.store, simulator.jobs
        self.started = time.monotonic()
        commands = list(commands)
        todo = [c for c in commands if not (self.store and self.store.find(c))]
        self.expected = {command: self._expected(command) for command in todo}
        self.done, self.count, self.all = 0.0, len(commands) - len(todo), len(commands)
        self.total = sum(self.expected.values())
        there = f" ({self.count} more are there already)" if self.count else ""
        self._say(f"{len(todo)} runs{there}, about {minutes(self.total / self.jobs)} with "
                  f"{self.jobs} at a time")

    def _expected(self, command):
        known = self.store.times.get(command.kind) if self.store else None
        return known or SECONDS_PER_RUN + SECONDS_PER_GIGABIT * command.gigabits

    def ended(self, label, command, failure):
        if command not in self.expected:
            return
        self.count += 1
        self.done += self.expected[command]
        spent = time.monotonic() - self.started
        word = f"failed: {failure}" if failure else "done"
        self._say(f"[{self.count}/{self.all}, {minutes(spent)}, "
                  f"{minutes(spent * (self.total - self.done) / self.done)} left] {label}: {word}")

    @staticmethod
    def _say(text):
        print(text, file=sys.stderr, flush=True)


def minutes(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

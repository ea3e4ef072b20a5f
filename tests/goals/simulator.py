"""Runs sennit-sim: one process per job, several at a time, none of which takes another along."""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import time


class BadInput(Exception):
    """What the user asked for cannot be run; the text says why."""


class RunFailed(Exception):
    pass


class Simulator:
    def __init__(self, build, jobs=1):
        self.program = pathlib.Path(build) / "bin" / "sennit-sim"
        if not self.program.is_file():
            raise BadInput(f"{self.program} is not there; build it: "
                           "cmake --build --preset release --target sennit-sim")
        self.jobs = jobs

    def run(self, arguments):
        """Summaries by variant."""
        done = subprocess.run(
            [self.program, "run", *map(str, arguments), "--json", "--quiet", "--jobs", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False)
        said = " ".join(done.stderr.split())[-400:]
        if done.returncode == 2:
            raise BadInput(said)
        if done.returncode not in (0, 1):
            raise RunFailed(f"sennit-sim ended with status {done.returncode}: {said}")
        return {summary["variant"]: summary for summary in json.loads(done.stdout)}

    def run_all(self, tasks, work):
        """Calls work(task) for all; yields (task, result, failure) as they end, one of the two None.
        Progress goes to stderr. BadInput ends everything: it would be the same for the rest."""
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = {pool.submit(work, task): task for task in tasks}
            try:
                for count, future in enumerate(concurrent.futures.as_completed(futures), 1):
                    task, result, failure = futures[future], None, None
                    try:
                        result = future.result()
                    except BadInput:
                        raise
                    except Exception as error:  # one run's trouble stays its own
                        failure = f"{type(error).__name__}: {error}"
                    word = f"failed: {failure}" if failure else "done"
                    print(f"[{count}/{len(futures)}, {time.monotonic() - started:.0f} s] "
                          f"{task.label}: {word}", file=sys.stderr, flush=True)
                    yield task, result, failure
            finally:
                pool.shutdown(cancel_futures=True)

    def schedulers(self, scenario):
        """Names of all that are built in: the simulator lists them when it does not know one."""
        try:
            self.run([scenario, "--set", "tunnel.scheduler.algorithm=which"])
        except BadInput as error:
            _, _, names = str(error).partition("allowed: ")
            if names:
                return names.split(", ")
            raise
        raise RunFailed("sennit-sim accepted a scheduler called which")

#!/usr/bin/env python3
"""Runs the goal profiles in ns-3 and prints which goals are met. scripts/goals.sh builds and calls
this with the build folder."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import yaml

import goal_list
import options as command_line
import schedulers
import sweep
import table
from measure import NoFigure, Outcome
from simulator import BadInput, Simulator

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
RECORDINGS = {"verizon": "Verizon-LTE-short", "t-mobile": "TMobile-LTE-short",
              "att": "ATT-LTE-driving-2016"}
SKIPPED = 77  # as ctest is told


@dataclasses.dataclass(frozen=True)
class Task:
    case: goal_list.Case
    control: str
    seed: int
    settings: tuple = ()  # beyond the case's
    suffix: str = ""

    @property
    def label(self):
        return f"{self.case.goal} {self.case.name} {self.control} seed {self.seed}{self.suffix}"


def recording_settings():
    """None if a recording is not there."""
    folder = pathlib.Path(os.environ.get("SENNIT_RECORDINGS", SOURCE / ".." / "shared" / "traces"))
    settings = []
    for link, recording in RECORDINGS.items():
        for direction in ("up", "down"):
            file = (folder / f"{recording}.{direction}").resolve()
            if not file.exists():
                print(f"goal 8 is skipped: {file} is not there; $SENNIT_RECORDINGS names the folder",
                      file=sys.stderr)
                return None
            settings.append(f"links.{link}.{direction}.trace.file={file}")
    return tuple(settings)


def make_tasks(options, cases):
    """One per case, congestion control and seed."""
    recordings = recording_settings() if any(case.recordings for case in cases) else ()
    tasks = []
    for case in cases:
        if case.recordings and recordings is None:
            continue
        for control in case.controls:
            if control not in (*options.cc, "-"):
                continue
            settings = recordings if case.recordings else ()
            settings += tuple(f"traffic.{flow}.congestion_control={control}" for flow in case.flows)
            tasks += [Task(case, control, seed, settings) for seed in options.seeds]
    return tasks


def arguments_of(task, options, out):
    """Of sennit-sim. The user's settings come last, so that they win."""
    case = task.case
    settings = [*case.settings, *task.settings, *(case.short if options.short else ())]
    if case.trace:
        settings.append("tunnel.trace_packets=false")  # the 100 ms series are enough
    arguments = [case.path, "--seed", task.seed, "--out", out]
    for variant in ("default", *case.variants):
        arguments += ["--variant", variant]
    for text in (*settings, *options.settings):
        arguments += ["--set", text]
    if options.duration:
        arguments += ["--duration", options.duration]
    if case.best_single:
        arguments.append("--best-single")
    if not case.trace:
        arguments.append("--no-trace")
    return arguments


def measure(simulator, options, task):
    """Figure of each check by name; a NoFigure in the place of one that the run cannot give."""
    out = options.out / "runs" / f"{task.case.name}-{task.control}{task.suffix}"
    summaries = simulator.run(arguments_of(task, options, out))
    folder = out / task.case.profile / "default" / f"seed-{task.seed}"
    figures = {}
    for check in task.case.checks:
        try:
            figures[check.name] = check.figure(Outcome(summaries, folder))
        except NoFigure as error:
            figures[check.name] = error
    return figures


def goal_rows(tasks, results, options, thresholds=None):
    """`thresholds`: ci.yaml's, by row; other rows are left out."""
    rows = []
    for case, control in dict.fromkeys((task.case, task.control) for task in tasks):
        mine = [results[task] for task in tasks if (task.case, task.control) == (case, control)]
        for check in case.checks:
            name = f"{case.goal} {case.name} {control} {check.name}"
            if thresholds is not None and name not in thresholds:
                continue
            values, failures = [], []
            for figures, failure in mine:
                figure = NoFigure(failure) if failure else figures[check.name]
                (failures if isinstance(figure, NoFigure) else values).append(figure)
            rows.append(table.row(case.goal, case.name, control, check, values,
                                  [str(failure) for failure in failures], len(mine),
                                  (thresholds or {}).get(name)))
    return rows


def unit_rows(options):
    """Goals 12 and 13, if their program is built."""
    wanted = [n for n in goal_list.UNIT_GOALS if not options.only or n in options.only]
    program = pathlib.Path(options.build) / "bin" / "fec_goals"
    if not wanted or not program.is_file():
        return []
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        lines.append({"goal": wanted[0], "profile": program.name, "goal_text": "exit status 0",
                      "measured": done.returncode, "met": False})
    return [table.unit_row(line) for line in lines if line["goal"] in wanted]


def ci_thresholds():
    """By row; None: the goal itself."""
    return yaml.safe_load((HERE / "ci.yaml").read_text()) or {}


def asked_in_ci(thresholds, case, control):
    return any(f"{case.goal} {case.name} {control} {check.name}" in thresholds
               for check in case.checks)


def run_goals(options, simulator, cases):
    started = time.monotonic()
    tasks = make_tasks(options, cases)
    thresholds = ci_thresholds() if options.ci else None
    if options.ci:
        tasks = [task for task in tasks if asked_in_ci(thresholds, task.case, task.control)]
    results, interrupted = {}, False
    try:
        for task, figures, failure in simulator.run_all(
            tasks, lambda task: measure(simulator, options, task)
        ):
            results[task] = figures, failure
    except KeyboardInterrupt:  # what has ended is worth a table
        interrupted, tasks = True, [task for task in tasks if task in results]
    rows = goal_rows(tasks, results, options, thresholds) + unit_rows(options)
    rows.sort(key=lambda row: row["goal"])
    if not rows:
        print("nothing is asked of these goals here")
        return SKIPPED
    report(options, rows, (time.monotonic() - started) / 60, interrupted)
    if interrupted:
        return 130
    if any(failure for _, failure in results.values()):
        return 3
    return 0 if all(row["met"] for row in rows) else 1


def report(options, rows, minutes, interrupted):
    said = (f"{sum(row['met'] for row in rows)} of {len(rows)} met; seeds "
            f"{','.join(map(str, options.seeds))}, {options.duration or 'full length'}"
            f"{''.join(f', {text}' for text in options.settings)}; {minutes:.1f} min"
            f"{'; interrupted' if interrupted else ''}")
    print(table.write(options.out, "goals", "Goals", table.COLUMNS, [table.cells(r) for r in rows],
                      [*table.notes(rows), said],
                      {"seeds": options.seeds, "duration": options.duration, "short": options.short,
                       "settings": options.settings, "wall_min": round(minutes, 2),
                       "interrupted": interrupted, "rows": rows}))


def main():
    options = command_line.parse(sys.argv[1:])
    if options.check_arguments:
        return 0
    simulator = Simulator(options.build, options.jobs)
    if options.sweep:
        return sweep.run(options, simulator)
    cases = [case for case in goal_list.CASES if not options.only or case.goal in options.only]
    if options.variants:
        return schedulers.run(options, simulator, cases, make_tasks, measure)
    return run_goals(options, simulator, cases)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BadInput as error:
        print(f"goals.sh: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

#!/usr/bin/env python3
"""Runs the goal profiles in ns-3 and prints which goals are met. scripts/goals.sh builds and calls
this with the build folder."""

import json
import pathlib
import signal
import subprocess
import sys
import time

import yaml

import goal_list
import options as command_line
import plots
import report
import schedulers
import sweep
import table
from measure import NoFigure
from simulator import BadInput, Simulator
from tasks import command_of, figures_of, make_tasks

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77  # as ctest is told


def goal_rows(tasks, results, options, thresholds=None):
    """`thresholds`: ci.yaml's, by row; other rows are left out."""
    rows = []
    for case, control in dict.fromkeys((task.case, task.control) for task in tasks):
        mine = [task for task in tasks if (task.case, task.control) == (case, control)]
        for check in case.checks:
            name = f"{case.goal} {case.name} {control} {check.name}"
            if thresholds is not None and name not in thresholds:
                continue
            values, failures = {}, []
            for task in mine:
                found, failure = results[task]
                figure = NoFigure(failure) if failure else found[check.name]
                if isinstance(figure, NoFigure):
                    failures.append(str(figure))
                else:
                    values[task.seed] = figure
            rows.append(table.row(case, control, check, values, failures, options,
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
        for task, found, failure in simulator.run_all(
            tasks, lambda task: command_of(task, options),
            lambda task, summaries: figures_of(task, options, summaries)
        ):
            results[task] = found, failure
    except KeyboardInterrupt:  # what has ended is worth a table
        interrupted = True
        tasks = [task for task in tasks if task in results and not results[task][1]]
    rows = goal_rows(tasks, results, options, thresholds) + unit_rows(options)
    rows.sort(key=lambda row: row["goal"])
    if not rows:
        print("skipped: ci.yaml asks for nothing of these goals; runs when a row of theirs is met and stands there,"
              " and at full length by scripts/goals.sh")
        return SKIPPED
    say(options, simulator, rows, (time.monotonic() - started) / 60, interrupted)
    if interrupted:
        return 130
    undrawn = plots.draw(options, simulator, tasks, rows) if options.plots else 0
    if undrawn or any(failure for _, failure in results.values()):
        return 3
    return 0 if all(row["met"] for row in rows) else 1


def say(options, simulator, rows, wall_min, interrupted):
    """Prints and keeps the table. goals.json also keeps the rows of earlier, other goals."""
    for row in rows:
        row["measured_with"] = {"build": simulator.build, "duration": options.duration,
                                "settings": options.settings}
    said = (f"{sum(row['met'] for row in rows)} of {len(rows)} met; seeds "
            f"{','.join(map(str, options.seeds))}, {options.duration or 'full length'}"
            f"{''.join(f', {text}' for text in options.settings)}; {wall_min:.1f} min"
            f"{'; interrupted: rows may lack seeds' if interrupted else ''}")
    keys = ("goal", "profile", "control", "figure")
    whole = [row for row in rows if not row["seeds"]
             or len(row["values"]) + len(row["failures"]) == row["seeds"]]
    kept = table.merged(options.out / "goals.json", whole, keys)
    print(table.write(options.out, "goals", "Goals", table.COLUMNS, [table.cells(r) for r in rows],
                      [*table.notes(rows), said], {"rows": kept}))


def main():
    options = command_line.parse(sys.argv[1:])
    if options.check_arguments:
        return 0
    if options.report:
        return report.write(options.report, options.out)
    simulator = Simulator(options.build, options.jobs, None if options.ci else options.out)
    if options.sweep:
        return sweep.run(options, simulator)
    cases = [case for case in goal_list.CASES if not options.only or case.goal in options.only]
    if options.variants:
        return schedulers.run(options, simulator, cases)
    return run_goals(options, simulator, cases)


def interrupt(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main())
    except BadInput as error:
        print(f"goals.sh: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

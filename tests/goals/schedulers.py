"""Every scheduler on every profile: the first figure of each, side by side."""

import dataclasses
import statistics

import goal_list
import table


def cell(check, outcomes):
    """Median over seeds; empty if no run gave the figure."""
    values = [figures[check.name] for figures, failure in outcomes
              if not failure and isinstance(figures[check.name], (int, float))]
    return statistics.median(values) if values else None


def run(options, simulator, cases, make_tasks, measure):
    names = simulator.schedulers(goal_list.CASES[0].path)
    # Without the other variants: they are schedulers too.
    cases = [dataclasses.replace(case, variants=(), checks=case.checks[:1]) for case in cases]
    tasks = [
        dataclasses.replace(
            task, settings=(*task.settings, f"tunnel.scheduler.algorithm={name}"), suffix=f" {name}")
        for task in make_tasks(options, cases) for name in names
    ]
    work = lambda task: measure(simulator, options, task)
    results = {}
    for task, figures, failure in simulator.run_all(tasks, work):
        results.setdefault((task.case, task.control, task.suffix), []).append((figures, failure))
    rows, data = [], []
    for case, control in dict.fromkeys((task.case, task.control) for task in tasks):
        check = case.checks[0]
        medians = [cell(check, results[case, control, f" {name}"]) for name in names]
        shown = ["failed" if m is None else f"{m:.{check.digits}f}{check.unit}" for m in medians]
        asked = f"{'>=' if check.at_least else '<='} {check.goal:g}{check.unit}"
        rows.append((str(case.goal), case.name, control, check.name, asked, *shown))
        data.append({"goal": case.goal, "profile": case.name, "control": control,
                     "figure": check.name, "medians": dict(zip(names, medians))})
    header = ("goal", "profile", "control", "figure", "asked", *names)
    print(table.write(options.out, "schedulers", "Schedulers", header, rows,
                      [f"Medians over seeds {','.join(map(str, options.seeds))}."], data))
    return 3 if any(failure for runs in results.values() for _, failure in runs) else 0

"""Every scheduler on every profile, side by side: the fraction of the bound, and where a profile
has another question than rate, that figure instead or beside it."""

import dataclasses
import statistics

import goal_list
import measure
import table
from tasks import command_of, figures_of, make_tasks

SHARES = ("fraction", "fraction to the end", "download's fraction")
BESIDE = ("hold p99", "self-inflicted p95", "call's delay p99")
FRACTION = goal_list.at_least("fraction", measure.fraction, 0)


def checks_of(case):
    """What a row each is made of. Without what needs other variants, single links or a trace."""
    if not case.flows:
        return case.checks[:1]
    shares = [check for check in case.checks if check.name in SHARES] or [FRACTION]
    return (*shares, *(check for check in case.checks if check.name in BESIDE))


def plain(case):
    return dataclasses.replace(case, variants=(), best_single=False, trace=False,
                               checks=checks_of(case))


def median(check, outcomes):
    """Over seeds; None if no run gave the figure."""
    values = [figures[check.name] for figures, failure in outcomes
              if not failure and isinstance(figures[check.name], (int, float))]
    return statistics.median(values) if values else None


def run(options, simulator, cases):
    names = simulator.schedulers(goal_list.CASES[0].path)  # our default is the first
    tasks = [
        dataclasses.replace(
            task, suffix=f" {name}",
            settings=(*task.settings, f"tunnel.scheduler.algorithm={name}"))
        for task in make_tasks(options, [plain(case) for case in cases]) for name in names
    ]
    results, interrupted = {}, False
    try:
        for task, figures, failure in simulator.run_all(
            tasks, lambda task: command_of(task, options),
            lambda task, summaries: figures_of(task, options, summaries)
        ):
            mine = results.setdefault((task.case, task.control, task.suffix), [])
            mine.append((figures, failure))
    except KeyboardInterrupt:
        interrupted = True
    rows = []
    for case, control in dict.fromkeys((task.case, task.control) for task in tasks):
        outcomes = {name: results.get((case, control, f" {name}"), []) for name in names}
        if interrupted and not all(len(found) == len(options.seeds) for found in outcomes.values()):
            continue
        rows += [row(options, simulator, case, control, check, outcomes) for check in case.checks]
    kept = table.merged(options.out / "schedulers.json", rows,
                        ("goal", "profile", "control", "figure"))
    header = ("goal", "profile", "control", "figure", *names)
    print(table.write(options.out, "schedulers", "Schedulers", header, [cells(row) for row in rows],
                      [f"Medians over seeds {','.join(map(str, options.seeds))}."], {"rows": kept}))
    if interrupted:
        return 130
    return 3 if any(failure for runs in results.values() for _, failure in runs) else 0


def row(options, simulator, case, control, check, outcomes):
    return {"goal": case.goal, "profile": case.name, "control": control, "figure": check.name,
            "at_least": check.at_least, "unit": check.unit, "digits": check.digits,
            "seeds": len(options.seeds),
            "medians": {name: median(check, found) for name, found in outcomes.items()},
            "measured_with": {"build": simulator.build, "duration": options.duration,
                              "settings": options.settings}}


def cells(row):
    shown = ["failed" if value is None else f"{value:.{row['digits']}f}{row['unit']}"
             for value in row["medians"].values()]
    return (str(row["goal"]), row["profile"], row["control"], row["figure"], *shown)

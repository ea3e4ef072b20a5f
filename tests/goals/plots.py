"""What limits a goal, drawn (--plots): one figure for each profile and congestion control of which a
row is not met, of the seed whose value was the median, or the worst where every seed counts. It is
run once more, with its trace."""

import dataclasses
import sys

import report
import table
from simulator import BadInput
from tasks import SOURCE, command_of
from store import run_folder

sys.path.insert(0, str(SOURCE / "analysis"))

VOICE_PACKET_MS = 20
# Class and size of the packets of black-hole.yaml's flows: nothing else has both.
STREAMS = {"stream": ("bulk", 200), "call": ("realtime", 200)}
BEFORE_EVENT_S = 0.5
AFTER_CUT_S, AFTER_RETURN_S = 2.0, 10.0
LARGEST_KB = 100  # they lie in docs/


def seed_to_draw(row):
    """Of the run that the verdict is about."""
    by_value = sorted(zip(row["values"], row["value_seeds"]))
    if not by_value:
        return None
    if row["every_seed"]:
        return by_value[0 if row["at_least"] else -1][1]
    return by_value[len(by_value) // 2 if not row["at_least"] else (len(by_value) - 1) // 2][1]


def figures_to_draw(rows, all_rows):
    """{(profile, control): its rows}, those that are drawn only."""
    groups = {}
    for row in rows:
        if "values" in row:
            groups.setdefault((row["profile"], row["control"]), []).append(row)
    return {key: mine for key, mine in groups.items()
            if all_rows or not all(row["met"] for row in mine)}


def title(task, rows):
    """What was measured of what is asked, missed goals first; at most what one line holds."""
    words = [f"{row['figure']} {table.measured(row)}, asked {table.asked(row)}"
             for row in sorted(rows, key=lambda row: row["met"]) if not row["met"]]
    words = words or [f"{row['figure']} {table.measured(row)}" for row in rows]
    return (f"Goal {task.case.goal}: {task.case.says}, {task.control}, seed {task.seed}\n"
            + "\n".join(text.replace(">=", "≥").replace("<=", "≤") for text in words))


def draw(options, simulator, tasks, rows):
    """Exit status: 3 if a run or a figure failed."""
    groups, drawn = figures_to_draw(rows, options.plot_met), {}
    for (profile, control), mine in groups.items():
        lead = next((row for row in mine if not row["met"] and row["values"]), mine[0])
        seed = seed_to_draw(lead)
        for task in tasks:
            if (task.case.name, task.control, task.seed) == (profile, control, seed):
                drawn[dataclasses.replace(
                    task, case=dataclasses.replace(task.case, trace=True), suffix=" traced")] = mine
    if not drawn:
        print("no goal is missed: no figure", file=sys.stderr)
        return 0
    options.plots.mkdir(parents=True, exist_ok=True)
    failed = False
    for task, summaries, failure in simulator.run_all(
        drawn, lambda task: command_of(task, options, task.case.name == "black-hole"),
        lambda _, summaries: summaries
    ):
        try:  # here, not beside the runs: matplotlib knows one thread
            if not failure:
                draw_one(options, task, drawn[task], summaries)
        except Exception as error:  # one figure's trouble stays its own
            failure = f"{type(error).__name__}: {error}"
            print(f"{task.label}: not drawn: {failure}", file=sys.stderr)
        failed = failed or failure is not None
    return 3 if failed else 0


def draw_one(options, task, rows, summaries):
    import sennit  # not needed without --plots, nor matplotlib then

    file = options.plots / report.figure_name(task.case.name, task.control)
    out = options.out / "runs" / task.folder_name
    run = sennit.read(run_folder(out, summaries["default"]))
    words = title(task, rows)
    if task.case.name == "black-hole":
        draw_cut(sennit, run, file, words, rows)
    else:
        others = [(name, sennit.read(run_folder(out, summaries[name])))
                  for name in task.case.variants]
        sennit.limits(run, file, title=words, rates=rates(summaries["default"], rows),
                      delays=delays(rows), others=others, end=end_of(summaries["default"]))
    if file.stat().st_size > LARGEST_KB * 1000:
        print(f"{file}: {file.stat().st_size // 1000} kB, more than {LARGEST_KB}", file=sys.stderr)


def rates(summary, rows):
    """Lines to compare goodput with."""
    aggregate = summary["aggregate"]
    lines = [("bound", aggregate["bound_mbps"])]
    for row in rows:
        if row["figure"] in ("fraction", "download's fraction", "fraction to the end"):
            lines.append(("asked", row["asked"] * aggregate["bound_mbps"]))
    if aggregate.get("best_single_mbps"):
        lines.append(("best link alone", aggregate["best_single_mbps"]))
    return lines


def delays(rows):
    """Lines to compare the packets' delay with. The recordings' self-inflicted delay is what is
    above their 20 ms."""
    asked = {row["figure"]: row["asked"] for row in rows}
    lines = []
    for figure, words, more in (("hold p99", "hold asked, p99", 0),
                                ("call's delay p99", "asked, p99", 0),
                                ("self-inflicted p95", "asked, p95", 20)):
        if figure in asked:
            lines.append((words, asked[figure] + more))
    return lines


def end_of(summary):
    """A transfer is over before the run is."""
    completions = [flow["completion_s"] for flow in summary["flows"].values()]
    if completions and all(completions):
        return max(completions) + 0.5
    return None


def draw_cut(sennit, run, file, words, rows):
    lost, back = (float(time) for time in run.events["time_s"][:2])
    end = float(run.attributes["duration_s"])
    asked = {row["figure"]: row["asked"] for row in rows}
    run_part = run.summary["run"]
    share = run_part["inner_mtu"] / (run_part["inner_mtu"] + run_part["outer_overhead"])
    capacity = {link: float(run.paths["b"][link]["capacity_mbps"].iloc[5]) for link in run.links}
    survivor = next(link for link in run.links if link not in run.events["text"].iloc[0])
    sennit.cut(
        run, [(lost - BEFORE_EVENT_S, min(back, lost + AFTER_CUT_S)),
              (back - BEFORE_EVENT_S, min(end, back + AFTER_RETURN_S))], STREAMS, file, words,
        gaps=[("asked of stream", asked["stream's longest gap"]),
              ("asked of call", asked["call's gap beyond 20 ms"] + VOICE_PACKET_MS)],
        rates=[("95 % of both", 0.95 * share * sum(capacity.values())),
               (f"95 % of {survivor}", 0.95 * share * capacity[survivor])])


def draw_pairs(options, csv):
    import sennit

    options.plots.mkdir(parents=True, exist_ok=True)
    try:
        sennit.pairs(csv, options.plots / "sweep.png")
    except sennit.TraceError as error:
        raise BadInput(str(error)) from error

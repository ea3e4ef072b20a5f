"""KPIs of several runs as one table."""

import pandas as pd

from sennit.reader import read, read_all

_FLOW_KPIS = [("goodput_mbps", "goodput, Mbit/s"), ("completion_s", "completed in, s"),
              ("mos", "voice quality, MOS"), ("frames_on_time_ratio", "frames on time, ratio"),
              ("loss_ratio", "loss, ratio"), ("longest_gap_ms", "longest gap, ms")]
_AGGREGATE = [("goodput_mbps", "goodput, Mbit/s"), ("bound_mbps", "bound, Mbit/s"),
              ("fraction_of_bound", "fraction of bound"),
              ("best_single_mbps", "best single link, Mbit/s"),
              ("aggregation_benefit", "aggregation benefit")]


def kpis(summary):
    """One summary's KPIs, in order: {(group, "quantity, unit"): number}."""
    values = {}
    for key, label in _AGGREGATE:
        values["all flows", label] = summary["aggregate"].get(key)
    for name, flow in summary["flows"].items():
        for key, label in _FLOW_KPIS:
            values[name, label] = flow.get(key)
        values[name, "one-way delay p50, ms"] = flow["owd_ms"]["p50"]
        values[name, "one-way delay p99, ms"] = flow["owd_ms"]["p99"]
    direction = summary["aggregate"].get("direction") or "down"
    for name, link in summary["links"].items():
        values["link " + name, "carried, Mbit/s"] = link[direction]["carried_mbps"]
        values["link " + name, "queue p99, ms"] = link[direction]["queue_ms"]["p99"]
    sender, receiver = ("a", "b") if direction == "up" else ("b", "a")
    values["tunnel", "held for order p99, ms"] = summary["tunnel"][receiver]["hold_ms"]["p99"]
    values["tunnel", "repair, ratio"] = summary["tunnel"][sender]["repair_ratio"]
    values["tunnel", "overhead, ratio"] = summary["tunnel"][sender]["overhead_ratio"]
    return {key: value for key, value in values.items() if value is not None}


def table(folders):
    """KPIs as rows; scenario, variant and seed as columns. `folders` may hold many runs each."""
    columns = {}
    for folder in folders:
        for run in read_all(folder) or [read(folder)]:
            summary = run.summary
            if summary is None:
                continue
            columns[summary["scenario"], summary["variant"], summary["seed"]] = kpis(summary)
    rows = list(dict.fromkeys(key for column in columns.values() for key in column))
    frame = pd.DataFrame({name: pd.Series(column) for name, column in columns.items()})
    frame = frame.reindex(pd.MultiIndex.from_tuples(rows, names=["", "KPI"]))
    frame.columns = pd.MultiIndex.from_tuples(columns, names=["scenario", "variant", "seed"])
    return frame

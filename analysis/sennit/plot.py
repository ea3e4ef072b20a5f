"""The figure of one run: where the throughput came from, what delay the flows saw, and why."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sennit.drawing import (FLOW_COLOURS, INK, LINK_COLOURS, STYLE, add_legend, arrow,
                            bulk_direction, draw_waiting, mark_events, save, scale_top,
                            set_time_axis, smooth)
from sennit.reader import TraceError


def plot(run, output=None, begin=None, end=None):
    """Draws `run` (of sennit.read) and returns the matplotlib figure.

    `output`: a PNG (300 dpi), PDF or SVG file, by its ending. `begin`, `end`: of the time axis, s.
    """
    if len(run.tunnel["a"]) == 0 and all(len(flow) == 0 for flow in run.flows.values()):
        raise TraceError(f"{run.trace_file}: holds no time series yet")
    with matplotlib.rc_context(STYLE):
        figure = _draw(run, begin, end)
        if output is not None:
            save(figure, Path(output))
    return figure


def _draw(run, begin, end):
    figure = Figure(figsize=(6.7, 6.3), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(h_pad=0.04, hspace=0.02)
    axes = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1.25, 1, 1]})
    direction = bulk_direction(run)
    _throughput(axes[0], run, direction)
    _delay(axes[1], run)
    _queues(axes[2], run, direction)
    set_time_axis(axes, run, begin, end)
    mark_events(axes, run)
    figure.align_ylabels(axes)
    figure.suptitle(_title(run), fontsize=9, color=INK, x=0.01, ha="left")
    return figure


def _title(run):
    attributes = run.attributes
    title = f"{attributes['name']}, variant {attributes['variant']}, seed {attributes['seed']}"
    return title if run.complete else title + " (partial: the run did not reach its end)"


def _throughput(axis, run, direction):
    sender = "a" if direction == "up" else "b"
    series = run.paths[sender]
    times = series[run.links[0]]["time_s"].to_numpy()
    carried = [smooth(series[link]["carried_mbps"]) for link in run.links]
    capacity = smooth(sum(series[link]["capacity_mbps"].to_numpy(dtype=float)
                           for link in run.links))
    colours = [LINK_COLOURS[i % len(LINK_COLOURS)] for i in range(len(run.links))]
    axis.stackplot(times, carried, colors=colours, alpha=0.75, linewidth=0)
    axis.plot(times, capacity, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
    goodput = _goodput(run, direction, times)
    axis.plot(times, goodput, color=INK, linewidth=1.2)
    axis.set_ylabel("Throughput, Mbit/s")
    axis.set_ylim(0, 1.06 * max(np.max(values, initial=0.1)
                                for values in (capacity, sum(carried), goodput)))
    handles = [Line2D([], [], color=INK, linewidth=0.9, linestyle=(0, (4, 2))),
               *[Patch(facecolor=colour, alpha=0.75) for colour in reversed(colours)],
               Line2D([], [], color=INK, linewidth=1.2)]
    add_legend(axis, handles, ["capacity of all links", *reversed(run.links), "goodput of all flows"],
            f"Links {arrow(direction)}")


def _goodput(run, direction, times):
    """Packet flows included; rows of all tables are of the same instants, but a killed run's may
    differ in number."""
    total = np.zeros(len(times))
    for name, flow in run.flows.items():
        if run.flow_attributes(name)["direction"] != direction or len(flow) == 0:
            continue
        total += np.interp(times, flow["time_s"], flow["goodput_mbps"])
    return smooth(total)


def _delay(axis, run):
    handles, labels, largest = [], [], []
    for i, (name, flow) in enumerate(run.flows.items()):
        colour = FLOW_COLOURS[i % len(FLOW_COLOURS)]
        attributes = run.flow_attributes(name)
        if flow["owd_ms_max"].notna().sum() == 0:
            continue
        axis.fill_between(flow["time_s"], flow["owd_ms_mean"], flow["owd_ms_max"], color=colour,
                          alpha=0.22, linewidth=0)
        axis.plot(flow["time_s"], flow["owd_ms_mean"], color=colour)
        largest.append(flow["owd_ms_max"].to_numpy(dtype=float))
        handles.append((Patch(facecolor=colour, alpha=0.22), Line2D([], [], color=colour)))
        labels.append(f"{name} ({attributes['kind']}, {arrow(attributes['direction'])})")
    axis.set_ylabel("One-way delay, ms")
    axis.set_ylim(0, scale_top(axis, largest))
    add_legend(axis, handles, labels, "Flows: mean to maximum")


def _queues(axis, run, direction):
    sender, receiver = ("a", "b") if direction == "up" else ("b", "a")
    queues = [(link, run.paths[sender][link], LINK_COLOURS[i % len(LINK_COLOURS)])
              for i, link in enumerate(run.links)]
    handles, labels = draw_waiting(axis, queues, run.tunnel[receiver], INK)
    axis.set_ylabel("Queueing, ms")
    add_legend(axis, handles, labels, f"Waiting {arrow(direction)}")

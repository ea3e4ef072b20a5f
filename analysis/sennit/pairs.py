"""Where bonding is worth it: the aggregation benefit of random pairs of links (the sweep.csv of
scripts/goals.sh --sweep) against what sets their links apart."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sennit.drawing import GREY, INK, LINK_COLOURS, STYLE, save
from sennit.limits import DASHED, SCREEN_COLOURS, SCREEN_DPI
from sennit.reader import TraceError

LOWEST = -0.6  # what is below is drawn there, as an arrow
COLOURS = {"cubic": LINK_COLOURS[0], "bbr": LINK_COLOURS[5]}
BINS = 8


def read_pairs(file):
    """One row per pair or triple that was measured."""
    frame = pd.read_csv(file)
    if "aggregation_benefit" not in frame or "rate_mbps_0" not in frame:
        raise TraceError(f"{file}: is no table of pairs; scripts/goals.sh --sweep writes one")
    frame = frame[frame["aggregation_benefit"].notna()]
    if frame.empty:
        raise TraceError(f"{file}: holds no pair that was measured")
    return frame


def causes(frame):
    """(words, values, logarithmic): what a pair's benefit is drawn against."""
    def columns(name):
        return frame[[c for c in frame.columns if c.rsplit("_", 1)[0] == name]]

    delays, rates = columns("delay_ms"), columns("rate_mbps")
    return [("Largest jitter, standard deviation, ms", columns("jitter_ms").max(axis=1), False),
            ("Largest loss, %", columns("loss_percent").max(axis=1), False),
            ("Longest / shortest delay", delays.max(axis=1) / delays.min(axis=1), True),
            ("Highest / lowest capacity", rates.max(axis=1) / rates.min(axis=1), True)]


def pairs(file, output=None, title=None):
    """Draws the table of pairs and returns the matplotlib figure. `output`: as of sennit.plot."""
    frame = read_pairs(file)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.7, 5.2), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, 2, sharey=True).ravel()
        for axis, cause in zip(axes, causes(frame)):
            _panel(axis, frame, *cause)
        for axis in axes[::2]:
            axis.set_ylabel("Aggregation benefit")
        axes[0].set_ylim(LOWEST - 0.08, 1.12)
        _legend(figure, frame)
        median = frame["aggregation_benefit"].median()
        figure.suptitle(title or f"{len(frame)} random pairs and triples: median benefit "
                        f"{median:.2f}", fontsize=9, color=INK, x=0.01, ha="left")
        if output is not None:
            save(figure, Path(output), SCREEN_DPI, SCREEN_COLOURS)
    return figure


def _panel(axis, frame, words, values, logarithmic):
    benefit = frame["aggregation_benefit"]
    if not logarithmic:
        values = _spread_noughts(axis, values)
    for control, colour in COLOURS.items():
        for lossy, face in ((False, colour), (True, "none")):
            chosen = (frame["control"] == control) & (_lossy(frame) == lossy)
            for below, marker in ((False, "o"), (True, "v")):
                dots = chosen & ((benefit < LOWEST) == below)
                axis.scatter(values[dots], benefit[dots].clip(lower=LOWEST), s=11, marker=marker,
                             facecolors=face, edgecolors=colour, linewidths=0.8, alpha=0.8)
    axis.plot(*running_median(values.to_numpy(), benefit.to_numpy()), color=INK, linewidth=1.4)
    axis.axhline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
    axis.axhline(1, color=GREY, linewidth=0.8, linestyle=DASHED)
    if logarithmic:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlabel(words)


def _spread_noughts(axis, values):
    """Pairs that have none of it would lie on one line: they get a strip left of nought."""
    width = 0.12 * max(values.max(), 1e-9)
    ticks = [tick for tick in MaxNLocator(5).tick_values(0, values.max()) if 0 < tick]
    axis.set_xticks([-width / 2 - 0.3 * width, *ticks],
                    ["none", *[f"{tick:g}" for tick in ticks]])
    place = np.arange(len(values)) * 0.618 % 1  # evenly, whatever their number
    return values.where(values > 0, -width * (0.3 + place))


def _lossy(frame):
    return frame[[c for c in frame.columns if c.startswith("loss_percent_")]].max(axis=1) > 0


def running_median(values, benefit):
    """Medians of values and benefit over groups of equal size, in order of the values. Those that
    have none of it, up to nought, are one group."""
    groups = []
    order = np.argsort(values, kind="stable")
    if np.any(values <= 0):
        groups.append(order[values[order] <= 0])
    rest = order[values[order] > 0]
    groups += [group for group in np.array_split(rest, min(BINS, max(1, len(rest) // 4)))
               if len(group)]
    return ([np.median(values[group]) for group in groups],
            [np.median(benefit[group]) for group in groups])


def _legend(figure, frame):
    handles, labels = [], []
    lossy = _lossy(frame)
    for control, colour in COLOURS.items():
        for some, face, words in ((False, colour, ""), (True, "none", ", with loss")):
            if ((frame["control"] == control) & (lossy == some)).any():
                handles.append(Line2D([], [], linestyle="", marker="o", markersize=3.6,
                                      markerfacecolor=face, markeredgecolor=colour))
                labels.append(control + words)
    handles += [Line2D([], [], color=INK, linewidth=1.4),
                Line2D([], [], color=GREY, linewidth=0.8, linestyle=DASHED)]
    labels += ["running median", "0: best link alone; 1: the sum"]
    if (frame["aggregation_benefit"] < LOWEST).any():
        handles.append(Line2D([], [], linestyle="", marker="v", markersize=3.6, color=INK))
        labels.append(f"below {LOWEST:g}")
    figure.get_layout_engine().set(rect=(0, 0.09, 1, 0.91))
    figure.legend(handles, labels, loc="lower center", ncols=4)

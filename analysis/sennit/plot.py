"""The figure of one run: where the throughput came from, what delay the flows saw, and why.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; links and flows keep
theirs through all panels. Sizes are for a page of 17 cm width, two columns of a paper.
"""

import re
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sennit.reader import TraceError

_LINK_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"]
_FLOW_COLOURS = ["#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#0072B2", "#F0E442"]
_INK, _GREY = "#222222", "#777777"
_STYLE = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8,
    "axes.labelsize": 8, "axes.titlesize": 8.5, "legend.fontsize": 7.5,
    "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
    "axes.edgecolor": _GREY, "axes.linewidth": 0.6, "axes.labelcolor": _INK,
    "xtick.color": _GREY, "ytick.color": _GREY, "xtick.labelcolor": _INK, "ytick.labelcolor": _INK,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#E4E4E4", "grid.linewidth": 0.5,
    "lines.linewidth": 1.1, "lines.solid_capstyle": "round", "legend.frameon": False,
    "legend.handlelength": 1.4, "legend.borderaxespad": 0.0, "legend.labelspacing": 0.35,
    "pdf.fonttype": 42, "svg.fonttype": "none",
}


def plot(run, output=None, begin=None, end=None):
    """Draws `run` (of sennit.read) and returns the matplotlib figure.

    `output`: a PNG (300 dpi), PDF or SVG file, by its ending. `begin`, `end`: of the time axis, s.
    """
    if len(run.tunnel["a"]) == 0 and all(len(flow) == 0 for flow in run.flows.values()):
        raise TraceError(f"{run.trace_file}: holds no time series yet")
    with matplotlib.rc_context(_STYLE):
        figure = _draw(run, begin, end)
        if output is not None:
            _save(figure, Path(output))
    return figure


def _save(figure, path):
    endings = (".png", ".pdf", ".svg")
    if path.suffix.lower() not in endings:
        raise ValueError(f"{path}: its ending must be one of {', '.join(endings)}")
    figure.savefig(path, dpi=300)


def _draw(run, begin, end):
    figure = Figure(figsize=(6.7, 6.3), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(h_pad=0.04, hspace=0.02)
    axes = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1.25, 1, 1]})
    direction = _bulk_direction(run)
    _throughput(axes[0], run, direction)
    _delay(axes[1], run)
    _queues(axes[2], run, direction)
    _time_axis(axes, run, begin, end)
    _events(axes, run)
    figure.align_ylabels(axes)
    figure.suptitle(_title(run), fontsize=9, color=_INK, x=0.01, ha="left")
    return figure


def _title(run):
    attributes = run.attributes
    title = f"{attributes['name']}, variant {attributes['variant']}, seed {attributes['seed']}"
    return title if run.complete else title + " (partial: the run did not reach its end)"


def _bulk_direction(run):
    """Of the first tcp flow, or without one, of the first flow: as summary.json's aggregate."""
    flows = [run.flow_attributes(name) for name in run.flows]
    flows.sort(key=lambda flow: flow["kind"] != "tcp")
    return flows[0]["direction"] if flows else "down"


def _arrow(direction):
    return "a → b" if direction == "up" else "b → a"


def _smooth(values, samples=5):
    """Mean over half a second: what a reader of a minute-long figure can see."""
    values = np.asarray(values, dtype=float)
    if len(values) < samples:
        return values
    padded = np.pad(values, (samples // 2, samples - 1 - samples // 2), mode="edge")
    return np.convolve(padded, np.full(samples, 1 / samples), mode="valid")


def _throughput(axis, run, direction):
    sender = "a" if direction == "up" else "b"
    series = run.paths[sender]
    times = series[run.links[0]]["time_s"].to_numpy()
    carried = [_smooth(series[link]["carried_mbps"]) for link in run.links]
    capacity = _smooth(sum(series[link]["capacity_mbps"].to_numpy(dtype=float)
                           for link in run.links))
    colours = [_LINK_COLOURS[i % len(_LINK_COLOURS)] for i in range(len(run.links))]
    axis.stackplot(times, carried, colors=colours, alpha=0.75, linewidth=0)
    axis.plot(times, capacity, color=_INK, linewidth=0.9, linestyle=(0, (4, 2)))
    goodput = _goodput(run, direction, times)
    axis.plot(times, goodput, color=_INK, linewidth=1.2)
    axis.set_ylabel("Throughput, Mbit/s")
    axis.set_ylim(0, 1.06 * max(np.max(values, initial=0.1)
                                for values in (capacity, sum(carried), goodput)))
    handles = [Line2D([], [], color=_INK, linewidth=0.9, linestyle=(0, (4, 2))),
               *[Patch(facecolor=colour, alpha=0.75) for colour in reversed(colours)],
               Line2D([], [], color=_INK, linewidth=1.2)]
    _legend(axis, handles, ["capacity of all links", *reversed(run.links), "goodput of all flows"],
            f"Links {_arrow(direction)}")


def _goodput(run, direction, times):
    """Packet flows included; rows of all tables are of the same instants, but a killed run's may
    differ in number."""
    total = np.zeros(len(times))
    for name, flow in run.flows.items():
        if run.flow_attributes(name)["direction"] != direction or len(flow) == 0:
            continue
        total += np.interp(times, flow["time_s"], flow["goodput_mbps"])
    return _smooth(total)


def _delay(axis, run):
    handles, labels, largest = [], [], []
    for i, (name, flow) in enumerate(run.flows.items()):
        colour = _FLOW_COLOURS[i % len(_FLOW_COLOURS)]
        attributes = run.flow_attributes(name)
        if flow["owd_ms_max"].notna().sum() == 0:
            continue
        axis.fill_between(flow["time_s"], flow["owd_ms_mean"], flow["owd_ms_max"], color=colour,
                          alpha=0.22, linewidth=0)
        axis.plot(flow["time_s"], flow["owd_ms_mean"], color=colour)
        largest.append(flow["owd_ms_max"].to_numpy(dtype=float))
        handles.append((Patch(facecolor=colour, alpha=0.22), Line2D([], [], color=colour)))
        labels.append(f"{name} ({attributes['kind']}, {_arrow(attributes['direction'])})")
    axis.set_ylabel("One-way delay, ms")
    axis.set_ylim(0, _top(axis, largest))
    _legend(axis, handles, labels, "Flows: mean to maximum")


def _queues(axis, run, direction):
    sender, receiver = ("a", "b") if direction == "up" else ("b", "a")
    handles, labels, largest = [], [], []
    for i, link in enumerate(run.links):
        colour = _LINK_COLOURS[i % len(_LINK_COLOURS)]
        series = run.paths[sender][link]
        axis.plot(series["time_s"], series["link_queue_ms"], color=colour)
        largest.append(series["link_queue_ms"].to_numpy(dtype=float))
        handles.append(Line2D([], [], color=colour))
        labels.append(f"queue of {link}")
    hold = run.tunnel[receiver]
    if hold["hold_ms_p99"].notna().any():
        axis.plot(hold["time_s"], hold["hold_ms_p99"], color=_INK, linewidth=0.9)
        largest.append(hold["hold_ms_p99"].to_numpy(dtype=float))
        handles.append(Line2D([], [], color=_INK, linewidth=0.9))
        labels.append("held for order, p99")
    axis.set_ylabel("Queueing, ms")
    axis.set_ylim(0, _top(axis, largest))
    _legend(axis, handles, labels, f"Waiting {_arrow(direction)}")


def _top(axis, series):
    """The largest value; but when a few spikes would squeeze the rest into a line, 1.6 times the
    99th percentile, and a note tells the largest."""
    values = np.concatenate(series) if series else np.array([])
    values = values[np.isfinite(values)]
    if len(values) == 0 or values.max() <= 0:
        return 1
    usual = 1.6 * np.percentile(values, 99)
    if values.max() <= 2 * usual or usual <= 0:
        return 1.08 * values.max()
    axis.annotate(f"largest {values.max():.0f} ms, off the scale", xy=(1, 1), xytext=(-2, -1),
                  xycoords="axes fraction", textcoords="offset points", ha="right", va="top",
                  fontsize=6.5, color=_GREY,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
    return usual


def _time_axis(axes, run, begin, end):
    first = run.paths["a"][run.links[0]]["time_s"] if run.links else []
    last = float(first.iloc[-1]) if len(first) else run.attributes["duration_s"]
    begin, end = begin if begin is not None else 0, end if end is not None else last
    axes[-1].set_xlabel("Time, s")
    axes[-1].xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes[-1].set_xlim(begin, end)
    warmup = run.attributes["warmup_s"]
    for axis in axes:
        if begin < warmup:
            axis.axvspan(begin, min(warmup, end), color="#000000", alpha=0.045, linewidth=0)
    if begin < warmup < end:
        axes[0].annotate("warm-up", xy=((begin + min(warmup, end)) / 2, 1),
                         xycoords=("data", "axes fraction"), xytext=(0, 2),
                         textcoords="offset points", ha="center", va="bottom", fontsize=6.5,
                         color=_GREY)


def _events(axes, run):
    """A thin line through all panels, with a letter above; the letters are told below."""
    begin, end = axes[-1].get_xlim()
    events = run.events[(run.events["time_s"] >= begin) & (run.events["time_s"] <= end)]
    if len(events) == 0:
        return
    notes = []
    for i, event in enumerate(events.itertuples()):
        for axis in axes:
            axis.axvline(event.time_s, color=_INK, linewidth=0.6, linestyle=":", zorder=3)
        mark = chr(ord("A") + i) if i < 26 else "•"
        axes[0].annotate(mark, xy=(event.time_s, 1), xycoords=("data", "axes fraction"),
                         xytext=(0, 2), textcoords="offset points", ha="center", va="bottom",
                         fontsize=7, color=_INK)
        if i < 26:
            notes.append(f"{mark}  {event.time_s:g} s: {_in_words(event.text)}")
    shown = notes[:8] + ([f"… and {len(notes) - 8} more"] if len(notes) > 8 else [])
    axes[-1].annotate("\n".join(shown), xy=(0, 0), xycoords="axes fraction", xytext=(0, -30),
                      textcoords="offset points", va="top", ha="left", fontsize=6.8, color=_INK,
                      linespacing=1.4)


def _in_words(text):
    """"{at: 20s, link: lte, set: {state: blackhole}}" is "lte: state blackhole"."""
    match = re.search(r"link: *([^,}]+),.*set: *\{(.*?)\}\s*\}?\s*$", text)
    return f"{match[1]}: {match[2].replace(': ', ' ')}" if match else text


def _legend(axis, handles, labels, title):
    legend = axis.legend(handles, labels, title=title, loc="upper left", bbox_to_anchor=(1.02, 1.0),
                         alignment="left")
    legend.get_title().set_fontsize(7.5)
    legend.get_title().set_color(_INK)

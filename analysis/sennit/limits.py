"""What limits a bond: each link's capacity, what the tunnel believed of it and what it carried, one
panel a link, between what came out (above) and what delay it cost (below)."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sennit.drawing import (FLOW_COLOURS, GREY, INK, LINK_COLOURS, STYLE, add_legend, arrow,
                            bulk_direction, mark_events, save, scale_top, set_time_axis, smooth)
from sennit.reader import TraceError

SCREEN_DPI = 150  # 1,005 pixels wide: for a page that is read on a screen
SCREEN_COLOURS = 128
DASHED, DOTTED = (0, (4, 2)), (0, (1, 1.5))


def limits(run, output=None, begin=None, end=None, title=None, rates=(), delays=(), others=()):
    """Draws `run` (of sennit.read) and returns the matplotlib figure.

    `rates`, `delays`: lines for comparison, (words, value) in Mbit/s and ms, in the panels of
    goodput and delay. `others`: (words, run) whose goodput is drawn too. `output`, `begin`, `end`:
    as of sennit.plot.
    """
    if len(run.tunnel["a"]) == 0:
        raise TraceError(f"{run.trace_file}: holds no time series of the tunnel")
    with matplotlib.rc_context(STYLE):
        figure = _draw(run, begin, end, title, rates, delays, others)
        if output is not None:
            save(figure, Path(output), SCREEN_DPI, SCREEN_COLOURS)
    return figure


def _draw(run, begin, end, title, rates, delays, others):
    count = len(run.links)
    figure, axes = panels([1.2, *[0.9] * count, 1, 1])
    direction = bulk_direction(run)
    view = View(run, direction, begin, end)
    _goodput(axes[0], view, rates, others)
    for axis, link in zip(axes[1:], run.links):
        draw_link(axis, view, link)
    _link_delays(axes[-2], view)
    _flow_delays(axes[-1], view, delays)
    set_time_axis(axes, run, begin, end)
    mark_events(axes, run)
    finish(figure, axes, title or f"{run.name}, seed {run.attributes['seed']}")
    return figure


def panels(heights, columns=1):
    """Figure and its axes, below each other; with columns, a list of them per column."""
    figure = Figure(figsize=(6.7, 0.75 + 1.0 * sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(h_pad=0.04, hspace=0.02)
    axes = figure.subplots(len(heights), columns, sharex="col", squeeze=False,
                           gridspec_kw={"height_ratios": heights})
    return figure, list(axes[:, 0]) if columns == 1 else [list(axes[:, i]) for i in range(columns)]


def finish(figure, axes, title):
    figure.align_ylabels(axes)
    figure.suptitle(title, fontsize=9, color=INK, x=0.01, ha="left")


class View:
    """A run in the direction of its bulk, within a stretch of time."""

    def __init__(self, run, direction, begin=None, end=None):
        self.run, self.direction = run, direction
        self.sender, self.receiver = ("a", "b") if direction == "up" else ("b", "a")
        self.begin = 0 if begin is None else begin
        self.end = np.inf if end is None else end
        shown = min(self.end, run.attributes["duration_s"]) - self.begin
        self.samples = 5 if shown > 20 else 1  # of 100 ms: as fine as one can see
        # A sample is the mean of the 100 ms before it.
        self.step = "pre" if shown <= 5 else None
        self.style = "steps-pre" if self.step else "default"

    def cut(self, frame):
        """A sample more on either side, so that lines reach the frame."""
        times = frame["time_s"]
        return frame[(times >= self.begin - 0.11) & (times <= self.end + 0.11)]

    def path(self, link):
        return self.cut(self.run.paths[self.sender][link])

    def smooth(self, values):
        return smooth(values, self.samples) if self.samples > 1 else np.asarray(values, float)

    def colour(self, link):
        return LINK_COLOURS[self.run.links.index(link) % len(LINK_COLOURS)]

    def flows(self, voice_only=False):
        names = [name for name in self.run.flows
                 if self.run.flow_attributes(name)["direction"] == self.direction]
        calls = [name for name in names if self.run.flow_attributes(name)["kind"] == "voip"]
        return calls if voice_only and calls else names


def goodput(view):
    """Times, and the sum of all flows of the direction."""
    total, times = 0, np.array([])
    for name in view.flows():
        frame = view.cut(view.run.flows[name])
        times = frame["time_s"].to_numpy()
        total = total + frame["goodput_mbps"].to_numpy(dtype=float)
    return times, view.smooth(total) if len(times) else np.array([])


def compare(axis, lines, handles, labels):
    """Horizontal lines with their words in the legend. Returns their values."""
    for i, (words, value) in enumerate(lines):
        style = (DASHED, DOTTED)[i % 2]
        axis.axhline(value, color=INK, linewidth=0.9, linestyle=style, zorder=3)
        handles.append(Line2D([], [], color=INK, linewidth=0.9, linestyle=style))
        labels.append(words)
    return [value for _, value in lines]


def _goodput(axis, view, rates, others):
    handles, labels = [], []
    times, values = goodput(view)
    outer = view.cut(view.run.tunnel[view.sender])
    sent = view.smooth(outer["outer_mbps"])
    axis.plot(outer["time_s"], sent, color=GREY, linewidth=0.8, drawstyle=view.style)
    axis.plot(times, values, color=INK, drawstyle=view.style)
    handles += [Line2D([], [], color=INK), Line2D([], [], color=GREY, linewidth=0.8)]
    labels += ["goodput", "sent, all in all"]
    largest = [*compare(axis, rates, handles, labels), np.max(values, initial=0.1),
               np.max(sent, initial=0)]
    for i, (words, run) in enumerate(others):
        colour = FLOW_COLOURS[i % len(FLOW_COLOURS)]
        other_times, other = goodput(View(run, view.direction, view.begin, view.end))
        axis.plot(other_times, other, color=colour, linewidth=0.9, drawstyle=view.style)
        handles.append(Line2D([], [], color=colour, linewidth=0.9))
        labels.append(words)
        largest.append(np.max(other, initial=0))
    usual = max([np.percentile(values, 99) if len(values) else 0, *[v for _, v in rates], 0.1])
    axis.set_ylabel("Rate, Mbit/s")
    axis.set_ylim(0, 1.08 * min(max(largest), 1.6 * usual))  # bursts of what waited may leave it
    add_legend(axis, handles, labels, f"All flows {arrow(view.direction)}")


def draw_link(axis, view, link, legend=True):
    """Capacity, what it carried of it, and the tunnel's pacing rate."""
    series, colour = view.path(link), view.colour(link)
    times = series["time_s"].to_numpy()
    capacity = view.smooth(series["capacity_mbps"])
    carried, rate = view.smooth(series["carried_mbps"]), view.smooth(series["rate_mbps"])
    axis.fill_between(times, capacity, color="#D9D9D9", linewidth=0, step=view.step)
    axis.fill_between(times, carried, color=colour, alpha=0.75, linewidth=0, step=view.step)
    axis.plot(times, rate, color=INK, linewidth=0.8)
    axis.set_ylabel("Rate, Mbit/s")
    # A first guess far above the line would hide the rest.
    usual = max(np.max(capacity, initial=0.1), np.percentile(carried, 99) if len(carried) else 0)
    axis.set_ylim(0, 1.3 * usual)
    if legend:
        add_legend(axis, [Patch(facecolor="#D9D9D9"), Patch(facecolor=colour, alpha=0.75),
                          Line2D([], [], color=INK, linewidth=0.8)],
                   ["capacity", "carried", "pacing rate"], link)


def _link_delays(axis, view):
    handles, labels, largest = [], [], []
    for link in view.run.links:
        series, colour = view.path(link), view.colour(link)
        for column, style, words in (("link_queue_ms", "-", "queue"),
                                     ("one_way_ms", DOTTED, "one way")):
            values = series[column].to_numpy(dtype=float)
            axis.plot(series["time_s"], values, color=colour, linewidth=0.9, linestyle=style)
            largest.append(values)
            handles.append(Line2D([], [], color=colour, linewidth=0.9, linestyle=style))
            labels.append(f"{link}, {words}")
    axis.set_ylabel("Delay, ms")
    axis.set_ylim(0, scale_top(axis, largest))
    add_legend(axis, handles, labels, "Links: queue; one way,\nless a common constant")


def _flow_delays(axis, view, delays):
    handles, labels, largest = [], [], []
    for name in view.flows(voice_only=True):
        frame = view.cut(view.run.flows[name])
        colour = FLOW_COLOURS[list(view.run.flows).index(name) % len(FLOW_COLOURS)]
        if frame["owd_ms_max"].notna().sum() == 0:
            continue
        axis.fill_between(frame["time_s"], frame["owd_ms_mean"], frame["owd_ms_max"], color=colour,
                          alpha=0.22, linewidth=0)
        axis.plot(frame["time_s"], frame["owd_ms_mean"], color=colour, linewidth=0.9)
        largest.append(frame["owd_ms_max"].to_numpy(dtype=float))
        handles.append((Patch(facecolor=colour, alpha=0.22), Line2D([], [], color=colour)))
        labels.append(f"{name}, mean to max.")
    hold = view.cut(view.run.tunnel[view.receiver])
    if hold["hold_ms_p99"].notna().any():
        axis.plot(hold["time_s"], hold["hold_ms_p99"], color=GREY, linewidth=0.8)
        largest.append(hold["hold_ms_p99"].to_numpy(dtype=float))
        handles.append(Line2D([], [], color=GREY, linewidth=0.8))
        labels.append("held for order, p99")
    compared = compare(axis, delays, handles, labels)
    axis.set_ylabel("Delay, ms")
    axis.set_ylim(0, max([scale_top(axis, largest), *[1.1 * value for value in compared]]))
    add_legend(axis, handles, labels, "Packets through the tunnel")

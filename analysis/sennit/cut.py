"""What a flow notices when a link fails and returns: the silence before each of its packets, beside
what the tunnel delivered, what each link carried and the delay that it cost. One column for each
stretch of time."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.lines import Line2D

from sennit.drawing import (FLOW_COLOURS, GREY, INK, STYLE, add_legend, bulk_direction,
                            draw_waiting, mark_events, save, set_time_axis)
from sennit.limits import (SCREEN_COLOURS, SCREEN_DPI, View, compare, draw_link, finish, panels)
from sennit.reader import TraceError


def cut(run, windows, streams, output=None, title=None, gaps=(), rates=()):
    """Draws `run` (of sennit.read, with all its packets) and returns the matplotlib figure.

    `windows`: (begin, end), s, one column each. `streams`: {name: (class, size)} of flows whose
    packets nothing else resembles. `gaps`, `rates`: (words, value), ms and Mbit/s, to compare with.
    `output`: as of sennit.plot.
    """
    direction = bulk_direction(run)
    receiver = "b" if direction == "up" else "a"
    arrivals = {name: arrivals_of(run, receiver, *key) for name, key in streams.items()}
    with matplotlib.rc_context(STYLE):
        figure, columns = panels([1, 1, *[0.8] * len(run.links), 1], len(windows))
        for i, (axes, (begin, end)) in enumerate(zip(columns, windows)):
            view = View(run, direction, begin, end)
            last = i == len(windows) - 1
            _silences(axes[0], view, arrivals, gaps, last)
            _delivered(axes[1], view, rates, last)
            for axis, link in zip(axes[2:], run.links):
                draw_link(axis, view, link, last)
            _delays(axes[-1], view, last)
            set_time_axis(axes, run, begin, end)
            mark_events(axes, run)
            if i:
                for axis in axes:
                    axis.set_ylabel("")
        finish(figure, columns[0], title or f"{run.name}, seed {run.attributes['seed']}")
        if output is not None:
            save(figure, Path(output), SCREEN_DPI, SCREEN_COLOURS)
    return figure


def arrivals_of(run, end, class_name, size):
    """Seconds at which the flow's packets left the tunnel there."""
    delivered = run.packets(kind="delivered", end=end)
    chosen = (delivered["class"] == class_name) & (delivered["size"] == size)
    if not chosen.any():
        raise TraceError(f"{run.trace_file}: end {end} delivered no packet of class {class_name} "
                         f"and {size} bytes; was it run with tunnel.trace_packets=false?")
    return delivered["at_s"][chosen].to_numpy()


def _silences(axis, view, arrivals, gaps, legend):
    handles, labels = [], []
    for i, (name, times) in enumerate(arrivals.items()):
        colour = FLOW_COLOURS[i % len(FLOW_COLOURS)]
        silence = np.diff(times) * 1e3
        shown = (times[1:] >= view.begin) & (times[:-1] <= view.end)
        axis.plot(*sawtooth(times[1:][shown], silence[shown]), color=colour, linewidth=0.9)
        handles.append(Line2D([], [], color=colour, linewidth=0.9))
        labels.append(name)
        within = shown & (times[1:] <= view.end)
        if within.any():
            worst = np.argmax(np.where(within, silence, -1))
            axis.annotate(f"{silence[worst]:.0f} ms", xy=(times[1:][worst], silence[worst]),
                          xytext=(3, 0), textcoords="offset points", fontsize=6.8, color=colour,
                          va="center")
    compared = compare(axis, gaps, handles, labels)
    axis.set_ylabel("Silence, ms")
    largest = [np.diff(times).max() * 1e3 for times in arrivals.values() if len(times) > 1]
    axis.set_ylim(0, 1.15 * max([*largest, *compared, 1]))
    if legend:
        add_legend(axis, handles, labels, "Since the packet before")


def sawtooth(times, silence):
    """Time since the last packet, over time: it grows from nought until the next one arrives."""
    corners = np.stack([times - silence / 1e3, times], axis=1).ravel()
    return corners, np.stack([np.zeros_like(silence), silence], axis=1).ravel()


def _delivered(axis, view, rates, legend):
    tunnel = view.cut(view.run.tunnel[view.receiver])
    axis.plot(tunnel["time_s"], tunnel["delivered_mbps"], color=INK, drawstyle=view.style)
    handles, labels = [Line2D([], [], color=INK)], ["delivered"]
    compared = compare(axis, rates, handles, labels)
    everything = view.run.tunnel[view.receiver]["delivered_mbps"].to_numpy(dtype=float)
    axis.set_ylabel("Rate, Mbit/s")
    axis.set_ylim(0, 1.1 * max([np.percentile(everything, 99.5), *compared, 0.1]))
    if legend:
        add_legend(axis, handles, labels, "The tunnel, all flows")


def _delays(axis, view, legend):
    queues = [(link, view.path(link), view.colour(link)) for link in view.run.links]
    hold = view.cut(view.run.tunnel[view.receiver])
    handles, labels = draw_waiting(axis, queues, hold, GREY)
    axis.set_ylabel("Delay, ms")
    if legend:
        add_legend(axis, handles, labels, "Waiting")

"""What all figures share: their style, axes, legends and marks.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; links and flows keep
theirs through all panels. Sizes are for a page of 17 cm width, two columns of a paper.
"""

import re

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from PIL import Image

LINK_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"]
FLOW_COLOURS = ["#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#0072B2", "#F0E442"]
INK, GREY = "#222222", "#777777"
STYLE = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8,
    "axes.labelsize": 8, "axes.titlesize": 8.5, "legend.fontsize": 7.5,
    "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
    "axes.edgecolor": GREY, "axes.linewidth": 0.6, "axes.labelcolor": INK,
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": "#E4E4E4", "grid.linewidth": 0.5,
    "lines.linewidth": 1.1, "lines.solid_capstyle": "round", "legend.frameon": False,
    "legend.handlelength": 1.4, "legend.borderaxespad": 0.0, "legend.labelspacing": 0.35,
    "pdf.fonttype": 42, "svg.fonttype": "none",
}


def save(figure, path, dpi=300, colours=None):
    """`colours`: at most so many in a PNG, which makes it a quarter as large."""
    endings = (".png", ".pdf", ".svg")
    if path.suffix.lower() not in endings:
        raise ValueError(f"{path}: its ending must be one of {', '.join(endings)}")
    figure.savefig(path, dpi=dpi)
    if colours and path.suffix.lower() == ".png":
        with Image.open(path) as image:
            reduced = image.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
        reduced.save(path, optimize=True)


def bulk_direction(run):
    """Of the first tcp flow, or without one, of the first flow: as summary.json's aggregate."""
    flows = [run.flow_attributes(name) for name in run.flows]
    flows.sort(key=lambda flow: flow["kind"] != "tcp")
    return flows[0]["direction"] if flows else "down"


def arrow(direction):
    return "a → b" if direction == "up" else "b → a"


def smooth(values, samples=5):
    """Mean over half a second: what a reader of a minute-long figure can see."""
    values = np.asarray(values, dtype=float)
    if len(values) < samples:
        return values
    padded = np.pad(values, (samples // 2, samples - 1 - samples // 2), mode="edge")
    return np.convolve(padded, np.full(samples, 1 / samples), mode="valid")


def scale_top(axis, series):
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
                  fontsize=6.5, color=GREY,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
    return usual


def draw_waiting(axis, queues, hold, hold_colour):
    """Queues, [(link, table of its path, colour)], and how long the receiver held packets for
    order. Handles and labels for a legend."""
    curves = [(f"queue of {link}", path["time_s"], path["link_queue_ms"], colour)
              for link, path, colour in queues]
    if hold["hold_ms_p99"].notna().any():
        curves.append(("held for order, p99", hold["time_s"], hold["hold_ms_p99"], hold_colour))
    for _, times, delays, colour in curves:
        axis.plot(times, delays, color=colour, linewidth=0.9)
    axis.set_ylim(0, scale_top(axis, [delays.to_numpy(dtype=float) for _, _, delays, _ in curves]))
    handles = [Line2D([], [], color=colour, linewidth=0.9) for _, _, _, colour in curves]
    return handles, [label for label, _, _, _ in curves]


def set_time_axis(axes, run, begin, end):
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
                         color=GREY)


def mark_events(axes, run):
    """A thin line through all panels, with a letter above; the letters are told below."""
    begin, end = axes[-1].get_xlim()
    events = run.events[(run.events["time_s"] >= begin) & (run.events["time_s"] <= end)]
    if len(events) == 0:
        return
    notes = []
    for i, event in enumerate(events.itertuples()):
        for axis in axes:
            axis.axvline(event.time_s, color=INK, linewidth=0.6, linestyle=":", zorder=3)
        mark = chr(ord("A") + i) if i < 26 else "•"
        axes[0].annotate(mark, xy=(event.time_s, 1), xycoords=("data", "axes fraction"),
                         xytext=(0, 2), textcoords="offset points", ha="center", va="bottom",
                         fontsize=7, color=INK)
        if i < 26:
            notes.append(f"{mark}  {event.time_s:g} s: {in_words(event.text)}")
    shown = notes[:8] + ([f"… and {len(notes) - 8} more"] if len(notes) > 8 else [])
    axes[-1].annotate("\n".join(shown), xy=(0, 0), xycoords="axes fraction", xytext=(0, -30),
                      textcoords="offset points", va="top", ha="left", fontsize=6.8, color=INK,
                      linespacing=1.4)


def in_words(text):
    """"{at: 20s, link: lte, set: {state: blackhole}}" is "lte: state blackhole"."""
    match = re.search(r"link: *([^,}]+),.*set: *\{(.*?)\}\s*\}?\s*$", text)
    return f"{match[1]}: {match[2].replace(': ', ' ')}" if match else text


def add_legend(axis, handles, labels, title):
    legend = axis.legend(handles, labels, title=title, loc="upper left", bbox_to_anchor=(1.02, 1.0),
                         alignment="left")
    legend.get_title().set_fontsize(7.5)
    legend.get_title().set_color(INK)

"""Figures of one run: functions of an Outcome, which holds the summaries of the run's variants and
the folder with its trace. What summary.json defines is in docs/simulation.md; here is only what is
computed from it. A function raises NoFigure, with the reason, when a run cannot give its figure
(cut short of an event, say)."""

import dataclasses
import math
import pathlib

VOICE_PACKET_MS = 20


class NoFigure(Exception):
    pass


@dataclasses.dataclass
class Outcome:
    summaries: dict  # variant -> summary.json
    folder: pathlib.Path  # of the default variant, with trace.h5 if one was asked for

    @property
    def default(self):
        return self.summaries["default"]


def known(value, what):
    if value is None:
        raise NoFigure(f"{what} is not known")
    return value


def fraction(outcome):
    """Goodput of all flows in the download's direction over what the links can carry."""
    return known(outcome.default["aggregate"]["fraction_of_bound"], "fraction_of_bound")


def goodput(summary):
    return known(summary["aggregate"]["goodput_mbps"], "goodput_mbps")


def download_fraction(outcome):
    """As `fraction`, without the goodput of the other flows in that direction (here a call's)."""
    summary = outcome.default
    return summary["flows"]["download"]["goodput_mbps"] / summary["aggregate"]["bound_mbps"]


def hold_p99_ms(outcome):
    """Time in the resequencer of the receiving end."""
    return outcome.default["tunnel"]["a"]["hold_ms"]["p99"]


def repair_ratio(outcome):
    return outcome.default["tunnel"]["b"]["repair_ratio"]


def transfer_fraction(megabytes):
    """Of a transfer of so many MiB: its mean rate from first to last byte, over the bound."""

    def figure(outcome):
        seconds = known(outcome.default["flows"]["download"]["completion_s"], "completion_s")
        return megabytes * (1 << 20) * 8 / 1e6 / seconds / outcome.default["aggregate"]["bound_mbps"]

    return figure


def self_inflicted_p95_ms(least_ms):
    """95th percentile of the one-way delay of the flow's packets through the overlay, minus the least
    propagation delay of a link. Winstein et al. (NSDI 2013, section 5.1) take the percentile over
    time, of the age of the newest packet that has arrived, and subtract what a sender would have
    that knows the trace. So what an outage of the link itself costs is in our figure, not in theirs."""

    def figure(outcome):
        return outcome.default["flows"]["download"]["owd_ms"]["p95"] - least_ms

    return figure


def of_flow(flow, *keys):
    def figure(outcome):
        value = outcome.default["flows"][flow]
        for key in keys:
            value = value[key]
        return known(value, f"{flow}.{'.'.join(keys)}")

    return figure


def of_calls(worst, *keys):
    """The worst (max or min) of all calls."""

    def figure(outcome):
        calls = [name for name, flow in outcome.default["flows"].items() if flow["kind"] == "voip"]
        return worst(of_flow(call, *keys)(outcome) for call in calls)

    return figure


def voice_gap_ms(outcome):
    """How long a call was silent beyond the time between two of its packets."""
    return of_calls(max, "longest_gap_ms")(outcome) - VOICE_PACKET_MS


def over_variant(name):
    def figure(outcome):
        return goodput(outcome.default) / goodput(outcome.summaries[name])

    return figure


def over_best_single(outcome):
    """Over the goodput of the best link alone, through the tunnel, of the same seed."""
    best = known(outcome.default["aggregate"]["best_single_mbps"], "best_single_mbps")
    return goodput(outcome.default) / best


def metered_share(outcome):
    """Of all bytes on both links and in both directions: what a metered link carries is paid for
    whether it is data, a probe or a report."""
    carried = {
        name: link["up"]["carried_mbps"] + link["down"]["carried_mbps"]
        for name, link in outcome.default["links"].items()
    }
    return carried["metered"] / sum(carried.values())


def seconds_until_rate(intervals, event_s, target_mbps, full_mbps, hold_s=1.0):
    """From the event to the start of the first second over which the rate holds. `intervals`:
    (end, Mbit/s), 100 ms each. Each counts at most as a little more than the full rate, or a burst of
    what had waited would make up for the silence before it. Infinite if the rate never holds."""
    step = 0.1
    count = round(hold_s / step)
    clipped = [(end - step, min(rate, 1.1 * full_mbps)) for end, rate in intervals]
    for first in range(len(clipped) - count + 1):
        start = clipped[first][0]
        window = [rate for _, rate in clipped[first : first + count]]
        if start > event_s - step / 2 and sum(window) / count >= target_mbps:
            return max(0.0, start - event_s)
    return math.inf


def until_rate_s(event, links, share=0.95):
    """Seconds from event number `event` of the scenario until the tunnel delivers `share` of what
    the named links can carry. Counted is what leaves the tunnel (inner packets, 100 ms series):
    what TCP hands to its application comes in order, so in bursts."""

    def figure(outcome):
        import h5py  # only this figure needs it

        with h5py.File(outcome.folder / "trace.h5") as trace:
            if len(trace["events"]) <= event:
                raise NoFigure(f"the run ended before event {event}")
            event_s = float(trace["events"]["time_s"][event])
            later = trace["events"]["time_s"][event + 1 :]
            series = trace["tunnel/a"]
            end_s = float(later[0]) if len(later) else float(series["time_s"][-1])
            intervals = [
                (float(end), float(rate))
                for end, rate in zip(series["time_s"], series["delivered_mbps"])
                if end <= end_s + 0.01
            ]
        run = outcome.default["run"]
        inner = run["inner_mtu"]
        capacity = sum(links)
        full = capacity * inner / (inner + run["outer_overhead"])
        return seconds_until_rate(intervals, event_s, share * full, full)

    return figure

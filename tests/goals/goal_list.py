"""The goals: which profile is run, and what is asked of which figure. Numbers 12 and 13 are
measurements of the codes alone, which build/bin/fec_goals makes.

A profile is a scenario in profiles/; the driver varies its congestion control, its seed, and what
`settings` say."""

import dataclasses
import pathlib
from collections.abc import Callable

import measure

PROFILES = pathlib.Path(__file__).resolve().parent / "profiles"

CONTROLS = ("cubic", "bbr")
UNIT_GOALS = (12, 13)  # made by fec_goals


@dataclasses.dataclass(frozen=True)
class Check:
    """One figure and its goal. Judged by the median over seeds, or if `every` by the worst seed."""

    name: str
    figure: Callable
    goal: float
    at_least: bool = False
    unit: str = ""
    digits: int = 3
    every: bool = False

    def met(self, values, goal=None):
        """`values`: the judged ones."""
        goal = self.goal if goal is None else goal
        return all(value >= goal if self.at_least else value <= goal for value in values)


@dataclasses.dataclass(frozen=True)
class Case:
    goal: int
    name: str
    checks: tuple
    file: str = ""  # in profiles/, without .yaml; as `name` if empty
    settings: tuple = ()
    short: tuple = ()  # further settings of the short form
    flows: tuple = ("download",)  # whose congestion control varies; none: run once
    variants: tuple = ()  # beside the default one
    best_single: bool = False
    trace: bool = False
    recordings: bool = False
    says: str = ""  # for readers who have not the profiles before them

    @property
    def profile(self):
        return self.file or self.name

    @property
    def path(self):
        return PROFILES / f"{self.profile}.yaml"

    @property
    def controls(self):
        return CONTROLS if self.flows else ("-",)


def at_least(name, figure, goal, **more):
    return Check(name, figure, goal, at_least=True, **more)


def at_most(name, figure, goal, **more):
    return Check(name, figure, goal, **more)


def fraction(goal):
    return at_least("fraction", measure.fraction, goal)


def on_both(setting):
    return (f"links.one.{setting}", f"links.two.{setting}")


def lossy_cases():
    for percent, goal in ((0.5, 0.95), (2, 0.92)):
        extra = 1.5 * percent / 100 + 0.01
        yield Case(5, f"loss-{percent}%", (fraction(goal), at_most("extra traffic",
                   measure.repair_ratio, extra, digits=4)), file="equal",
                   settings=on_both(f"loss={percent}%"), says=f"profile 1 with {percent} % loss on both")
    yield Case(6, "bursts", (fraction(0.92),), file="equal",
               settings=("links.one.loss={gilbert_elliott: {mean: 2%, burst: 5}}",),
               says="profile 1 with bursts of loss on one, 2 %, mean 5")


def recorded_cases():
    checks = (fraction(0.85), at_most("self-inflicted p95", measure.self_inflicted_p95_ms(20), 100,
                                      unit=" ms", digits=0))
    yield Case(8, "recorded-download", checks, file="recorded", recordings=True,
               says="three LTE recordings, down")
    yield Case(8, "recorded-upload", checks, file="recorded", recordings=True,
               says="three LTE recordings, up",
               settings=("traffic.download.from=a", "traffic.download.to=b"))


def constant_rate_cases():
    checks = (
        at_most("jitter", measure.of_flow("stream", "jitter_ms"), 1, unit=" ms"),
        at_most("reordered", measure.of_flow("stream", "reordered_ratio"), 0, digits=6, every=True),
        at_most("loss", measure.of_flow("stream", "loss_ratio"), 1e-4, digits=6),
    )
    for rate in (100, 200, 330):
        yield Case(10, f"constant-{rate}", checks, file="constant-rate", flows=(),
                   settings=(f"traffic.stream.rate={rate}mbit",),
                   says=f"profile 4, constant {rate} Mbit/s")


def black_hole_case():
    fast, slow = 300, 80
    return Case(
        11, "black-hole", trace=True, says="profile 4, the faster away from 20 to 40 s",
        short=("warmup=3s", "events.0.at=6s", "events.1.at=10s"),
        checks=(
            at_most("stream's loss", measure.of_flow("stream", "loss_ratio"), 0, digits=6,
                    every=True),
            at_most("stream's longest gap", measure.of_flow("stream", "longest_gap_ms"), 120,
                    unit=" ms", digits=0),
            at_most("call's gap beyond 20 ms", measure.voice_gap_ms, 25, unit=" ms", digits=1),
            at_most("95 % of the survivor after", measure.until_rate_s(0, [slow]), 0.5, unit=" s",
                    digits=1),
            at_most("95 % of the bond after", measure.until_rate_s(1, [fast, slow]), 1.5, unit=" s",
                    digits=1)))


def small_buffer_cases():
    for further in (10, 50, 100):
        delay_ms = 20 + further
        buffer = 20_000_000 // 8 * 2 * delay_ms // 1000 // 4  # rate x round trip / 4
        yield Case(14, f"small-buffer-{further}ms", variants=("min-rtt",), file="small-buffer",
                   says=f"2 x 20M, 20 and {delay_ms} ms, 0.25 BDP",
                   settings=(f"links.far.delay={delay_ms}ms", f"links.far.queue={{bytes: {buffer}B}}"),
                   checks=(fraction(0.90),
                           at_least("over min-rtt", measure.over_variant("min-rtt"), 1.30)))


def metered_cases():
    share = (at_most("metered share", measure.metered_share, 0.01, digits=4),)
    for load, rate in (("50%", 9.47), ("90%", 17.05)):
        yield Case(15, f"metered-load-{load}", share, file="metered-load", flows=(),
                   settings=(f"traffic.stream.rate={rate}mbit",),
                   says=f"free and metered, load {load.replace('%', ' %')} of the free")
    yield Case(15, "metered-download", (fraction(0.90),), says="free and metered, a download")


def harmless_cases():
    checks = (at_least("over best single", measure.over_best_single, 0.97),)
    for name, says in (("shared-bottleneck", "two behind one bottleneck of 50M"),
                       ("tiny-link", "0.3M beside 50M"),
                       ("very-lossy", "30 % loss beside a clean link"),
                       ("flapping", "one away every other second")):
        yield Case(16, name, checks, best_single=True, says=says)


CASES = (
    Case(1, "equal", (fraction(0.98),), says="50M/20 ms + 50M/20 ms"),
    Case(2, "unequal-delay", (fraction(0.96), at_most("hold p99", measure.hold_p99_ms, 20,
                                                      unit=" ms", digits=1)),
         says="50M/20 ms + 50M/70 ms"),
    Case(3, "unequal-rate", (fraction(0.96),), says="100M/20 ms + 10M/20 ms"),
    Case(4, "fast", (fraction(0.95),), says="300M/10 ms + 80M/30 ms"),
    *lossy_cases(),
    Case(7, "transfer", (at_least("fraction to the end", measure.transfer_fraction(20), 0.85),),
         says="profile 1, 20 MiB"),
    *recorded_cases(),
    Case(9, "voice", flows=("download", "upload"), says="profile 4, 4 + 4 flows and a call", checks=(
        at_most("call's delay p99", measure.of_calls(max, "owd_ms", "p99"), 25, unit=" ms",
                digits=1),
        at_least("MOS", measure.of_calls(min, "mos"), 4.3, digits=2),
        at_least("download's fraction", measure.download_fraction, 0.90))),
    *constant_rate_cases(),
    black_hole_case(),
    *small_buffer_cases(),
    *metered_cases(),
    *harmless_cases(),
)
NUMBERS = sorted({case.goal for case in CASES} | set(UNIT_GOALS))

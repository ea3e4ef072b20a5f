#!/usr/bin/python3
"""Makes LTE-like, 5G-like and Starlink-like traces in mahimahi's format.

A trace has one line for every 1,500 bytes that the link could carry: the time in milliseconds.
These are not recordings. Each is a sample of the following process, whose statistics are stated on
the command line, so that an experiment can vary one of them and leave the others:

  rate(t) = mean * fading * level * interruptions

  fading         log-normal; its logarithm is an Ornstein-Uhlenbeck process (AR(1) at
                 --granularity-ms) with correlation exp(-lag / --autocorrelation-s)
  level          redrawn, log-normal with --level-cv, every --period-s (Starlink)
  interruptions  outages (nothing) and blockages (a fraction), both with exponential gaps and
                 lengths; and a dip to nothing of --dip-ms-min to --dip-ms-max at every --period-s
  grants         the rate is paid out in bursts, on average every --burst-ms, as a base station
                 grants slots

--cv is that of the whole at 100 ms: fading gets what the other parts leave. A sample is scaled to
have exactly --mean-mbps; its other statistics vary around the stated ones as short samples do
(--describe measures them, --self-test checks long ones). Interruptions of both directions of a link
are at the same times if seed and lengths are the same.

Where the defaults of each kind come from (orders of magnitude; measure your own links):
  lte       The LTE recordings that come with mahimahi have a CV of 0.6 to 1.2 at 100 ms, a
            correlation of 0.2 to 0.8 at 1 s, grants 2 to 9 ms apart, and up to 45 gaps of 100 ms
            or more a minute. A random walk of the rate with outages: Winstein, Sivaraman,
            Balakrishnan, "Stochastic Forecasts Achieve High Throughput and Low Delay over Cellular
            Networks", NSDI 2013.
  5g        Higher rate; a body or a car in the way takes most of it for some hundred milliseconds:
            Narayanan et al., "A First Look at Commercial 5G Performance on Smartphones", WWW 2020;
            Slezak et al., "Understanding End-to-End Effects of Channel Dynamics in Millimeter Wave
            5G New Radio", 2018.
  starlink  Satellites are reassigned every 15 s, all over the world at once, with another rate
            afterwards and a short interruption: Mohan et al., "A Multifaceted Look at Starlink
            Performance", WWW 2024; Garcia et al., "Multi-Timescale Evaluation of Starlink
            Throughput", LEO-NET 2023.

Examples:
  generate.py --kind lte --mean-mbps 20 --cv 0.5 --seconds 60 --seed 3 > my-lte.down
  generate.py --describe my-lte.down
  generate.py --check .
"""

import argparse
import json
import math
import random
import sys
from pathlib import Path

OPPORTUNITY_BITS = 1500 * 8
BIN_MS = 100  # of the statistics
GAP_MS = 100  # a gap of so long counts as an outage in --describe

# name: (least, largest, what it is)
OPTIONS = {
    "mean_mbps": (0.1, 10000, "mean rate in Mbit/s"),
    "cv": (0, 5, "coefficient of variation of the rate in bins of 100 ms"),
    "autocorrelation_s": (0.02, 1000, "time in which the correlation of fading falls to 1/e"),
    "granularity_ms": (1, 1000, "fading changes in steps of this length"),
    "burst_ms": (1, 1000, "mean time between grants"),
    "outages_per_minute": (0, 1000, "outages per minute of uninterrupted time"),
    "outage_ms": (0, 60000, "mean length of an outage"),
    "blockages_per_minute": (0, 1000, "blockages per minute of unblocked time"),
    "blockage_ms": (0, 60000, "mean length of a blockage"),
    "blockage_factor": (0, 1, "what a blockage leaves of the rate"),
    "period_s": (0, 3600, "time between reassignments, 0 = none"),
    "level_cv": (0, 5, "coefficient of variation of the level between reassignments"),
    "dip_ms_min": (0, 10000, "shortest interruption at a reassignment"),
    "dip_ms_max": (0, 10000, "longest interruption at a reassignment"),
    "seconds": (1, 86400, "length of the trace, whole seconds"),
    "seed": (0, 2**63, "a whole number; same seed, same trace"),
}
INTEGERS = {"granularity_ms", "seconds", "seed"}
NOTHING = {name: 0 for name in OPTIONS}
KINDS = {
    "lte": {"mean_mbps": 20, "cv": 0.65, "autocorrelation_s": 1.5, "granularity_ms": 20,
            "burst_ms": 3.5, "outages_per_minute": 6, "outage_ms": 200},
    "5g": {"mean_mbps": 60, "cv": 0.6, "autocorrelation_s": 1, "granularity_ms": 20,
           "burst_ms": 2, "outages_per_minute": 2, "outage_ms": 150,
           "blockages_per_minute": 10, "blockage_ms": 500, "blockage_factor": 0.2},
    "starlink": {"mean_mbps": 45, "cv": 0.4, "autocorrelation_s": 0.5, "granularity_ms": 20,
                 "burst_ms": 1.5, "outages_per_minute": 1, "outage_ms": 200,
                 "period_s": 15, "level_cv": 0.2, "dip_ms_min": 50, "dip_ms_max": 150},
}
COMMON = {"seconds": 60, "seed": 1, "direction": "down"}


class InputError(Exception):
    """What is wrong with the input, in words."""


def parameters(kind, given):
    """The kind's defaults with what was given; checked."""
    if kind not in KINDS:
        raise InputError(f"kind: found '{kind}', allowed is one of {', '.join(KINDS)}")
    p = {**NOTHING, **COMMON, **KINDS[kind], **given}
    for name, value in p.items():
        if name == "direction":
            if value not in ("up", "down"):
                raise InputError(f"direction: found '{value}', allowed is up or down")
            continue
        if name not in OPTIONS:
            raise InputError(f"found '{name}', allowed is one of {', '.join(OPTIONS)}, direction")
        least, largest, _ = OPTIONS[name]
        number = int if name in INTEGERS else (int, float)
        right_type = isinstance(value, number) and not isinstance(value, bool)
        if not right_type or not least <= value <= largest:
            what = "a whole number" if name in INTEGERS else "a number"
            raise InputError(
                f"{name}: found {value!r}, allowed is {what} from {least} to {largest}")
    if p["dip_ms_min"] > p["dip_ms_max"]:
        raise InputError(f"dip_ms_min: found {p['dip_ms_min']}, "
                         f"allowed is at most dip_ms_max ({p['dip_ms_max']})")
    return p


# --- the process -------------------------------------------------------------------------------


def normals(stream):
    """Standard normal numbers (Box-Muller), from nothing but the stream's random()."""
    while True:
        radius = math.sqrt(-2 * math.log(1 - stream.random()))
        yield radius * math.cos(2 * math.pi * stream.random())


def log_normal(normal, cv):
    """A number with mean 1 and the coefficient of variation, from a standard normal one."""
    variance = math.log(1 + cv * cv)
    return math.exp(math.sqrt(variance) * normal - variance / 2)


def two_values(share, factor):
    """Mean and squared CV of what is `factor` for a share of the time and 1 otherwise."""
    mean = 1 - share + share * factor
    return mean, (1 - share + share * factor * factor) / (mean * mean) - 1


def interruption_share(per_minute, length_ms):
    return per_minute * length_ms / (60000 + per_minute * length_ms)


def moments_without_fading(p):
    """Mean and squared CV of everything but fading: the parts are independent, so means multiply,
    and so do 1 + CV^2."""
    dip_share = (p["dip_ms_min"] + p["dip_ms_max"]) / 2000 / p["period_s"] if p["period_s"] else 0
    parts = [
        two_values(interruption_share(p["outages_per_minute"], p["outage_ms"]), 0),
        two_values(interruption_share(p["blockages_per_minute"], p["blockage_ms"]),
                   p["blockage_factor"]),
        two_values(dip_share, 0),
        (1, p["level_cv"] ** 2 if p["period_s"] else 0),
    ]
    return math.prod(mean for mean, _ in parts), math.prod(1 + v for _, v in parts) - 1


def fading_cv(p):
    rest = moments_without_fading(p)[1]
    left = (1 + p["cv"] ** 2) / (1 + rest) - 1
    if left < 0:
        raise InputError(f"cv: found {p['cv']}, allowed is {math.sqrt(rest):.3f} or more, "
                         "which interruptions and level have alone")
    return math.sqrt(left)


def fade(p, stream, factors):
    """Multiplies the factors, one per millisecond, with the fading."""
    cv, normal, step = fading_cv(p), normals(stream), p["granularity_ms"]
    correlation = math.exp(-step / 1000 / p["autocorrelation_s"])
    innovation = math.sqrt(1 - correlation * correlation)
    x = next(normal)
    for start in range(0, len(factors), step):
        factor = log_normal(x, cv)
        for ms in range(start, min(start + step, len(factors))):
            factors[ms] *= factor
        x = correlation * x + innovation * next(normal)


def multiply(factors, start, end, factor):
    for ms in range(max(0, round(start)), min(round(end), len(factors))):
        factors[ms] *= factor


def interrupt(per_minute, length_ms, factor, stream, factors):
    """Gaps and lengths are exponential, so the process may as well start in a gap."""
    if per_minute == 0 or length_ms == 0:
        return
    now = 0
    while now < len(factors):
        start = now - math.log(1 - stream.random()) * 60000 / per_minute
        now = start - math.log(1 - stream.random()) * length_ms
        multiply(factors, start, now, factor)


def reassign(p, levels, dips, factors):
    """A new level at every period, after a dip."""
    if p["period_s"] == 0:
        return
    normal = normals(levels)
    for period in range(math.ceil(len(factors) / 1000 / p["period_s"])):
        start = period * p["period_s"] * 1000
        level = log_normal(next(normal), p["level_cv"])
        dip = p["dip_ms_min"] + (p["dip_ms_max"] - p["dip_ms_min"]) * dips.random()
        multiply(factors, start, start + dip, 0)
        multiply(factors, start + dip, start + p["period_s"] * 1000, level)


def relative_rate(p):
    """The process, one value per millisecond, with mean 1 in the long run."""
    own = f"{p['seed']} {p['direction']}"  # of this direction; interruptions are of both
    factors = [1 / moments_without_fading(p)[0]] * (p["seconds"] * 1000)
    fade(p, random.Random(f"{own} fading"), factors)
    reassign(p, random.Random(f"{own} level"), random.Random(f"{p['seed']} dips"), factors)
    interrupt(p["outages_per_minute"], p["outage_ms"], 0,
              random.Random(f"{p['seed']} outages"), factors)
    interrupt(p["blockages_per_minute"], p["blockage_ms"], p["blockage_factor"],
              random.Random(f"{p['seed']} blockages"), factors)
    return factors


def generate(p):
    """Times of the opportunities in ms. The last is the trace's very end, where it repeats."""
    factors = relative_rate(p)
    scale = p["mean_mbps"] * 1e6 * len(factors) / max(sum(factors), 1e-9)
    grants = random.Random(f"{p['seed']} {p['direction']} grants")
    times, credit, cost = [], 0, OPPORTUNITY_BITS * 1000  # in thousandths of a bit: all integers
    for ms, factor in enumerate(factors, start=1):
        credit += round(factor * scale)
        if grants.random() * p["burst_ms"] < 1 and factor > 0:
            times += [ms] * (credit // cost)
            credit %= cost
    return times + [len(factors)] * max(1, credit // cost)


def to_text(times):
    return "".join(f"{ms}\n" for ms in times)


# --- statistics --------------------------------------------------------------------------------


def read_trace(path):
    times = []
    for number, line in enumerate(Path(path).read_text(errors="replace").split("\n"), start=1):
        text = line.strip()
        if text.isascii() and text.isdigit() and int(text) >= (times[-1] if times else 0):
            times.append(int(text))
        elif text:
            raise InputError(f"{path}:{number}: found '{text[:40]}', allowed is one whole number "
                             "of milliseconds per line, none before that of the line above")
    if not times or times[-1] < 2 * BIN_MS:
        raise InputError(f"{path}: found a trace of {times[-1] if times else 0} ms, "
                         f"allowed is {2 * BIN_MS} or more")
    return times


def mean_of(values):
    return sum(values) / len(values)


def cv_of(values):
    mean = mean_of(values)
    return math.sqrt(mean_of([(v - mean) ** 2 for v in values])) / mean if mean else 0


def autocorrelation(values, lag):
    mean = mean_of(values)
    variance = sum((v - mean) ** 2 for v in values)
    together = sum((a - mean) * (b - mean) for a, b in zip(values, values[lag:]))
    return together / variance if variance else 0


def bins_of(times):
    """Opportunities in each whole bin."""
    counts = [0] * (times[-1] // BIN_MS)
    for ms in times:
        if ms // BIN_MS < len(counts):
            counts[ms // BIN_MS] += 1
    return counts


def statistics(times):
    bins = bins_of(times)
    gaps = [b - a for a, b in zip([0] + times, times)]
    return {
        "seconds": times[-1] / 1000,
        "mean Mbit/s": len(times) * OPPORTUNITY_BITS / times[-1] / 1000,
        "CV": cv_of(bins),
        "autocorrelation 1 s": autocorrelation(bins, 1000 // BIN_MS),
        "outages": sum(gap >= GAP_MS for gap in gaps),
        "longest gap ms": max(gaps),
    }


HEADER = ["file", "seconds", "mean Mbit/s", "CV", "autocorrelation 1 s", "outages",
          "longest gap ms", "kB"]


def table_row(cells):
    return "| " + " | ".join(cells) + " |"


def describe(path):
    """One row of a Markdown table."""
    s = statistics(read_trace(path))
    size = Path(path).stat().st_size
    return table_row([
        Path(path).name, f"{s['seconds']:.1f}", f"{s['mean Mbit/s']:.2f}", f"{s['CV']:.2f}",
        f"{s['autocorrelation 1 s']:.2f}", str(s["outages"]), str(s["longest gap ms"]),
        f"{size / 1000:.0f}"])


def describe_all(paths):
    print(table_row(HEADER))
    print(table_row(["---"] + ["---:"] * (len(HEADER) - 1)))
    for path in paths:
        print(describe(path))


# --- the shipped files -------------------------------------------------------------------------


def manifest_of(folder):
    """File name -> text of the trace, for each file in the manifest."""
    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: {error.msg}, allowed is JSON") from error
    for name, given in manifest.items():
        others = {key: value for key, value in given.items() if key != "kind"}
        try:
            yield name, to_text(generate(parameters(given.get("kind", ""), others)))
        except InputError as error:
            raise InputError(f"{path}: {name}: {error}") from error


def check(folder):
    """Do the files, and the table in README.md, come from the manifest? Prints what does not."""
    faults = []
    readme = (Path(folder) / "README.md").read_text()
    for name, text in manifest_of(folder):
        path = Path(folder) / name
        if not path.is_file():
            faults.append(f"{path}: missing")
        elif path.read_text() != text:
            faults.append(f"{path}: differs from what manifest.json gives")
        elif describe(path) not in readme.split("\n"):
            faults.append(f"{folder}/README.md: the row of {name} should be {describe(path)}")
    return faults


def write(folder):
    for name, text in manifest_of(folder):
        (Path(folder) / name).write_text(text)


# --- self-test ---------------------------------------------------------------------------------


def check_process(kind, given):
    """A long sample must have the stated statistics."""
    p = parameters(kind, {"seconds": 7200, "seed": 1, **given})
    rate = relative_rate(p)
    bins = [mean_of(rate[i:i + BIN_MS]) for i in range(0, len(rate), BIN_MS)]
    cv = cv_of(bins)
    print(f"{kind:9} stated: mean 1.000, CV {p['cv']:.3f}; "
          f"measured: mean {mean_of(bins):.3f}, CV {cv:.3f}")
    faults = []
    if abs(mean_of(bins) - 1) > 0.05:
        faults.append(f"{kind} {given}: mean is off by more than 5 %")
    if abs(cv / p["cv"] - 1) > 0.25:
        faults.append(f"{kind} {given}: CV is off by more than 25 %")
    return faults


def check_correlation():
    """Without interruptions, the logarithm's correlation is exp(-lag / time). Steps of a fraction
    of that time must not matter."""
    faults = []
    for step in (20, 100):
        p = parameters("lte", {"seconds": 7200, "outages_per_minute": 0, "autocorrelation_s": 2,
                               "granularity_ms": step})
        logs = [math.log(x) for x in relative_rate(p)[::BIN_MS]]
        found = autocorrelation(logs, 1000 // BIN_MS)
        print(f"steps of {step} ms: correlation at 1 s {found:.3f}, expected {math.exp(-0.5):.3f}")
        if abs(found - math.exp(-0.5)) > 0.05:
            faults.append(f"steps of {step} ms: correlation is off by more than 0.05")
    return faults


def check_trace():
    """A trace keeps to its process: mean, length, order, determinism, common interruptions."""
    p = parameters("lte", {"seconds": 30, "seed": 5, "mean_mbps": 8})
    other = parameters("lte", {"seconds": 30, "seed": 5, "mean_mbps": 8, "direction": "up"})
    times, up = generate(p), generate(other)
    measured = len(times) * OPPORTUNITY_BITS / 30e6
    nothing = [{ms for ms, x in enumerate(relative_rate(q)) if x == 0} for q in (p, other)]
    claims = {
        "mean is the stated one": abs(measured / 8 - 1) < 0.002,
        "trace ends when it should": times[-1] == 30000,
        "times do not decrease": times == sorted(times) and times[0] >= 1,
        "same seed, same trace": times == generate(p),
        "another seed, another trace": times != generate({**p, "seed": 6}),
        "another direction, another trace": times != up,
        "both directions break down together": nothing[0] == nothing[1] != set(),
        "nothing goes in an outage": not nothing[0] & {ms - 1 for ms in times[:-1]},
    }
    return [f"not true: {claim}" for claim, holds in claims.items() if not holds]


def check_errors():
    faults = []
    for kind, given, expected in [("wimax", {}, "kind: found 'wimax'"),
                                  ("lte", {"mean_mbps": -1}, "mean_mbps: found -1"),
                                  ("lte", {"speed": 1}, "found 'speed'"),
                                  ("5g", {"cv": 0.01}, "cv: found 0.01, allowed is 0.")]:
        try:
            generate(parameters(kind, given))
            faults.append(f"accepted: {kind} {given}")
        except InputError as error:
            if not str(error).startswith(expected):
                faults.append(f"'{error}' does not start with '{expected}'")
    return faults


def self_test():
    faults = check_process("lte", {}) + check_process("5g", {}) + check_process("starlink", {})
    faults += check_process("lte", {"cv": 1.2, "outages_per_minute": 20, "outage_ms": 400})
    faults += check_process("starlink", {"cv": 0.6, "level_cv": 0.5, "autocorrelation_s": 2})
    return faults + check_correlation() + check_trace() + check_errors()


# --- command line ------------------------------------------------------------------------------


def command_line():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False)
    modes = parser.add_mutually_exclusive_group(required=True)
    modes.add_argument("--kind", choices=KINDS, help="write a trace of this kind on stdout")
    modes.add_argument("--describe", nargs="+", metavar="FILE",
                       help=f"statistics of traces; outages are gaps of {GAP_MS} ms or more")
    modes.add_argument("--check", metavar="DIR",
                       help="compare DIR's traces with what its manifest.json gives, byte by byte")
    modes.add_argument("--write", metavar="DIR", help="write the traces of DIR's manifest.json")
    modes.add_argument("--self-test", action="store_true",
                       help="check the process against the statistics that it claims")
    options = parser.add_argument_group("of a trace")
    for name, (_, _, meaning) in OPTIONS.items():
        defaults = ", ".join(f"{kind} {values[name]}" for kind, values in KINDS.items()
                             if name in values) or str(COMMON.get(name, 0))
        options.add_argument("--" + name.replace("_", "-"), metavar="N", default=None,
                             type=int if name in INTEGERS else float,
                             help=f"{meaning} (default: {defaults})")
    options.add_argument("--direction", choices=["down", "up"], default=None,
                         help="same seed, same interruptions, other fading (default: down)")
    return parser


def report(faults):
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def main():
    arguments = command_line().parse_args()
    if arguments.self_test:
        return report(self_test())
    if arguments.check:
        return report(check(arguments.check))
    if arguments.write:
        return write(arguments.write)
    if arguments.describe:
        return describe_all(arguments.describe)
    given = {name: value for name, value in vars(arguments).items()
             if (name in OPTIONS or name == "direction") and value is not None}
    sys.stdout.write(to_text(generate(parameters(arguments.kind, given))))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (InputError, OSError) as error:
        print(f"generate.py: {error}", file=sys.stderr)
        sys.exit(2)

"""The arguments of scripts/goals.sh, and what is allowed of each."""

import argparse
import pathlib
import re
import sys

import goal_list

DESCRIPTION = "Runs the goal profiles in ns-3 and prints which goals are met."


def numbers(text):
    """'1-3,7' -> [1, 2, 3, 7]"""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise argparse.ArgumentTypeError(f"found '{text}'; allowed: numbers as 3, 1-5 or 1,4,8-10")
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return list(dict.fromkeys(found))


def goal_numbers(text):
    found = numbers(text)
    for number in found:
        if number not in goal_list.NUMBERS:
            raise argparse.ArgumentTypeError(f"found goal {number}; allowed: "
                                             + ", ".join(map(str, goal_list.NUMBERS)))
    return found


def controls(text):
    found = text.split(",")
    for control in found:
        if control not in goal_list.CONTROLS:
            raise argparse.ArgumentTypeError(f"found '{control}'; allowed: "
                                             + ", ".join(goal_list.CONTROLS))
    return found


def duration(text):
    if not re.fullmatch(r"\d+(\.\d+)?(ms|s|min)", text):
        raise argparse.ArgumentTypeError(f"found '{text}'; allowed: a time such as 60s or 2min")
    return text


def setting(text):
    if not re.fullmatch(r"[^=]+=.*", text):
        raise argparse.ArgumentTypeError(f"found '{text}'; allowed: key=value")
    return text


def positive(text):
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"found '{text}'; allowed: a whole number from 1")
    return int(text)


def natural(text):
    if not re.fullmatch(r"\d+", text):
        raise argparse.ArgumentTypeError(f"found '{text}'; allowed: a whole number from 0")
    return int(text)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"goals.sh: {message}", file=sys.stderr)
        sys.exit(2)


def parse(arguments):
    parser = Parser(prog="goals.sh", description=DESCRIPTION, allow_abbrev=False)
    add = parser.add_argument
    add("build", help=argparse.SUPPRESS)
    add("--only", type=goal_numbers, metavar="LIST", help="these goals, as 1,2,5 or 1-4 (all)")
    add("--seeds", type=numbers, metavar="LIST", help="seeds (1-5; --short: 1)")
    add("--duration", type=duration, metavar="D",
        help="simulated time (each profile's own, mostly 60s; --short: 15s)")
    add("--short", action="store_true", help="15 s and one seed: a look, not a measurement")
    add("--ci", action="store_true",
        help="--short, and only what ci.yaml lists, by its thresholds: what ctest runs")
    add("--jobs", type=positive, default=2, metavar="N", help="runs at the same time (2)")
    add("--set", type=setting, action="append", default=[], metavar="KEY=VALUE", dest="settings",
        help="passed on to sennit-sim; after the profile's own (may be repeated)")
    add("--out", type=pathlib.Path, default=pathlib.Path("results/goals"), metavar="DIR",
        help="folder for results (results/goals)")
    add("--cc", type=controls, metavar="LIST", help="congestion controls (cubic,bbr)")
    add("--variants", action="store_true", help="every scheduler on every profile, as one table")
    add("--sweep", type=positive, nargs="?", const=250, metavar="N",
        help="so many random pairs of links instead of the goals (250)")
    add("--only-pair", type=natural, metavar="K", help="with --sweep: pair K alone")
    add("--plots", type=pathlib.Path, metavar="DIR",
        help="draw there what limits each goal that is not met (with --sweep: the pairs' benefit)")
    add("--plot-met", action="store_true", help="with --plots: the goals that are met too")
    add("--report", type=pathlib.Path, metavar="FILE",
        help="run nothing: write the tables of --out to this Markdown file, or if it is there, "
        "between its marks")
    add("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.only_pair is not None and options.sweep is None:
        parser.error("--only-pair: allowed with --sweep only")
    if options.plot_met and not options.plots:
        parser.error("--plot-met: allowed with --plots only")
    if options.plots and (options.variants or options.ci):
        parser.error("--plots: not allowed with --variants and --ci")
    if options.report and (options.sweep or options.variants or options.plots):
        parser.error("--report: allowed with --out only; it runs nothing")
    if options.sweep and (options.only or options.variants or options.short or options.ci
                          or options.seeds or options.duration or options.cc):
        parser.error("--sweep: allowed with --only-pair, --jobs, --set, --plots and --out only")
    options.short = options.short or options.ci
    options.seeds = options.seeds or ([1] if options.short else [1, 2, 3, 4, 5])
    options.duration = options.duration or ("15s" if options.short else None)
    options.cc = options.cc or list(goal_list.CONTROLS)
    return options

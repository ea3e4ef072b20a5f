"""From goals to calls of sennit-sim, and from their answers to figures."""

import dataclasses
import os
import pathlib
import re
import sys

import yaml

import goal_list
from measure import NoFigure, Outcome
from store import Command, run_folder

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
RECORDINGS = {"verizon": "Verizon-LTE-short", "t-mobile": "TMobile-LTE-short",
              "att": "ATT-LTE-driving-2016"}
RECORDED_MBPS = 20  # a link without a rate has a recording; for the estimate of time only


@dataclasses.dataclass(frozen=True)
class Task:
    case: goal_list.Case
    control: str
    seed: int
    settings: tuple = ()  # beyond the case's
    suffix: str = ""

    @property
    def label(self):
        return f"{self.case.goal} {self.case.name} {self.control} seed {self.seed}{self.suffix}"

    @property
    def folder_name(self):
        return f"{self.case.name}-{self.control}{self.suffix}"


def recording_settings():
    """None if a recording is not there."""
    folder = pathlib.Path(os.environ.get("SENNIT_RECORDINGS", SOURCE / ".." / "shared" / "traces"))
    settings = []
    for link, recording in RECORDINGS.items():
        for direction in ("up", "down"):
            file = (folder / f"{recording}.{direction}").resolve()
            if not file.exists():
                print(f"goal 8 is skipped: {file} is not there; $SENNIT_RECORDINGS names the folder",
                      file=sys.stderr)
                return None
            settings.append(f"links.{link}.{direction}.trace.file={file}")
    return tuple(settings)


def make_tasks(options, cases):
    """One per case, congestion control and seed."""
    recordings = recording_settings() if any(case.recordings for case in cases) else ()
    tasks = []
    for case in cases:
        if case.recordings and recordings is None:
            continue
        for control in case.controls:
            if control not in (*options.cc, "-"):
                continue
            settings = recordings if case.recordings else ()
            settings += tuple(f"traffic.{flow}.congestion_control={control}"
                              for flow in case.flows)
            tasks += [Task(case, control, seed, settings) for seed in options.seeds]
    return tasks


def seconds(text):
    """'2min' -> 120"""
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|min)", text).groups()
    return float(number) * {"ms": 0.001, "s": 1, "min": 60}[unit]


def mbps(text):
    """'300kbit' -> 0.3"""
    number, unit = re.fullmatch(r"([\d.]+)(k|m|g)bit", text).groups()
    return float(number) * {"k": 0.001, "m": 1, "g": 1000}[unit]


def gigabits(task, options):
    """About what all runs of the task carry."""
    case = task.case
    scenario = yaml.safe_load(case.path.read_text())
    sizes = [re.fullmatch(r"(\d+)MiB", flow["bytes"]) for flow in scenario["traffic"]
             if "bytes" in flow]
    if sizes:
        return sum(int(size[1]) for size in sizes) * 8 / 1024
    rate = sum(mbps(link.get("rate", f"{RECORDED_MBPS}mbit")) for link in scenario["links"])
    duration = seconds(options.duration or scenario["duration"])
    return rate * duration / 1000 * (1 + len(case.variants) + case.best_single)


def command_of(task, options, trace_packets=False):
    """The user's settings come last, so that they win."""
    case = task.case
    settings = [*case.settings, *task.settings, *(case.short if options.short else ())]
    if case.trace and not trace_packets:
        settings.append("tunnel.trace_packets=false")  # the 100 ms series are enough
    arguments = [case.path, "--seed", task.seed]
    for variant in ("default", *case.variants):
        arguments += ["--variant", variant]
    for text in (*settings, *options.settings):
        arguments += ["--set", text]
    if options.duration:
        arguments += ["--duration", options.duration]
    if case.best_single:
        arguments.append("--best-single")
    if not case.trace:
        arguments.append("--no-trace")
    length = options.duration or "full"
    return Command(tuple(map(str, arguments)), options.out / "runs" / task.folder_name,
                   f"{task.folder_name} {length}", gigabits(task, options))


def figures_of(task, options, summaries):
    """Figure of each check by name; a NoFigure in the place of one that the run cannot give."""
    folder = run_folder(options.out / "runs" / task.folder_name, summaries["default"])
    figures = {}
    for check in task.case.checks:
        try:
            figures[check.name] = check.figure(Outcome(summaries, folder))
        except NoFigure as error:
            figures[check.name] = error
    return figures

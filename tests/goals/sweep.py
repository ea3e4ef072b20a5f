"""Random pairs of links (every fifth a triple): is bonding worth it where nobody looked? Judged by
the aggregation benefit (docs/simulation.md): 0 is the best link alone, measured, 1 the sum of all.

Pair k is a function of k alone, whatever the number of pairs, so that `--sweep --only-pair k` runs
it again. Every second pair has loss, and half of each half has jitter. Each pair's scenario stays in
DIR/sweep/ for sennit-sim."""

import csv
import dataclasses
import math
import random
import statistics
import time

import yaml

import plots
import table
from store import Command
from tasks import seconds

MTU = 1500
LEAST_QUEUE = 4 * MTU  # smaller ones exist on paper only, and starve any TCP
HIGHEST_LOSS_PERCENT = 2.5
LARGEST_JITTER_MS = 20
WORST_SHOWN = 15
PARAMETERS = ("rate_mbps", "delay_ms", "queue_bdp", "loss_percent", "jitter_ms", "reorder")


@dataclasses.dataclass(frozen=True)
class Link:
    rate_mbps: float
    delay_ms: float
    queue_bdp: float
    loss_percent: float
    jitter_ms: float
    reorder: bool

    def block(self, name):
        """As a scenario has it."""
        bdp = self.rate_mbps * 1e6 / 8 * 2 * self.delay_ms / 1e3
        link = {"name": name, "rate": f"{round(self.rate_mbps * 1000)}kbit",
                "delay": f"{round(self.delay_ms * 1000)}us",
                "queue": {"bytes": f"{max(LEAST_QUEUE, round(bdp * self.queue_bdp))}B"}}
        if self.loss_percent:
            link["loss"] = f"{self.loss_percent:.3f}%"
        if self.jitter_ms:
            link["jitter"] = {"stddev": f"{round(self.jitter_ms * 1000)}us", "reorder": self.reorder}
        return link

    def __str__(self):
        words = [f"{self.rate_mbps:.1f}M/{self.delay_ms:.0f}ms q{self.queue_bdp:.2f}"]
        if self.loss_percent:
            words.append(f"loss {self.loss_percent:.1f}%")
        if self.jitter_ms:
            words.append(f"jitter {self.jitter_ms:.0f}ms" + (" reorder" if self.reorder else ""))
        return " ".join(words)


@dataclasses.dataclass(frozen=True)
class Pair:
    number: int
    links: tuple
    control: str

    @property
    def label(self):
        return f"pair {self.number} {self.control} " + " + ".join(map(str, self.links))

    @property
    def lossy(self):
        return any(link.loss_percent for link in self.links)

    def scenario(self):
        # From 10 packets to the largest bandwidth-delay product that can be drawn (300 Mbit/s x
        # 600 ms) are eleven doublings, one a round trip: 15 round trips more of warm-up, and as many
        # more of measurement, than the 5 s and 20 s of a short path.
        more = 15 * 2 * max(link.delay_ms for link in self.links) / 1000
        return {
            "name": f"pair-{self.number:03}", "description": self.label,
            "duration": f"{25 + 2 * more:.1f}s", "warmup": f"{5 + more:.1f}s",
            "seed": self.number + 1,
            "links": [link.block(f"link-{i}") for i, link in enumerate(self.links)],
            "traffic": [{"name": "download", "kind": "tcp", "from": "b", "to": "a",
                         "congestion_control": self.control}],
        }


def draw(number):
    uniform = random.Random(f"sennit pair {number}").random  # seeded by the text's SHA-512
    lossy, jittery = number % 2 == 1, number // 2 % 2 == 1

    def logarithmic(least, most):
        return least * math.exp(uniform() * math.log(most / least))

    def link():
        rate, delay, queue = logarithmic(1, 300), logarithmic(1, 300), logarithmic(0.25, 4)
        loss, jitter, reorder = uniform(), uniform(), uniform() < 0.5
        return Link(rate, delay, queue, loss * HIGHEST_LOSS_PERCENT * lossy,
                    jitter * LARGEST_JITTER_MS * jittery, reorder and jittery)

    control = "cubic" if uniform() < 0.5 else "bbr"
    return Pair(number, tuple(link() for _ in range(3 if number % 5 == 4 else 2)), control)


def command_of(pair, options):
    folder = options.out / "sweep"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"pair-{pair.number:03}.yaml"
    scenario = pair.scenario()
    file.write_text(yaml.safe_dump(scenario, sort_keys=False, width=100))
    settings = [word for text in options.settings for word in ("--set", text)]
    # The bond, and each link alone.
    gigabits = 2 * sum(link.rate_mbps for link in pair.links) * seconds(scenario["duration"]) / 1000
    return Command((str(file), "--variant", "default", "--best-single", "--no-trace", *settings),
                   folder / "runs", f"pair {pair.number}", gigabits)


def figures_of(summaries):
    """The aggregate of the bond, with how long all its runs took."""
    aggregate = summaries["default"]["aggregate"]
    if aggregate["aggregation_benefit"] is None:
        raise ValueError("no aggregation benefit: nothing arrived, or nothing can be gained")
    return {**aggregate, "wall_s": sum(s["run"]["wall_s"] for s in summaries.values())}


def percentile(values, share):
    """Linear between the order statistics."""
    values = sorted(values)
    place = (len(values) - 1) * share
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def verdicts(results):
    """Rows of the table. A group without a pair has none."""
    benefits = {pair: figures["aggregation_benefit"] for pair, figures in results.items()}
    clean = [benefit for pair, benefit in benefits.items() if not pair.lossy]
    lossy = [benefit for pair, benefit in benefits.items() if pair.lossy]
    rows = []
    for name, values, figure, goal in (
        ("median benefit without loss", clean, statistics.median, 0.85),
        ("median benefit with loss", lossy, statistics.median, 0.70),
        ("5th percentile of all", [*clean, *lossy], lambda all: percentile(all, 0.05), -0.05),
    ):
        if values:
            value = figure(values)
            rows.append((name, f"{value:.3f}", f">= {goal:g}", "yes" if value >= goal else "NO",
                         str(len(values))))
    return rows


def write_csv(path, results, failures):
    most = max((len(pair.links) for pair in (*results, *failures)), default=0)
    figures = ("goodput_mbps", "bound_mbps", "best_single_mbps", "aggregation_benefit", "wall_s")
    header = ["pair", "control", "links", *figures, "failure"]
    header += [f"{name}_{i}" for i in range(most) for name in PARAMETERS]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for pair in sorted({**results, **failures}, key=lambda pair: pair.number):
            found = results.get(pair, {})
            line = [pair.number, pair.control, len(pair.links),
                    *(found.get(figure, "") for figure in figures), failures.get(pair, "")]
            for link in pair.links:
                line += [getattr(link, name) for name in PARAMETERS]
            writer.writerow(line)


WORST_HEADER = ("pair", "benefit", "goodput", "best single", "bound", "control", "links")


def worst(results):
    """Lines of the table."""
    found = sorted(results.items(), key=lambda item: item[1]["aggregation_benefit"])[:WORST_SHOWN]
    return [(str(pair.number), f"{figures['aggregation_benefit']:.3f}",
             f"{figures['goodput_mbps']:.2f}", f"{figures['best_single_mbps']:.2f}",
             f"{figures['bound_mbps']:.2f}", pair.control, " + ".join(map(str, pair.links)))
            for pair, figures in found]


def run(options, simulator):
    started = time.monotonic()
    chosen = range(options.sweep) if options.only_pair is None else [options.only_pair]
    results, failures, interrupted = {}, {}, False
    try:
        for pair, figures, failure in simulator.run_all(
            [draw(number) for number in chosen], lambda pair: command_of(pair, options),
            lambda _, summaries: figures_of(summaries)
        ):
            if failure:
                failures[pair] = failure
            else:
                results[pair] = figures
    except KeyboardInterrupt:  # what has ended is worth a table
        interrupted = True
    rows, lines = verdicts(results), worst(results)
    said = (f"{len(results)} pairs, {(time.monotonic() - started) / 60:.1f} min"
            f"{'; interrupted' if interrupted else ''}")
    broken = [f"{pair.label}: {why}" for pair, why in failures.items()]
    header = ("figure", "measured", "asked", "met", "pairs")
    name = "sweep" if options.only_pair is None else f"pair-{options.only_pair}"
    print(table.write(options.out, name, "Random pairs of links", header, rows, [*broken, said],
                      {"rows": [dict(zip(header, row)) for row in rows],
                       "worst": [dict(zip(WORST_HEADER, line)) for line in lines],
                       "pairs": len(results), "failures": broken,
                       "measured_with": {"build": simulator.build, "settings": options.settings}}))
    print("\nThe worst, in Mbit/s:\n" + table.text(WORST_HEADER, lines))
    with open(options.out / f"{name}.md", "a") as file:
        file.write("\nThe worst, in Mbit/s:\n\n" + table.markdown(WORST_HEADER, lines) + "\n")
    write_csv(options.out / f"{name}.csv", results, failures)
    if interrupted:
        return 130
    if options.plots and results:
        plots.draw_pairs(options, options.out / f"{name}.csv")
    if failures:
        return 3
    return 0 if all(row[3] == "yes" for row in rows) else 1

"""The tables of docs/results.md, from what --out holds: nothing is run. A file that is there keeps
its text, and gets each table between the marks of its name,

    <!-- goals.sh: goals -->
    <!-- goals.sh: end -->

any other file is written whole. A value whose goal is not met is bold, and leads to the figure of
what limits it, if figures/ beside the file has one (--plots)."""

import json
import math
import re
import statistics
import sys

import goal_list
import table

TITLES = {"goals": "Goals", "codes": "Codes", "schedulers": "Schedulers", "sweep": "Random pairs"}
MARK = "<!-- goals.sh: {} -->"
SAYS = {case.name: case.says for case in goal_list.CASES}


def read(file):
    return json.loads(file.read_text()) if file.exists() else None


def figure_name(profile, control):
    """File of the figure of a row; "5 loss-2%" is not good in an address."""
    return re.sub(r"[^a-z0-9.]+", "-", f"{profile}-{control}".lower()).strip("-") + ".png"


def compact(value, digits, unit=""):
    """Without noughts that say nothing: 0.0000 is 0."""
    if value is None or math.isinf(value):
        return "never"
    return ("0" if value == 0 else f"{value:.{digits}f}") + unit


def measured(row):
    """Median, and least to most of several seeds. JSON has no infinity: None stands for never."""
    if not row["values"]:
        return "failed"
    values = [math.inf if value is None else value for value in row["values"]]
    shown = [compact(value, row["digits"]) for value in
             (statistics.median(values), min(values), max(values))]
    text = shown[0] + (row["unit"] if shown[0] != "never" else "")
    if len(set(shown)) > 1:
        text += f" ({shown[1]}–{shown[2]})"
    return text


def goal_cell(row, figures):
    if row is None:
        return ""
    text = measured(row)
    if row["met"]:
        return text
    name = figure_name(row["profile"], row["control"])
    return f"[**{text}**](figures/{name})" if (figures / name).exists() else f"**{text}**"


def provenance(rows):
    """Which seeds, how long, which program: once if all rows agree, else by goal."""
    said = {}
    for row in rows:
        how = row["measured_with"]
        seeds = ",".join(map(str, row["value_seeds"])) if "value_seeds" in row else ""
        words = [f"seeds {seeds}" if seeds else f"{row['seeds']} seeds" if row.get("seeds") else "",
                 how.get("duration") or "full length", *how["settings"],
                 f"sennit-sim {how['build']}" if how["build"] else ""]
        said.setdefault(", ".join(filter(None, words)), []).append(row["goal"])
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(map(str, dict.fromkeys(goals)))}: {words}"
                     for words, goals in said.items())


def goals(folder, figures):
    data = read(folder / "goals.json")
    rows = [row for row in data["rows"] if row["goal"] not in goal_list.UNIT_GOALS] if data else []
    if not rows:
        return None
    by_name = {(row["goal"], row["profile"], row["figure"], row["control"]): row for row in rows}
    lines = []
    for goal, profile, figure in dict.fromkeys(key[:3] for key in by_name):
        pair = [by_name.get((goal, profile, figure, control)) for control in goal_list.CONTROLS]
        alone = by_name.get((goal, profile, figure, "-"))
        cells = [goal_cell(row, figures) for row in ([alone, None] if alone else pair)]
        any_row = alone or pair[0] or pair[1]
        asked = table.asked(any_row).replace(">=", "≥").replace("<=", "≤")
        lines.append((str(goal), SAYS.get(profile, profile), figure, *cells, asked))
    met = sum(row["met"] for row in rows)
    return [table.markdown(("goal", "profile", "figure", "CUBIC", "inner BBR", "asked"), lines),
            f"{met} of {len(rows)} met. Medians (least–most); {provenance(rows)}."]


def codes(folder, _):
    data = read(folder / "goals.json")
    rows = [row for row in data["rows"] if row["goal"] in goal_list.UNIT_GOALS] if data else []
    if not rows:
        return None
    lines = [(str(row["goal"]), row["profile"], table.measured(row),
              "yes" if row["met"] else "**no**") for row in rows]
    asked = dict.fromkeys(f"Goal {row['goal']}: {row['asked_text']}." for row in rows)
    return [table.markdown(("goal", "code and loss", "measured", "met"), lines), "  \n".join(asked)]


def schedulers(folder, _):
    """The best of a row is bold."""
    data = read(folder / "schedulers.json")
    if not data or not data["rows"]:
        return None
    rows = data["rows"]
    names = list(rows[0]["medians"])
    lines = []
    for row in rows:
        known = [value for value in row["medians"].values() if value is not None]
        best = (max if row["at_least"] else min)(known) if known else None
        cells = []
        for name in names:
            value = row["medians"].get(name)
            shown = "failed" if value is None else compact(value, row["digits"])
            equal = value is not None and shown == compact(best, row["digits"])
            cells.append(f"**{shown}**" if equal else shown)
        figure = row["figure"] + (f",{row['unit']}" if row["unit"] else "")
        lines.append((str(row["goal"]), row["profile"], row["control"], figure, *cells))
    return [table.markdown(("goal", "profile", "control", "figure", *names), lines),
            f"Medians; {provenance(rows)}."]


def sweep(folder, figures):
    data = read(folder / "sweep.json")
    if not data:
        return None
    rows = [(row["figure"], row["measured"] if row["met"] == "yes" else f"**{row['measured']}**",
             row["asked"].replace(">=", "≥"), row["pairs"]) for row in data["rows"]]
    how = data["measured_with"]
    words = [f"{data['pairs']} pairs and triples", *how["settings"], f"sennit-sim {how['build']}"]
    parts = [table.markdown(("figure", "measured", "asked", "pairs"), rows), ", ".join(words) + "."]
    if (figures / "sweep.png").exists():
        parts.append("![Benefit of each pair against what its links are](figures/sweep.png)")
    worst = [tuple(line.values()) for line in data["worst"]]
    return [*parts, "The worst, in Mbit/s:", table.markdown(tuple(data["worst"][0]), worst)]


MAKERS = {"goals": goals, "codes": codes, "schedulers": schedulers, "sweep": sweep}


def between_marks(text, name, body):
    """`text` with `body` between the marks of `name`; None if it has none."""
    begin, end = MARK.format(name), MARK.format("end")
    pattern = re.escape(begin) + r".*?" + re.escape(end)
    if not re.search(pattern, text, re.S):
        return None
    return re.sub(pattern, lambda _: f"{begin}\n\n{body}\n\n{end}", text, count=1, flags=re.S)


def fail(text):
    print(f"goals.sh: {text}", file=sys.stderr)
    return 2


def write(file, folder):
    """Exit status."""
    made = {name: maker(folder, file.parent / "figures") for name, maker in MAKERS.items()}
    made = {name: "\n\n".join(parts) for name, parts in made.items() if parts}
    if not made:
        return fail(f"--out {folder}: has no goals.json, schedulers.json or sweep.json; "
                    "measure first")
    if not file.exists():
        marked = (f"## {TITLES[name]}\n\n{MARK.format(name)}\n\n{body}\n\n{MARK.format('end')}"
                  for name, body in made.items())
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n\n".join(marked) + "\n")
        print(f"{file}: {', '.join(made)}")
        return 0
    text, placed = file.read_text(), []
    for name, body in made.items():
        changed = between_marks(text, name, body)
        if changed is not None:
            text, placed = changed, [*placed, name]
    if not placed:
        marks = ", ".join(MARK.format(name) for name in made)
        return fail(f"--report {file}: is there and has no mark; allowed: a new file, or one with "
                    f"{marks} and {MARK.format('end')}")
    file.write_text(text)
    print(f"{file}: {', '.join(placed)}")
    return 0

"""Rows of figures and goals, as text, Markdown and JSON."""

import json
import math
import statistics

COLUMNS = ("goal", "profile", "control", "figure", "measured (least to most)", "asked", "met", "seeds")


def row(case, control, check, values, failures, options, goal=None):
    """`values` by seed, of those that gave one; `failures` of those that did not."""
    goal = check.goal if goal is None else goal
    seeds, values = list(values), list(values.values())
    judged = values if check.every else [statistics.median(values)] if values else []
    return {
        "goal": case.goal, "profile": case.name, "control": control, "figure": check.name,
        "values": values, "value_seeds": seeds,
        "median": statistics.median(values) if values else None,
        "asked": goal, "at_least": check.at_least, "unit": check.unit, "digits": check.digits,
        "every_seed": check.every, "failures": failures, "seeds": len(options.seeds),
        "met": bool(values) and not failures and check.met(judged, goal),
    }


def unit_row(line):
    """A line of fec_goals."""
    return {"goal": line["goal"], "profile": line["profile"], "control": "-", "figure": "code alone",
            "measured": line["measured"], "asked_text": line["goal_text"], "met": line["met"],
            "unit": "", "failures": [], "seeds": ""}


def number(value, digits):
    return "never" if math.isinf(value) else f"{value:.{digits}f}"


def without_infinity(data):
    """JSON has none: null."""
    if isinstance(data, dict):
        return {key: without_infinity(value) for key, value in data.items()}
    if isinstance(data, list):
        return [without_infinity(value) for value in data]
    return None if isinstance(data, float) and math.isinf(data) else data


def measured(row):
    if "measured" in row:
        value = row["measured"]
        return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
    if row["median"] is None:
        return "failed"
    shown = [number(value, row["digits"]) for value in
             (row["median"], min(row["values"]), max(row["values"]))]
    text = shown[0] + (row["unit"] if shown[0] != "never" else "")
    if len(row["values"]) > 1:
        text += f" ({shown[1]} to {shown[2]})"
    return text


def asked(row):
    if "asked_text" in row:
        return row["asked_text"]
    text = f"{'>=' if row['at_least'] else '<='} {row['asked']:g}{row['unit']}"
    return text + (", every seed" if row["every_seed"] else "")


def cells(row):
    return (str(row["goal"]), row["profile"], row["control"], row["figure"], measured(row), asked(row),
            "yes" if row["met"] else "NO", str(row["seeds"]))


def text(header, rows):
    rows = [header, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def notes(rows):
    """Why seeds are missing, once per reason."""
    reasons = {}
    for row in rows:
        for failure in row["failures"]:
            reasons.setdefault(failure, []).append(f"{row['profile']} {row['control']}")
    return [f"{', '.join(dict.fromkeys(where))}: {why}" for why, where in reasons.items()]


def kept_rows(file):
    return json.loads(file.read_text())["rows"] if file.exists() else []


def merged(file, rows, keys):
    """`rows`, and those of the file that are none of them."""
    new = {tuple(row[key] for key in keys) for row in rows}
    old = [row for row in kept_rows(file) if tuple(row[key] for key in keys) not in new]
    return sorted([*old, *rows], key=lambda row: row["goal"])


def write(folder, name, title, header, rows, remarks, data):
    """<name>.md and <name>.json. Returns the text for the terminal."""
    folder.mkdir(parents=True, exist_ok=True)
    paragraphs = [f"# {title}", markdown(header, rows), *remarks]
    (folder / f"{name}.md").write_text("\n\n".join(paragraphs) + "\n")
    (folder / f"{name}.json").write_text(json.dumps(without_infinity(data), indent=1) + "\n")
    return "\n".join([text(header, rows), *remarks])

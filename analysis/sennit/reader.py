"""summary.json and trace.h5 of one run as Python objects.

A trace may be of a run that is still going on or was killed: everything that reached the disk is
read, and `Run.complete` says whether it is all.
"""

import json
import os
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
import pandas as pd


class TraceError(Exception):
    """A folder or file is not what it should be; the message says what."""


class Run:
    """One run's folder. Files are opened when they are first needed."""

    def __init__(self, folder):
        self.folder = Path(folder)
        if not (self.folder / "summary.json").exists() and not self.trace_file.exists():
            raise TraceError(f"{self.folder}: has neither summary.json nor trace.h5")

    @property
    def trace_file(self):
        return self.folder / "trace.h5"

    @cached_property
    def summary(self):
        """summary.json as dictionaries; None when the run left none (it crashed)."""
        path = self.folder / "summary.json"
        if not path.exists():
            return None
        try:
            return json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise TraceError(f"{path}: is not JSON: {error}") from error

    @cached_property
    def trace(self):
        """The open h5py file."""
        if not self.trace_file.exists():
            raise TraceError(f"{self.folder}: has no trace.h5 (was it run with --no-trace?)")
        # Reading takes no lock, so that a growing file can be looked at.
        os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
        try:
            return h5py.File(self.trace_file, "r")
        except OSError:
            pass
        try:  # its writer is at work, or was killed
            return h5py.File(self.trace_file, "r", libver="latest", swmr=True)
        except OSError as error:
            raise TraceError(f"{self.trace_file}: cannot be read: {error}") from error

    @cached_property
    def attributes(self):
        """Scenario text, name, variant, seed, version, digest, ... of the trace."""
        return {key: _plain(value) for key, value in self.trace.attrs.items()}

    @property
    def complete(self):
        """Whether the run reached its end."""
        return bool(self.attributes["complete"])

    @property
    def name(self):
        return self.attributes["name"]

    @property
    def links(self):
        """Names of the links in use, in the order of their path numbers."""
        return list(self.attributes["links"])

    @cached_property
    def paths(self):
        """paths[end][link]: what that end sent there, one row every 100 ms."""
        return {end: {link: _frame(group[link]) for link in self.links}
                for end, group in self.trace["paths"].items()}

    @cached_property
    def flows(self):
        """flows[name]: goodput and one-way delay, one row every 100 ms."""
        return {name: _frame(table) for name, table in self.trace.get("flows", {}).items()}

    def flow_attributes(self, name):
        """`kind` (tcp, voip, ...) and `direction` (up: a to b, down: b to a)."""
        return {key: _plain(self.trace["flows"][name].attrs[key]) for key in ("kind", "direction")}

    @cached_property
    def tunnel(self):
        """tunnel[end]: queues and rates of one end, one row every 100 ms."""
        return {end: _frame(table) for end, table in self.trace["tunnel"].items()}

    @cached_property
    def events(self):
        """What the scenario changed on the way: time_s, text."""
        return _frame(self.trace["events"])

    @cached_property
    def packet_array(self):
        """All packet events as a NumPy structured array, in order of writing. 42 bytes each."""
        return self.trace["packets"][...]

    def packets(self, kind=None, end=None):
        """Packet events as pandas, optionally of one kind ("sent", "lost", ...) and one end.

        `kind`, `path`, `class` and `end` are categories with names; `at_s` is added. What
        `sequence`, `a` and `b` mean for a kind, `meaning(kind)` tells.
        """
        rows = self.packet_array
        names = self._packet_names
        if kind is not None:
            rows = rows[rows["kind"] == _index(names["kind"], kind, "kind")]
        if end is not None:
            rows = rows[rows["end"] == _index(names["end"], end, "end")]
        frame = pd.DataFrame({column: rows[column] for column in ("at_ns", "sequence", "a", "b",
                                                                  "size", "flags")})
        frame.insert(0, "at_s", rows["at_ns"] * 1e-9)
        for column, source in (("kind", "kind"), ("end", "end"), ("class", "class_id"),
                               ("path", "path")):
            frame[column] = _categories(rows[source], names[column])
        return frame

    def decisions(self, end=None, link=None):
        """Why links did not take packets, as pandas, optionally of one sending end and one link.

        One row per 10 ms (from `at_s` on), end, link, class, `outcome` and `reason`: `packets`
        that it held for, and the means `a` and `b`, whose meaning `reason_meaning(reason)` tells.
        Outcome `elsewhere`: another link took them; `held`: they waited for a link, counted each
        time that this was decided; `stopped`: bound to this link, they could not leave.
        """
        attributes = self.trace["packets"].attrs
        if "reason_names" not in attributes:
            raise TraceError(f"{self.trace_file}: was written by a version without decisions; "
                             "run the scenario again")
        names = self._packet_names
        rows = self.packet_array
        rows = rows[rows["kind"] == _index(names["kind"], "decision", "kind")]
        if end is not None:
            rows = rows[rows["end"] == _index(names["end"], end, "end")]
        if link is not None:
            rows = rows[rows["path"] == _index(names["path"], link, "link")]
        frame = pd.DataFrame({"at_s": rows["at_ns"] * 1e-9})
        for column, source, known in (
                ("end", "end", names["end"]), ("link", "path", names["path"]),
                ("class", "class_id", names["class"]),
                ("outcome", "flags", _plain(attributes["outcome_names"])),
                ("reason", "sequence", _plain(attributes["reason_names"]))):
            frame[column] = _categories(rows[source], known)
        frame["packets"] = rows["size"]
        frame["a"] = rows["a"].astype(np.int64)
        frame["b"] = rows["b"].astype(np.int64)
        return frame

    def reason_meaning(self, reason):
        """What `a` and `b` hold in decisions of this reason."""
        attributes = self.trace["packets"].attrs
        i = _index(_plain(attributes["reason_names"]), reason, "reason")
        return {column: _plain(attributes[f"reason_{column}_means"])[i] for column in ("a", "b")}

    def meaning(self, kind):
        """What `sequence`, `a` and `b` hold in packet events of this kind."""
        i = _index(self._packet_names["kind"], kind, "kind")
        attributes = self.trace["packets"].attrs
        return {column: _plain(attributes[f"kind_{column}_means"])[i]
                for column in ("sequence", "a", "b")}

    def units(self, table):
        """Units of the columns of a table of the trace, as "flows/download"."""
        attributes = self.trace[table].attrs
        return {key.removesuffix(".unit"): _plain(value)
                for key, value in attributes.items() if key.endswith(".unit")}

    @cached_property
    def _packet_names(self):
        attributes = self.trace["packets"].attrs
        return {column: _plain(attributes[f"{column}_names"])
                for column in ("kind", "end", "class", "path")}

    def __repr__(self):
        return f"sennit.Run({str(self.folder)!r})"


def read(folder):
    """The run in `folder` (or in the folder of a file of it)."""
    folder = Path(folder)
    return Run(folder.parent if folder.is_file() else folder)


def read_all(folder):
    """All runs with a summary below `folder`, by path."""
    return [Run(summary.parent) for summary in sorted(Path(folder).rglob("summary.json"))
            if not any(part.startswith(".") for part in summary.relative_to(folder).parts)]


def _plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


def _frame(table):
    frame = pd.DataFrame(table[...])
    for column in frame.columns[frame.dtypes == object]:
        frame[column] = [_plain(value) for value in frame[column]]
    return frame


def _index(names, name, what):
    if name not in names:
        raise TraceError(f"no {what} {name!r}; there are {', '.join(names)}")
    return names.index(name)


def _categories(codes, names):
    """255 and anything else that has no name is missing."""
    known = np.where(codes < len(names), codes.astype(np.int16), -1)
    return pd.Categorical.from_codes(known, categories=names)

"""Reads and draws what `sennit-sim` and `sennit-testbed` leave behind.

    import sennit
    run = sennit.read("results/lte-pair/default/seed-1")
    run.summary["aggregate"]["fraction_of_bound"]
    run.paths["b"]["lte-a"]["srtt_ms"]          # pandas, one row every 100 ms
    run.packets(kind="lost", end="b")           # pandas, one row per packet event
    sennit.plot(run, "figure.png")
"""

from sennit.reader import Run, TraceError, read, read_all
from sennit.cut import cut
from sennit.limits import limits
from sennit.pairs import pairs
from sennit.plot import plot
from sennit.table import table

__all__ = ["Run", "TraceError", "cut", "limits", "pairs", "plot", "read", "read_all", "table"]

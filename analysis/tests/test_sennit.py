"""Reader, table and figure on a small trace that is written here with h5py, in the form that
sim/results/trace_file.h states."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import sennit  # noqa: E402
from sennit.pairs import causes, read_pairs, running_median  # noqa: E402

PACKET = np.dtype([("at_ns", "i8"), ("sequence", "u8"), ("a", "u8"), ("b", "u8"), ("size", "u4"),
                   ("flags", "u2"), ("class_id", "u1"), ("kind", "u1"), ("path", "u1"),
                   ("end", "u1")])
PATH = np.dtype([("time_s", "f8"), ("carried_mbps", "f4"), ("link_queue_ms", "f4"),
                 ("capacity_mbps", "f4"), ("rate_mbps", "f4"), ("one_way_ms", "f4")])
FLOW = np.dtype([("time_s", "f8"), ("goodput_mbps", "f4"), ("owd_ms_mean", "f4"),
                 ("owd_ms_max", "f4"), ("lost", "i4")])
TUNNEL = np.dtype([("time_s", "f8"), ("held_packets", "u4"), ("hold_ms_p99", "f4"),
                   ("outer_mbps", "f4"), ("delivered_mbps", "f4")])
EVENT = np.dtype([("time_s", "f8"), ("text", h5py.string_dtype("utf-8", 240))])


def series(dtype, n=50, **columns):
    rows = np.zeros(n, dtype)
    rows["time_s"] = 0.1 * np.arange(1, n + 1)
    for name, values in columns.items():
        rows[name] = values
    return rows


def write_trace(file, complete=1):
    attributes = {"name": "small", "variant": "default", "seed": 7, "complete": complete,
                  "partial": 1 - complete, "links": np.array([b"lte", b"dsl"]), "duration_s": 5.0,
                  "warmup_s": 1.0, "digest": np.uint64(2**63 + 1), "scenario": "name: small\n"}
    file.attrs.update(attributes)
    packets = np.zeros(6, PACKET)
    packets["at_ns"] = [0, 10, 20, 30, 10_000_000, 10_000_000]
    packets["kind"] = [0, 1, 1, 0, 2, 2]
    packets["end"] = [0, 0, 1, 1, 0, 1]
    packets["path"] = [255, 0, 1, 255, 1, 1]
    packets["sequence"][4:] = [0, 1]
    packets["flags"][4:] = [1, 0]
    packets["size"][4:] = [7, 9]
    packets["b"][4:] = np.array([3, -5]).astype("u8")
    table = file.create_dataset("packets", data=packets)
    for key, names in {"kind_names": [b"accepted", b"sent", b"decision"], "end_names": [b"a", b"b"],
                       "class_names": [b"bulk"], "path_names": [b"lte", b"dsl"],
                       "kind_sequence_means": [b"0", b"path packet number", b"reason"],
                       "kind_a_means": [b"flow hash", b"data sequence", b"see"],
                       "kind_b_means": [b"queue", b"wait", b"see"],
                       "reason_names": [b"down", b"later"],
                       "reason_a_means": [b"0", b"arrival later, ns"],
                       "reason_b_means": [b"0", b"longer wait, ns"],
                       "outcome_names": [b"elsewhere", b"held"]}.items():
        table.attrs[key] = np.array(names)
    for end in "ab":
        for link, rate in (("lte", 20), ("dsl", 10)):
            file[f"paths/{end}/{link}"] = series(PATH, carried_mbps=0.9 * rate, capacity_mbps=rate)
        file[f"tunnel/{end}"] = series(TUNNEL, hold_ms_p99=np.nan)
    file["flows/download"] = series(FLOW, goodput_mbps=25, owd_ms_mean=40, owd_ms_max=55)
    file["flows/download"].attrs.update({"kind": "tcp", "direction": "down",
                                         "goodput_mbps.unit": "Mbit/s"})
    file["flows/call"] = series(FLOW, owd_ms_mean=np.nan, owd_ms_max=np.nan)
    file["flows/call"].attrs.update({"kind": "voip", "direction": "up"})
    file["events"] = np.array([(2.5, "{at: 2500ms, link: lte, set: {state: blackhole}}")], EVENT)


SUMMARY = {
    "schema": 1, "scenario": "small", "variant": "default", "seed": 7,
    "links": {"lte": {"up": {}, "down": {"carried_mbps": 18, "queue_ms": {"p99": 3}}}},
    "flows": {"download": {"kind": "tcp", "goodput_mbps": 25, "owd_ms": {"p50": 40, "p99": 55},
                           "mos": None}},
    "tunnel": {"a": {"hold_ms": {"p99": 2}}, "b": {"repair_ratio": 0.01, "overhead_ratio": 0.06}},
    "aggregate": {"direction": "down", "goodput_mbps": 25, "bound_mbps": 28,
                  "fraction_of_bound": 0.89, "best_single_mbps": None,
                  "aggregation_benefit": None}}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "small" / "default" / "seed-7"
    place.mkdir(parents=True)
    (place / "summary.json").write_text(json.dumps(SUMMARY))
    with h5py.File(place / "trace.h5", "w") as file:
        write_trace(file)
    return place


def test_a_run_has_its_attributes_series_and_summary(folder):
    run = sennit.read(folder)
    assert run.complete
    assert run.links == ["lte", "dsl"]
    assert run.attributes["digest"] == 2**63 + 1
    assert run.summary["aggregate"]["bound_mbps"] == 28
    assert len(run.paths["b"]["dsl"]) == 50
    assert run.flows["download"]["goodput_mbps"].iloc[0] == 25
    assert run.events["text"].iloc[0].startswith("{at: 2500ms")
    assert run.units("flows/download") == {"goodput_mbps": "Mbit/s"}


def test_packets_are_selected_by_names_and_named(folder):
    run = sennit.read(folder)
    sent = run.packets(kind="sent")
    assert list(sent["path"]) == ["lte", "dsl"]
    assert list(run.packets(kind="sent", end="b")["at_ns"]) == [20]
    assert len(run.packets(end="b")) == 3
    assert run.packets(kind="accepted")["path"].isna().all()
    assert run.meaning("sent") == {"sequence": "path packet number", "a": "data sequence",
                                   "b": "wait"}
    with pytest.raises(sennit.TraceError, match="accepted, sent, decision"):
        run.packets(kind="lots")


def test_decisions_have_names_and_signed_means(folder):
    run = sennit.read(folder)
    both = run.decisions(link="dsl")
    assert list(both["reason"]) == ["down", "later"]
    assert list(both["outcome"]) == ["held", "elsewhere"]
    assert list(both["b"]) == [3, -5]
    later = run.decisions(end="b")
    assert list(later["packets"]) == [9]
    assert later["at_s"].iloc[0] == pytest.approx(0.01)
    assert run.decisions(end="a", link="lte").empty
    assert run.reason_meaning("later")["b"] == "longer wait, ns"
    with pytest.raises(sennit.TraceError, match="lte, dsl"):
        run.decisions(link="x")


def test_decisions_of_a_trace_without_them_are_an_error_in_words(folder):
    with h5py.File(folder / "trace.h5", "a") as file:
        del file["packets"].attrs["reason_names"]
    with pytest.raises(sennit.TraceError, match="run the scenario again"):
        sennit.read(folder).decisions()


def test_a_file_of_the_run_stands_for_its_folder(folder):
    assert sennit.read(folder / "trace.h5").folder == folder


def test_a_folder_without_results_is_an_error_in_words(tmp_path):
    with pytest.raises(sennit.TraceError, match="neither summary.json nor trace.h5"):
        sennit.read(tmp_path)


def test_a_file_that_is_no_trace_is_an_error_in_words(folder):
    (folder / "trace.h5").write_text("no HDF5")
    with pytest.raises(sennit.TraceError, match="cannot be read"):
        sennit.read(folder).trace


WRITER = """
import h5py, os, signal, sys
sys.path[:0] = sys.argv[2:]
from test_sennit import write_trace
file = h5py.File(sys.argv[1], "w", libver=("v110", "v110"))
write_trace(file, complete=0)
file.create_dataset("grows", (0,), maxshape=(None,), chunks=(64,), dtype="i8")
file.swmr_mode = True
file["grows"].resize((100,))
file.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_trace_of_a_killed_writer_is_readable_and_partial(folder):
    (folder / "trace.h5").unlink()
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", WRITER, folder / "trace.h5", here],
                          capture_output=True)
    assert done.returncode == -9, done.stderr
    run = sennit.read(folder)
    assert not run.complete
    assert len(run.trace["grows"]) == 100
    assert len(run.paths["a"]["lte"]) == 50


@pytest.mark.parametrize("ending, magic", [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_figure_is_written_as_its_ending_says(folder, tmp_path, ending, magic):
    file = tmp_path / f"figure.{ending}"
    figure = sennit.plot(sennit.read(folder), file)
    assert file.read_bytes().startswith(magic)
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels == ["Throughput, Mbit/s", "One-way delay, ms", "Queueing, ms"]


def test_the_figure_has_capacity_goodput_warm_up_and_events(folder):
    figure = sennit.plot(sennit.read(folder))
    throughput, _, queues = figure.axes
    tops = sorted(round(float(np.max(line.get_ydata())), 3) for line in throughput.lines
                  if len(line.get_ydata()) == 50)
    assert tops == [25, 30]  # goodput, capacity of both links
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert "warm-up" in texts
    assert "A  2.5 s: lte: state blackhole" in texts
    assert "held for order, p99" not in [t.get_text() for t in queues.get_legend().get_texts()]


def legend_texts(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_limits_has_a_panel_for_each_link_between_goodput_and_delays(folder, tmp_path):
    file = tmp_path / "limits.png"
    figure = sennit.limits(sennit.read(folder), file, rates=[("bound", 28.0)],
                           delays=[("asked", 100.0)])
    assert [axis.get_ylabel() for axis in figure.axes] == ["Rate, Mbit/s"] * 3 + ["Delay, ms"] * 2
    assert [axis.get_legend().get_title().get_text() for axis in figure.axes[1:3]] == ["lte", "dsl"]
    assert "bound" in legend_texts(figure.axes[0])
    assert figure.axes[-1].get_ylim()[1] > 100  # what is asked is seen
    assert file.stat().st_size < 100_000


def write_stream(folder):
    """A packet of 200 bytes each ms, but none between 2.5 and 2.6 s."""
    times = np.concatenate([np.arange(0, 2.5, 0.001), np.arange(2.6, 5, 0.001)])
    packets = np.zeros(len(times), PACKET)
    packets["at_ns"] = np.round(times * 1e9)
    packets["kind"], packets["size"] = 3, 200
    with h5py.File(folder / "trace.h5", "a") as file:
        attributes = dict(file["packets"].attrs)
        del file["packets"]
        table = file.create_dataset("packets", data=packets)
        table.attrs.update(attributes)
        table.attrs["kind_names"] = np.array([b"accepted", b"sent", b"decision", b"delivered"])


def test_cut_shows_the_longest_silence_around_the_event(folder, tmp_path):
    write_stream(folder)
    figure = sennit.cut(sennit.read(folder), [(2, 3), (4, 5)], {"stream": ("bulk", 200)},
                        tmp_path / "cut.svg", gaps=[("asked", 120)])
    texts = [[text.get_text() for text in axis.texts] for axis in figure.axes]
    assert sum("101 ms" in found for found in texts) == 1  # in the first column only
    assert any("1 ms" in found for found in texts)
    silence = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 2)
    assert max(silence.get_ydata()) == pytest.approx(101)


def test_cut_without_packets_is_an_error_in_words(folder):
    with h5py.File(folder / "trace.h5", "a") as file:
        file["packets"].attrs["kind_names"] = np.array([b"a", b"b", b"c", b"delivered"])
    with pytest.raises(sennit.TraceError, match="trace_packets"):
        sennit.cut(sennit.read(folder), [(2, 3)], {"stream": ("bulk", 200)})


PAIRS = """pair,control,links,aggregation_benefit,rate_mbps_0,delay_ms_0,loss_percent_0,jitter_ms_0,\
rate_mbps_1,delay_ms_1,loss_percent_1,jitter_ms_1,rate_mbps_2,delay_ms_2,loss_percent_2,jitter_ms_2
0,cubic,2,0.9,10,10,0,0,100,20,0,0,,,,
1,bbr,2,-0.9,10,10,1.5,8,20,200,0,2,,,,
2,cubic,3,0.5,1,10,0,0,2,20,0,0,50,40,2,0
3,cubic,2,,10,10,0,0,20,20,0,0,,,,
""".replace("\\\n", "")


def test_pairs_are_drawn_against_what_sets_their_links_apart(tmp_path):
    (tmp_path / "sweep.csv").write_text(PAIRS)
    frame = read_pairs(tmp_path / "sweep.csv")
    assert len(frame) == 3  # without the one that failed
    found = [list(values) for _, values, _ in causes(frame)]
    assert found == [[0, 8, 0], [0, 1.5, 2], [2, 20, 4], [10, 2, 50]]
    figure = sennit.pairs(tmp_path / "sweep.csv", tmp_path / "sweep.png")
    assert [axis.get_xlabel() for axis in figure.axes][1] == "Largest loss, %"
    assert (tmp_path / "sweep.png").stat().st_size < 100_000


def test_medians_run_over_groups_and_nought_is_one():
    values, benefit = running_median(np.array([0, 0, 0, 1, 2, 3, 4.0]),
                                     np.array([0.9, 0.8, 1, 0.1, 0.2, 0.3, 0.4]))
    assert (values[0], benefit[0]) == (0, 0.9)
    assert (values[-1], benefit[-1]) == (2.5, 0.25)


def test_a_table_that_is_none_of_pairs_is_an_error_in_words(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(sennit.TraceError, match="no table of pairs"):
        sennit.pairs(tmp_path / "other.csv")


def test_the_table_has_runs_as_columns_and_leaves_unknowns_out(folder, tmp_path):
    table = sennit.table([tmp_path])
    column = table["small", "default", 7]
    assert column["all flows", "goodput, Mbit/s"] == 25
    assert column["tunnel", "held for order p99, ms"] == 2
    assert ("download", "voice quality, MOS") not in table.index


def command(*arguments):
    return subprocess.run([sys.executable, "-m", "sennit", *map(str, arguments)], text=True,
                          capture_output=True, cwd=Path(__file__).parents[1])


def test_the_command_line_plots_and_tabulates(folder, tmp_path):
    assert command("plot", folder, "-o", tmp_path / "x.png").returncode == 0
    assert (tmp_path / "x.png").stat().st_size > 10_000
    assert command("limits", folder, "-o", tmp_path / "y.png", "--to", "3").returncode == 0
    (tmp_path / "sweep.csv").write_text(PAIRS)
    assert command("pairs", tmp_path / "sweep.csv", "-o", tmp_path / "z.png").returncode == 0
    done = command("table", tmp_path, "--csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fraction of bound,0.89" in done.stdout


def test_the_command_line_says_what_is_wrong_in_one_line(folder, tmp_path):
    for arguments in (["plot", tmp_path / "missing"], ["plot", folder, "-o", tmp_path / "x.bmp"]):
        done = command(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("sennit: ") and len(done.stderr.splitlines()) == 1

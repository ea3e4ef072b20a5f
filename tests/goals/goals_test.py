"""The goals' driver as its users meet it, and the arithmetic behind its verdicts.

Run by ctest as: goals_test.py BUILD."""

import argparse
import contextlib
import io
import json
import math
import pathlib
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import goal_list
import goals
import measure
import plots
import report
import simulator
import sweep
import table

BUILD = pathlib.Path(sys.argv.pop(1))


class CommandLine(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def goals(self, *arguments, build=BUILD):
        return subprocess.run([sys.executable, "-B", goals.HERE / "goals.py", build, "--out",
                               self.folder / "out", *arguments],
                              capture_output=True, text=True, timeout=300, check=False)

    def test_bad_arguments_are_answered_with_one_line_and_status_2(self):
        for arguments, word in (
            (["--only", "17"], "found goal 17; allowed: 1, 2"),
            (["--seeds", "5-1"], "found '5-1'"),
            (["--duration", "60"], "allowed: a time such as 60s"),
            (["--cc", "vegas"], "allowed: cubic, bbr"),
            (["--only-pair", "3"], "with --sweep only"),
            (["--only", "1", "--set", "links.three.rate=1mbit"], "links.three"),
        ):
            with self.subTest(arguments=arguments):
                done = self.goals(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                said = [line for line in done.stderr.splitlines() if " runs, about " not in line]
                self.assertEqual(len(said), 1, done.stderr)
                self.assertIn(word, said[0])

    def test_a_build_without_simulator_is_bad_input(self):
        done = self.goals("--only", "1", build=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("sennit-sim is not there", done.stderr)

    def test_the_simulator_names_its_schedulers(self):
        names = goals.Simulator(BUILD).schedulers(goal_list.CASES[0].path)
        self.assertLessEqual({"earliest-arrival", "min-rtt", "cheapest-path-first"}, set(names))

    def program(self, lines):
        """A sennit-sim that does `lines` of shell before what the real one does."""
        program = self.folder / "bin" / "sennit-sim"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\n{lines}\n'
                           f'exec "{(BUILD / "bin" / "sennit-sim").resolve()}" "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def test_a_run_that_crashes_leaves_the_others(self):
        self.program('case "$*" in *"--seed 2"*) echo bang >&2; exit 3 ;; esac')
        done = self.goals("--only", "7", "--cc", "cubic", "--seeds", "1-3", "--duration", "5s",
                          build=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        row = self.rows()[0]
        self.assertEqual(len(row["values"]), 2)
        self.assertFalse(row["met"])
        self.assertIn("transfer cubic: RunFailed: sennit-sim ended with status 3: bang", done.stdout)

    def rows(self):
        return json.loads((self.folder / "out" / "goals.json").read_text())["rows"]

    def short_transfer(self, *more):
        calls = self.folder / "calls"
        before = len(calls.read_text().splitlines()) if calls.exists() else 0
        done = self.goals("--only", "7", "--cc", "cubic", "--duration", "1s", *more,
                          build=self.folder)
        return len(calls.read_text().splitlines()) - before, done

    def test_what_was_run_is_not_run_again_until_something_differs(self):
        log = f'echo "$@" >> "{self.folder / "calls"}"'
        self.program(log)
        self.assertEqual(self.short_transfer("--seeds", "1-2")[0], 2)
        again, done = self.short_transfer("--seeds", "1-2")
        self.assertEqual(again, 0)
        self.assertIn("0 runs (2 more are there already)", done.stderr)
        self.assertEqual(self.short_transfer("--seeds", "1-3")[0], 1)
        self.assertEqual(self.short_transfer("--seeds", "1", "--set", "warmup=0.1s")[0], 1)
        self.program(log + "\n# another build")
        self.assertEqual(self.short_transfer("--seeds", "1-2")[0], 2)

    def test_an_interrupted_campaign_goes_on_where_it_was(self):
        wait = f'case "$*" in *"--seed 2"*) touch "{self.folder}/waits"; exec sleep 60;; esac'
        self.program(wait + f'\necho "$@" >> "{self.folder / "calls"}"')
        command = [sys.executable, "-B", goals.HERE / "goals.py", self.folder, "--out",
                   self.folder / "out", "--only", "7", "--cc", "cubic", "--duration", "1s",
                   "--seeds", "1-3", "--jobs", "1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as campaign:
            for _ in range(600):
                if (self.folder / "waits").exists():
                    break
                time.sleep(0.1)
            campaign.terminate()
            printed, _ = campaign.communicate(timeout=60)
        self.assertEqual(campaign.returncode, 130)
        self.assertIn("interrupted", printed)
        self.assertEqual((self.folder / "calls").read_text().count("--seed 1"), 1)
        store = simulator.Simulator(self.folder, 1, self.folder / "out").store
        self.assertEqual(len(list(store.folder.glob("[0-9a-f]*.json"))), 1)

    def test_goals_measured_apart_are_in_one_table_and_a_report(self):
        self.goals("--only", "7", "--seeds", "1-2", "--duration", "5s")
        self.goals("--only", "14", "--cc", "cubic", "--seeds", "1", "--duration", "6s")
        self.assertEqual([row["goal"] for row in self.rows()], [7, 7] + [14] * 6)
        file = self.folder / "tables.md"
        self.assertEqual(self.goals("--report", file).returncode, 0)
        line = next(line for line in file.read_text().splitlines() if line.startswith("| 7 "))
        self.assertRegex(line, r"\| profile 1, 20 MiB \| fraction to the end \| \S*0\.\d{3}.* \| "
                               r"\S*0\.\d{3}.* \| ≥ 0.85 \|")


    def test_a_missed_goal_is_drawn_from_the_seed_of_its_median(self):
        plots_folder = self.folder / "figures"
        arguments = ("--only", "7", "--cc", "cubic", "--seeds", "1-3", "--duration", "3s",
                     "--plots", plots_folder)
        done = self.goals(*arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        seeds = plots.seed_to_draw(self.rows()[0])
        self.assertIn(f"7 transfer cubic seed {seeds} traced: done", done.stderr)
        figure = plots_folder / "transfer-cubic.png"
        self.assertTrue(figure.read_bytes().startswith(b"\x89PNG"))
        self.assertLess(figure.stat().st_size, 100_000)
        self.assertIn("0 runs (1 more are there already)", self.goals(*arguments).stderr)

    def test_the_cut_is_drawn_from_its_packets(self):
        done = self.goals("--only", "11", "--cc", "cubic", "--seeds", "1", "--duration", "8s",
                          "--set", "events.0.at=3s", "--set", "events.1.at=5s", "--set",
                          "warmup=1s", "--set", "links.fibre.rate=30mbit", "--set",
                          "links.5g.rate=10mbit", "--plots", self.folder, "--plot-met")
        self.assertTrue((self.folder / "black-hole-cubic.png").exists(), done.stderr)

    def test_a_sweep_is_drawn_too(self):
        done = self.goals("--sweep", "--only-pair", "17", "--plots", self.folder)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertTrue((self.folder / "sweep.png").exists())


class WhichSeedIsDrawn(unittest.TestCase):
    def seed(self, values, every, at_least):
        return plots.seed_to_draw({"values": values, "value_seeds": list(range(1, len(values) + 1)),
                                   "every_seed": every, "at_least": at_least})

    def test_is_that_of_the_median_and_of_two_the_worse(self):
        self.assertEqual(self.seed([0.7, 0.9, 0.8], False, True), 3)
        self.assertEqual(self.seed([0.7, 0.9], False, True), 1)
        self.assertEqual(self.seed([7, 9], False, False), 2)

    def test_is_the_worst_where_every_seed_counts(self):
        self.assertEqual(self.seed([0, 3, 1], True, False), 2)
        self.assertEqual(self.seed([], True, False), None)


class Report(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.file = self.folder / "results.md"

    def measured(self, values, met=True):
        row = {"goal": 1, "profile": "equal", "control": "cubic", "figure": "fraction",
               "values": values, "value_seeds": [1, 2, 3], "asked": 0.98, "at_least": True,
               "unit": "", "digits": 3, "every_seed": False, "failures": [], "seeds": 3, "met": met,
               "measured_with": {"build": "abc", "duration": None, "settings": []}}
        (self.folder / "goals.json").write_text(json.dumps({"rows": [row]}))

    def write(self):
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            return report.write(self.file, self.folder)

    def test_a_table_is_put_between_its_marks_and_the_text_around_stays(self):
        self.measured([0.99, 1.0, 0.985])
        marks = "<!-- goals.sh: goals -->\nold\n<!-- goals.sh: end -->"
        self.file.write_text(f"# By hand\n\n{marks}\n\nBelow.\n")
        self.assertEqual(self.write(), 0)
        text = self.file.read_text()
        self.assertTrue(text.startswith("# By hand\n") and text.endswith("\nBelow.\n"))
        self.assertIn("| 1 | 50M/20 ms + 50M/20 ms | fraction | 0.990 (0.985–1.000) |  | ≥ 0.98 |",
                      text)
        self.assertNotIn("old", text)
        self.assertIn("seeds 1,2,3, full length, sennit-sim abc", text)

    def test_a_document_without_marks_is_not_overwritten(self):
        self.measured([0.99])
        self.file.write_text("by hand\n")
        self.assertEqual(self.write(), 2)
        self.assertEqual(self.file.read_text(), "by hand\n")

    def test_what_misses_its_goal_is_bold_and_leads_to_its_figure(self):
        self.measured([0.9, None, 0.8], met=False)
        self.write()
        self.assertIn("| **0.900 (0.800–never)** |", self.file.read_text())
        (self.folder / "figures").mkdir()
        (self.folder / "figures" / "equal-cubic.png").touch()
        self.file.unlink()
        self.write()
        self.assertIn("](figures/equal-cubic.png) |", self.file.read_text())

    def test_nothing_measured_is_an_error_in_words(self):
        self.assertEqual(self.write(), 2)
        self.assertFalse(self.file.exists())


class Verdicts(unittest.TestCase):
    def row(self, values, every=False, failures=()):
        check = goal_list.at_least("x", None, 0.9, every=every)
        case = goal_list.CASES[0]
        seeds = argparse.Namespace(seeds=[1, 2, 3])
        return table.row(case, "cubic", check, dict(enumerate(values, 1)), list(failures), seeds)

    def test_the_median_decides_or_the_worst_seed_where_every_seed_counts(self):
        self.assertTrue(self.row([0.8, 0.9, 1.0])["met"])
        self.assertFalse(self.row([0.8, 0.89, 1.0])["met"])
        self.assertFalse(self.row([0.8, 0.9, 1.0], every=True)["met"])

    def test_a_missing_seed_is_not_met(self):
        self.assertFalse(self.row([1.0, 1.0], failures=["crash"])["met"])
        self.assertFalse(self.row([])["met"])

    def test_every_row_that_ctest_asks_for_exists(self):
        rows = {f"{case.goal} {case.name} {control} {check.name}" for case in goal_list.CASES
                for control in case.controls for check in case.checks}
        self.assertEqual(set(goals.ci_thresholds()) - rows, set())


class RateAfterAnEvent(unittest.TestCase):
    def after(self, rates):
        """`rates` of the 100 ms intervals since the event at 1 s."""
        before = [((i + 1) / 10, 380.0) for i in range(10)]
        since = [(1 + (i + 1) / 10, float(rate)) for i, rate in enumerate(rates)]
        return measure.seconds_until_rate(before + since, 1.0, 76, 80)

    def test_counts_from_the_event_to_the_start_of_a_full_second(self):
        self.assertAlmostEqual(self.after([80] * 20), 0.0)
        self.assertAlmostEqual(self.after([0] * 5 + [80] * 20), 0.5)

    def test_a_burst_does_not_make_up_for_silence(self):
        self.assertGreater(self.after([500, 0, 0, 0] + [80] * 20), 0.3)

    def test_a_rate_that_never_holds_takes_for_ever(self):
        self.assertEqual(self.after([70] * 30), math.inf)


class RandomPairs(unittest.TestCase):
    def test_a_pair_is_the_same_on_every_machine(self):
        pair = sweep.draw(17)
        self.assertEqual(str(pair.links[0]), "1.9M/36ms q2.47 loss 1.3%")

    def test_half_have_loss_half_jitter_and_a_fifth_three_links(self):
        pairs = [sweep.draw(number) for number in range(100)]
        self.assertEqual(sum(pair.lossy for pair in pairs), 50)
        self.assertEqual(sum(pair.links[0].jitter_ms > 0 for pair in pairs), 50)
        self.assertEqual(sum(len(pair.links) == 3 for pair in pairs), 20)

    def test_every_draw_is_within_its_range(self):
        for number in range(200):
            for link in sweep.draw(number).links:
                self.assertTrue(1 <= link.rate_mbps <= 300, number)
                self.assertTrue(1 <= link.delay_ms <= 300, number)
                self.assertTrue(0.25 <= link.queue_bdp <= 4, number)
                self.assertTrue(0 <= link.loss_percent <= 2.5, number)

    def test_percentiles_lie_between_the_values(self):
        self.assertAlmostEqual(sweep.percentile([1, 0], 0.05), 0.05)
        self.assertAlmostEqual(sweep.percentile(range(101), 0.05), 5)


if __name__ == "__main__":
    unittest.main()

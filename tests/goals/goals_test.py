"""The goals' driver as its users meet it, and the arithmetic behind its verdicts.

Run by ctest as: goals_test.py BUILD."""

import json
import math
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

import goal_list
import goals
import measure
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
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(word, done.stderr)

    def test_a_build_without_simulator_is_bad_input(self):
        done = self.goals("--only", "1", build=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("sennit-sim is not there", done.stderr)

    def test_the_simulator_names_its_schedulers(self):
        names = goals.Simulator(BUILD).schedulers(goal_list.CASES[0].path)
        self.assertLessEqual({"earliest-arrival", "min-rtt", "cheapest-path-first"}, set(names))

    def test_a_run_that_crashes_leaves_the_others(self):
        program = self.folder / "bin" / "sennit-sim"
        program.parent.mkdir()
        program.write_text('#!/bin/sh\ncase "$*" in *"--seed 2"*) echo bang >&2; exit 3 ;; esac\n'
                           f'exec "{(BUILD / "bin" / "sennit-sim").resolve()}" "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        done = self.goals("--only", "7", "--cc", "cubic", "--seeds", "1-3", "--duration", "5s",
                          build=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        row = json.loads((self.folder / "out" / "goals.json").read_text())["rows"][0]
        self.assertEqual(len(row["values"]), 2)
        self.assertFalse(row["met"])
        self.assertIn("transfer cubic: RunFailed: sennit-sim ended with status 3: bang", done.stdout)


class Verdicts(unittest.TestCase):
    def row(self, values, every=False, failures=()):
        check = goal_list.at_least("x", None, 0.9, every=every)
        return table.row(1, "equal", "cubic", check, values, list(failures), 3)

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

"""sennit-sim as its users meet it: exit statuses, messages, JSON, interruption, crashes of the disk.

Run by ctest as: cli_test.py <sennit-sim>. Needs h5py to look into traces.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import h5py

PROGRAM = sys.argv.pop(1)

SCENARIO = """
name: cli-test
duration: 2s
warmup: 500ms
links:
  - {name: one, rate: 10mbit, delay: 10ms}
  - {name: two, rate: 5mbit, delay: 20ms}
traffic:
  - {name: call, kind: voip, from: a, to: b}
  - {name: stream, kind: cbr, rate: 1mbit, from: b, to: a}
variants:
  - {name: min-rtt, tunnel: {scheduler: {algorithm: min-rtt}}}
events:
  - {at: 1500ms, link: two, set: {state: blackhole}}
"""


WHY_SCENARIO = """
name: cli-test
duration: 3s
warmup: 1s
links:
  - {name: one, rate: 20mbit, delay: 10ms}
  - {name: two, rate: 20mbit, delay: 50ms}
traffic:
  - {name: stream, kind: cbr, rate: 4mbit, size: 1000, from: b, to: a}
events:
  - {at: 2500ms, link: one, set: {state: blackhole}}
"""


class CommandLine(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.out = os.path.join(self.folder, "out")
        self.scenario = self.write("cli-test.yaml", SCENARIO)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def sim(self, *arguments, **options):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120,
                              **options)

    def run_scenario(self, *arguments, scenario=None, **options):
        return self.sim("run", scenario or self.scenario, "--out", self.out, *arguments, **options)

    def folder_of(self, variant="default", seed=1):
        return os.path.join(self.out, "cli-test", variant, f"seed-{seed}")

    def assert_bad_input(self, done, *words):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertTrue(done.stderr.startswith("sennit-sim: "), done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)

    def test_a_run_leaves_a_summary_and_a_complete_trace(self):
        done = self.run_scenario("--variant", "default")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("voice quality", done.stdout)
        self.assertEqual(sorted(os.listdir(self.folder_of())), ["summary.json", "trace.h5"])
        with open(os.path.join(self.folder_of(), "summary.json")) as file:
            summary = json.load(file)
        self.assertEqual(summary["schema"], 1)
        self.assertFalse(summary["run"]["partial"])
        with h5py.File(os.path.join(self.folder_of(), "trace.h5")) as trace:
            self.assertEqual(trace.attrs["complete"], 1)
            self.assertEqual(f"{trace.attrs['digest']:016x}", summary["run"]["digest"])
            self.assertGreater(len(trace["packets"]), 0)
            self.assertIn("one", trace["paths/b"])
            self.assertIn("call", trace["flows"])

    def test_the_python_package_reads_and_draws_a_run(self):
        self.assertEqual(self.run_scenario("--variant", "default", "--quiet").returncode, 0)
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "analysis"))
        import sennit
        run = sennit.read(self.folder_of())
        self.assertTrue(run.complete)
        self.assertEqual(run.links, ["one", "two"])
        self.assertGreater(len(run.packets(kind="sent", end="a")), 0)
        self.assertAlmostEqual(run.paths["b"]["one"]["capacity_mbps"].iloc[-1], 10, places=1)
        self.assertEqual(run.paths["b"]["two"]["capacity_mbps"].iloc[-1], 0)  # after the event
        figure = os.path.join(self.folder, "figure.png")
        sennit.plot(run, figure)
        self.assertGreater(os.path.getsize(figure), 10_000)
        self.assertIn(("cli-test", "default", 1), sennit.table([self.out]).columns)

    def test_json_is_all_that_stdout_has(self):
        done = self.run_scenario("--json", "--no-trace", "--best-single", "--seeds", "3,4")
        self.assertEqual(done.returncode, 0, done.stderr)
        summaries = json.loads(done.stdout)
        self.assertEqual([(s["variant"], s["seed"]) for s in summaries],
                         [(v, s) for v in ("default", "min-rtt", "only-one", "only-two")
                          for s in (3, 4)])
        default = summaries[0]["aggregate"]
        best = max(s["aggregate"]["goodput_mbps"] for s in summaries
                   if s["variant"].startswith("only") and s["seed"] == 3)
        self.assertEqual(default["best_single_mbps"], best)
        self.assertIsNotNone(default["aggregation_benefit"])
        self.assertEqual(os.listdir(self.folder_of(seed=3)), ["summary.json"])

    def test_equal_seeds_give_equal_results(self):
        digests = [json.loads(self.run_scenario("--json").stdout)[0]["run"]["digest"]
                   for _ in range(2)]
        self.assertEqual(*digests)

    def test_an_unmet_expectation_is_named_and_exits_1(self):
        text = SCENARIO + "expect:\n  - flows.call.mos >= 4.9\n  - flows.call.mos >= 1\n"
        done = self.run_scenario(scenario=self.write("unmet.yaml", text))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("unmet: cli-test/default/seed-1: flows.call.mos >= 4.9  (it is ", done.stderr)
        self.assertIn("expectations: 1 met, 1 unmet", done.stdout)

    def test_an_expectation_of_the_benefit_runs_the_links_alone_by_itself(self):
        text = SCENARIO + "expect:\n  - aggregate.aggregation_benefit >= -1\n"
        done = self.run_scenario(scenario=self.write("benefit.yaml", text))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("only-two", done.stdout)

    def test_bad_input_exits_2_with_one_message(self):
        self.assert_bad_input(self.sim("run", "/does/not/exist.yaml"), "/does/not/exist.yaml")
        self.assert_bad_input(self.sim("run"), "FILE")
        self.assert_bad_input(self.sim("walk"), "--help")
        self.assert_bad_input(self.run_scenario("--seeds", "5-1"), "--seeds 5-1", "1-10")
        self.assert_bad_input(self.run_scenario("--seeds", "1-"), "--seeds 1-")
        self.assert_bad_input(self.run_scenario("--seed", "1", "--seeds", "2"), "--seed")
        self.assert_bad_input(self.run_scenario("--jobs", "0"), "--jobs")
        self.assert_bad_input(self.run_scenario("--variant", "min-rt"), "min-rt", "default, min-rtt")
        self.assert_bad_input(self.run_scenario("--set", "duration"), "KEY=VALUE")
        self.assert_bad_input(self.run_scenario("--set", "links.one.rat=1mbit"), "rat")
        self.assert_bad_input(self.run_scenario("--duration", "20"), "--duration 20", "20s")
        self.assert_bad_input(self.run_scenario("--duration", "400ms"), "warm-up")
        self.assert_bad_input(self.run_scenario(self.scenario), "cli-test", "overwrite")
        self.assertFalse(os.path.exists(self.out))

    def test_check_names_what_is_wrong_in_every_file(self):
        good = self.sim("check", self.scenario)
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("cli-test", good.stdout)
        bad = self.write("bad.yaml", SCENARIO.replace("10mbit", "10miles"))
        worse = self.write("worse.yaml", "name: [")
        done = self.sim("check", bad, worse)
        self.assert_bad_input(done, "bad.yaml:", "10miles", "worse.yaml")
        self.assertEqual(len(done.stderr.splitlines()), 2)

    def test_results_that_cannot_be_written_are_an_error_before_anything_runs(self):
        blocked = self.write("file", "")
        self.assert_bad_input(self.sim("run", self.scenario, "--out", blocked), blocked)
        inside = os.path.join(blocked, "results")
        self.assert_bad_input(self.sim("run", self.scenario, "--out", inside), inside)
        self.assert_bad_input(self.sim("run", self.scenario, "--out", "/proc/results"),
                              "/proc/results")

    def test_a_disk_that_fills_up_fails_the_run_and_leaves_nothing_that_looks_complete(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_100_000, 1_100_000))
        text = SCENARIO.replace("duration: 2s", "duration: 60s").replace("rate: 1mbit",
                                                                         "rate: 9mbit")
        done = self.run_scenario("--variant", "default", scenario=self.write("big.yaml", text),
                                 preexec_fn=limit)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("trace.h5: cannot write: File too large", done.stderr)
        self.assertEqual(os.listdir(os.path.dirname(self.folder_of())), [])

    def test_new_results_replace_all_of_the_old_ones(self):
        os.makedirs(self.folder_of())
        for name in ("trace.h5", "summary.json", "figure.png"):
            with open(os.path.join(self.folder_of(), name), "w") as file:
                file.write("old")
        done = self.run_scenario("--no-trace", "--variant", "default", "--quiet")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertEqual(os.listdir(self.folder_of()), ["summary.json"])
        self.assertEqual(os.listdir(os.path.dirname(self.folder_of())), ["seed-1"])

    def interrupt(self, number):
        long = self.write("long.yaml", SCENARIO.replace("duration: 2s", "duration: 3600s"))
        process = subprocess.Popen([PROGRAM, "run", long, "--out", self.out, "--variant",
                                    "default"], stderr=subprocess.PIPE, text=True,
                                   stdout=subprocess.PIPE)
        time.sleep(2)
        process.send_signal(number)
        stderr = process.communicate(timeout=60)[1]
        return process.returncode, stderr

    def why(self, at, link, end, *arguments, folder=None):
        done = self.sim("why", folder or self.folder_of(), "--at", at, "--link", link, "--from",
                        end, "--json", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answer, = json.loads(done.stdout)["answers"]
        self.assertEqual((answer["link"], answer["from"]), (link, end))
        return answer

    def test_why_knows_a_black_hole_a_slower_link_and_an_idle_one(self):
        text = WHY_SCENARIO
        scenario = self.write("why.yaml", text)
        self.assertEqual(self.run_scenario("--quiet", scenario=scenario).returncode, 0)
        slower = self.why("1900ms", "two", "b")
        self.assertEqual((slower["here"], slower["state"]), (0, "up"))
        self.assertEqual([reason["reason"] for reason in slower["reasons"]], ["later"])
        self.assertAlmostEqual(slower["reasons"][0]["a"] * 1e-6, 40, delta=10)
        self.assertIn("longer delay", slower["verdict"])
        taken = self.why("1900ms", "one", "b")
        self.assertEqual(taken["here"], taken["packets"])
        self.assertIn("took all there was", taken["verdict"])
        self.assertIn("idle: nothing to send", self.why("1900ms", "one", "a")["verdict"])
        suspect = self.why("2600ms", "one", "b", "--window", "200ms")
        self.assertIn("suspect", [reason["reason"] for reason in suspect["reasons"]])
        self.assertEqual(suspect["changes"][0]["because"], "it fell silent")
        down = self.why("2950ms", "one", "b", "--window", "20ms")
        self.assertEqual({reason["reason"] for reason in down["reasons"]}, {"down"})
        self.assertIn("not usable: DOWN since 2.", down["verdict"])
        words = self.sim("why", os.path.join(self.folder_of(), "trace.h5"), "--at", "2.95s")
        self.assertEqual((words.returncode, words.stderr), (0, ""))
        self.assertEqual(words.stdout.count(" packets ("), 4)  # two links, both directions
        self.assertIn("it was DOWN", words.stdout)

    def test_every_scheduler_says_why(self):
        for algorithm in ("min-rtt", "round-robin", "cheapest-path-first", "redundant"):
            done = self.run_scenario("--quiet", "--variant", "default", "--set",
                                     f"tunnel.scheduler.algorithm={algorithm}")
            self.assertEqual(done.returncode, 0, done.stderr)
            answers = [self.why("1s", link, "b") for link in ("one", "two")]
            refused = sum(reason["packets"] for answer in answers for reason in answer["reasons"])
            if algorithm != "redundant":
                self.assertEqual(refused, answers[0]["packets"], algorithm)

    def test_why_answers_bad_questions_with_one_message(self):
        self.assertEqual(self.run_scenario("--quiet", "--variant", "default").returncode, 0)
        folder = self.folder_of()
        self.assert_bad_input(self.sim("why", "/nope", "--at", "1s"), "/nope", "trace.h5")
        self.assert_bad_input(self.sim("why", self.out, "--at", "1s"), "cli-test", "no trace.h5")
        self.assert_bad_input(self.sim("why", self.scenario, "--at", "1s"), "HDF5")
        self.assert_bad_input(self.sim("why", folder), "--at")
        self.assert_bad_input(self.sim("why", folder, "--at", "12"), "--at 12", "as 20s")
        self.assert_bad_input(self.sim("why", folder, "--at", "9s"), "--at 9s", "0s to 2s")
        self.assert_bad_input(self.sim("why", folder, "--at", "1s", "--link", "x"), "one, two")
        self.assert_bad_input(self.sim("why", folder, "--at", "1s", "--from", "x"), "a or b")
        self.assert_bad_input(self.sim("why", folder, "--at", "1s", "--window", "9min"), "60s")

    def test_the_python_package_has_the_decisions(self):
        self.assertEqual(self.run_scenario("--quiet", "--variant", "default").returncode, 0)
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "analysis"))
        import sennit
        decisions = sennit.read(self.folder_of()).decisions(end="b", link="two")
        self.assertEqual(set(decisions["link"]), {"two"})
        self.assertIn("later", set(decisions["reason"]))
        asked = self.why("1s", "two", "b")
        around = decisions[(decisions["at_s"] > 0.9499) & (decisions["at_s"] < 1.0499)]
        self.assertEqual(around["packets"].sum(), sum(r["packets"] for r in asked["reasons"]))

    def test_an_interrupted_run_keeps_partial_results(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            status, stderr = self.interrupt(number)
            self.assertEqual(status, 130, stderr)
            self.assertIn("partial", stderr)
            with open(os.path.join(self.folder_of(), "summary.json")) as file:
                run = json.load(file)["run"]
            self.assertTrue(run["partial"])
            self.assertGreater(run["simulated_s"], 0)
            with h5py.File(os.path.join(self.folder_of(), "trace.h5")) as trace:
                self.assertEqual((trace.attrs["complete"], trace.attrs["partial"]), (0, 1))
                self.assertGreater(len(trace["packets"]), 0)
                self.assertGreater(len(trace["flows/call"]), 0)
            asked = self.sim("why", self.folder_of(), "--at", "1s")
            self.assertEqual((asked.returncode, asked.stderr), (0, ""))
            self.assertIn("Partial: the trace ends at ", asked.stdout)
            beyond = self.sim("why", self.folder_of(), "--at", "3599s")
            self.assert_bad_input(beyond, "did not reach its end")

    def test_help_and_version_exit_0(self):
        for arguments in (["--help"], ["run", "--help"], ["check", "--help"], ["why", "--help"],
                          ["--version"]):
            done = self.sim(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout)


if __name__ == "__main__":
    unittest.main()

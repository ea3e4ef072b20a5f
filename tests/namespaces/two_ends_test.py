#!/usr/bin/env python3
"""Two real daemons between two network namespaces: what a user of the tunnel sees.

    two_ends_test.py SENNITD SENNITCTL
"""

import signal
import subprocess
import sys
import unittest

from stage import INNER, SKIPPED, Stage, result_of, run, start_traffic, unable

RATES = (20, 30)


class TwoEnds(unittest.TestCase):
    def setUp(self):
        self.stage = Stage(DAEMON, CONTROL, RATES)
        self.addCleanup(self.stage.close)

    def start(self):
        self.daemons = {end: self.stage.start(end) for end in "ab"}
        self.stage.wait_for("both paths up at both ends", self.stage.all_up)

    def ask_through(self, seconds):
        start_traffic(self.stage, "b", "echo", 7000)
        return start_traffic(self.stage, "a", "ask", INNER["b"], 7000, seconds)

    def test_tcp_adds_up_both_links(self):
        self.start()
        sink = start_traffic(self.stage, "b", "sink", 7001)
        start_traffic(self.stage, "a", "send", INNER["b"], 7001, 6)
        goodput = result_of(sink)["mbps"]
        print(f"TCP over {RATES} Mbit/s: {goodput:.1f} Mbit/s", file=sys.stderr)
        self.assertGreater(goodput, 1.2 * max(RATES), self.stage.story())

    def test_a_pulled_link_is_not_noticed(self):
        self.start()
        asking = self.ask_through(4)
        accepted = lambda: self.stage.status("a")["counters"]["accepted_packets"]
        self.stage.wait_for("packets", lambda: accepted() > 100)
        self.stage.link("a", 0, "down")
        self.stage.wait_for("link0 down", lambda: not self.stage.status("a")["paths"][0]["carrier"])
        seen = result_of(asking)
        print(f"link pulled: {seen}", file=sys.stderr)
        self.assertLessEqual(seen["lost"], 2)
        self.assertLess(seen["longest_gap_ms"], 250)
        self.stage.link("a", 0, "up")
        self.stage.wait_for("link0 up again", self.stage.all_up)

    def test_a_link_made_anew_is_used_again(self):
        self.start()
        name = self.stage.names["a"]
        run("ip", "-n", name, "link", "del", "w0")
        self.stage.wait_for("link0 gone", lambda: not self.stage.status("a")["links"][0]["running"])
        run("ip", "link", "add", "w0", "netns", name, "type", "veth", "peer", "name", "w0",
            "netns", self.stage.names["b"])
        for host, end in enumerate("ab", 1):
            run("ip", "-n", self.stage.names[end], "addr", "add", f"198.18.0.{host}/24", "dev", "w0")
            self.stage.link(end, 0, "up")
        self.stage.wait_for("both paths up", self.stage.all_up)

    def test_the_operator_takes_a_path_out_of_use(self):
        self.start()
        self.stage.ask("a", "path", "down", "link0")
        self.stage.wait_for("link0 down", lambda: self.stage.states("a")["link0"] == "down")
        self.assertIn("set down", self.stage.ask("a", "paths"))
        self.stage.ask("a", "path", "up", "link0")
        self.stage.wait_for("link0 up", self.stage.all_up)
        with self.assertRaisesRegex(RuntimeError, "allowed: link0, link1"):
            self.stage.ask("a", "path", "down", "link7")

    def test_it_leaves_nothing_behind(self):
        self.start()
        self.assertIn("sennit0", run("ip", "-n", self.stage.names["a"], "link"))
        self.daemons["a"].send_signal(signal.SIGTERM)
        self.assertEqual(self.daemons["a"].wait(timeout=5), 0)
        self.assertNotIn("sennit0", run("ip", "-n", self.stage.names["a"], "link"))
        self.assertFalse((self.stage.folder / "a.sock").exists())

    def test_reload_changes_routes_and_refuses_mistakes(self):
        self.start()
        good = self.stage.file("a").read_text()
        self.stage.file("a").write_text(good + "    allowed_prefixes: [10.99.0.0/16]\n")
        self.daemons["a"].send_signal(signal.SIGHUP)
        routes = lambda: run("ip", "-n", self.stage.names["a"], "route")
        self.stage.wait_for("the route", lambda: "10.99.0.0/16 dev sennit0" in routes())
        self.stage.file("a").write_text(good + "    allowed_prefixes: [nonsense]\n")
        self.daemons["a"].send_signal(signal.SIGHUP)
        self.stage.wait_for("an error", lambda: "found 'nonsense'" in self.stage.log("a"))
        self.assertIn("10.99.0.0/16 dev sennit0", routes())

    def test_it_keeps_two_capabilities(self):
        self.start()
        pid = self.daemons["a"].pid
        with open(f"/proc/{pid}/status") as lines:
            status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        admin_and_raw = 1 << 12 | 1 << 13
        for kind in ("CapEff", "CapPrm", "CapBnd"):
            self.assertEqual(int(status[kind], 16) & ~admin_and_raw, 0, kind)
        self.assertEqual(status["NoNewPrivs"].strip(), "1")

    def test_bad_configuration_changes_nothing(self):
        self.stage.file("a").write_text(self.stage.file("a").read_text() + "nonsense: 1\n")
        daemon = self.stage.inside("a", DAEMON, "--config", str(self.stage.file("a")),
                                   stderr=subprocess.PIPE, text=True)
        _, words = daemon.communicate(timeout=5)
        self.assertEqual(daemon.returncode, 2)
        self.assertIn("unknown key 'nonsense'", words)
        self.assertNotIn("sennit0", run("ip", "-n", self.stage.names["a"], "link"))


if __name__ == "__main__":
    if reason := unable():
        print(f"skipped: {reason}; runs as root with /dev/net/tun, iproute2 and network namespaces")
        sys.exit(SKIPPED)
    DAEMON, CONTROL = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=2)

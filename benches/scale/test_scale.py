"""The arithmetic of docs/at-scale.md. Run by `tests/run growth`."""

import pathlib
import random
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import model
import simulation


class Simulation(unittest.TestCase):
    def test_it_is_the_same_every_time(self):
        found = {simulation.fewest(1_000_000, 10e-6, 16, 60_000_000) for _ in range(2)}
        self.assertEqual(len(found), 1)

    def test_an_idle_thread_lets_nobody_wait_and_a_busy_one_does(self):
        quiet, busy = (simulation.waits(load, 1e-5, random.Random(1)) for load in (0.01, 0.95))
        self.assertLess(simulation.quantile(quiet, 0.98), 1e-9)
        self.assertGreater(simulation.quantile(busy, 0.999), 1e-5)

    def test_waits_are_those_of_the_formula(self):
        """The mean wait with arrivals at random and equal service is cost x load / (2 (1 - load))."""
        waits = simulation.waits(0.5, 1.0, random.Random(1), 400_000)
        self.assertAlmostEqual(sum(waits) / len(waits), 0.5, delta=0.02)

    def test_few_connections_are_spread_unevenly(self):
        generator = random.Random(1)
        self.assertGreaterEqual(simulation.busiest(16, 16, generator), 2)
        self.assertLess(simulation.busiest(16_000_000, 16, generator), 1_004_000)

    def test_machines_are_enough_after_one_is_lost(self):
        count = simulation.fewest(1_000_000, 10e-6, 16, 60_000_000)
        self.assertTrue(simulation.is_enough(count, 1_000_000, 10e-6, 16, 60_000_000))
        # It is the work of 10 cores, and either machine alone has 16.
        self.assertEqual(count, 2)
        self.assertGreaterEqual(simulation.fewest(10_000_000, 10e-6, 16, 600_000_000), 8)


class Model(unittest.TestCase):
    def test_memory_decides_where_connections_are_many(self):
        count, by = model.machines(model.Need(1, 1, 10_000_000, 48 * 1024))
        self.assertEqual((count, by), (11, "memory"))

    def test_processors_decide_where_requests_are_many(self):
        self.assertEqual(model.machines(model.Need(1_000_000, 100))[1], "processors")

    def test_twice_the_requests_need_about_twice_the_machines(self):
        once, twice = (model.machines(model.Need(rate, 100))[0] for rate in (1_000_000, 2_000_000))
        self.assertAlmostEqual(twice / once, 2, delta=0.15)

    def test_thirty_addresses_fit_into_a_plain_answer(self):
        self.assertEqual(model.dns_addresses(model.DNS_UDP, model.DNS_A), 30)

    def test_bytes_of_a_connection_are_the_slope(self):
        points = {"10": [{"own_kib": 100}], "100": [{"own_kib": 500}], "1034": [{"own_kib": 1124}]}
        self.assertEqual(model.grown(points, "own_kib"), 1024)

    def test_what_the_deployment_says_is_what_is_counted(self):
        proxy = (HERE.parent.parent / "deploy/haproxy.cfg").read_text()
        self.assertIn(f"server-template web 1-{model.SLOTS} ", proxy)
        self.assertIn(f"it will hold, {model.PROXY_CONNECTIONS:,};", proxy)
        self.assertIn(f"check inter {1000 // model.CHECKS_A_SECOND}ms ", proxy)
        prometheus = (HERE.parent.parent / "deploy/monitoring/prometheus.yml").read_text()
        self.assertIn(f"scrape_interval: {model.SCRAPE_SECONDS}s", prometheus)


class Document(unittest.TestCase):
    def test_it_shows_the_records(self):
        subprocess.run([HERE / "run", "--check"], check=True)


if __name__ == "__main__":
    unittest.main()

"""What is made of figures: tables, curves, sentences, and changes of deploy/haproxy.cfg. Run by `tests/run growth`."""

import json
import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import chain
import curves
import draw
import pages
import seen
from bench import ground

RUNS = [{"cpu_us": 3.0, "own_kib": 2048}, {"cpu_us": 1.0, "own_kib": 1024}, {"cpu_us": 2.0, "own_kib": 4096}]
DOUBLE = [{"cpu_us": 4.0, "own_kib": 2048 + 97}] * 3


class Figures(unittest.TestCase):
    def test_medians_are_of_rounds(self):
        self.assertEqual(pages.middle(RUNS, "cpu_us"), 2)
        self.assertEqual(pages.middle([{"a": {"b": 1}}, {"a": {"b": 5}}, {"a": {"b": 3}}], "a", "b"), 3)

    def test_a_sentence_says_both_ends_and_the_rise(self):
        said = pages.sentence("idle", {"swagip": {"10": RUNS, "1000": DOUBLE}})
        self.assertEqual(said, "From 10 to 1,000 connections, µs a request: swagip 2.0 → 4.0 (× 2.00).")

    def test_memory_is_for_each_connection(self):
        said = pages.memory_sentence({"swagip": {"0": RUNS, "1024": DOUBLE}})
        self.assertIn("swagip 97", said)

    def test_instructions_of_one_more(self):
        *_, row = pages.instructions_text({"hops": {"1": [{"instructions": 4_000}], "2": [{"instructions": 9}], "65": [{"instructions": 36_000}]}})
        self.assertEqual(row, "| Trusted hops in X-Forwarded-For | 1 hop: 4,000 | 65: 36,000 | 500.00 |")

    def test_only_a_machine_that_was_not_quiet_is_told(self):
        about = {"machine": "2 x CPU", "date": "2026-11-27", "commit": "abc", "rounds": 5}
        for busy, said in ((0.9, "medians of 5 rounds"), (1.0, "medians of 5 rounds; load average 1.0 at the start")):
            self.assertEqual(pages.note({"about": about | {"busy": busy}}), f"2 x CPU; 2026-11-27, abc; {said}")

    def test_a_record_has_no_absolute_path(self):
        root = ground.ROOT.resolve()
        for given, kept in ((f"{root}/target/release/swagip", "target/release/swagip"), (f"--binary={root}/a", "--binary=a"),
                            ("/elsewhere/swagip", "swagip"), ("target/swagip", "target/swagip"), ("--axes=idle,fields", "--axes=idle,fields")):
            self.assertEqual(ground.recorded(given), kept)

    def test_ratios_of_a_chain_are_taken_round_by_round(self):
        base = [{"kept": {"haproxy": 10, "swagip": 10}}, {"kept": {"haproxy": 100, "swagip": 100}}, {"kept": {"haproxy": 1, "swagip": 1}}]
        runs = [{"kept": {"haproxy": 20, "swagip": 10}}, {"kept": {"haproxy": 200, "swagip": 100}}, {"kept": {"haproxy": 1, "swagip": 1}}]
        self.assertEqual(pages.chain_cells(runs, base, "kept"), ["20.0", "10.0", "1.50"])
        self.assertEqual(pages.chain_cells(runs, base, "fresh"), ["", "", ""])

    def test_what_is_seen_is_held_against_the_same_round(self):
        base = [{"kept": {"cpu_us": 10}}, {"kept": {"cpu_us": 100}}, {"kept": {"cpu_us": 1}}]
        runs = [{"kept": {"cpu_us": 11}}, {"kept": {"cpu_us": 120}}, {"kept": {"cpu_us": 1}}]
        self.assertEqual(pages.seen_cells(runs, base, "kept"), ["11.00", "1.100 [1.000–1.200]"])

    def test_only_a_log_that_is_read_has_a_share_of_lines(self):
        run = {way: {"cpu_us": 1} for way in seen.WAYS}
        results = {"off": [run], "log": [run | {"read": 0.5}]}
        off, log = list(pages.seen_text(results))[-2:]
        self.assertTrue(off.startswith("| neither | 1.00 | 1.000 [1.000–1.000] |") and off.endswith(" |  |"), off)
        self.assertTrue(log.endswith("| 50.0 % |"), log)

    def test_goodput_is_a_share_of_the_best(self):
        runs = [{"runs": {"1": {"goodput": 200}, "3": {"goodput": 150}}}]
        self.assertEqual(pages.goodput(runs), [(1.0, 100.0), (3.0, 75.0)])


class Documents(unittest.TestCase):
    def test_a_section_is_replaced_and_nothing_else(self):
        document = f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n"
        self.assertEqual(pages.between_marks(document, "new"), f"before\n{pages.BEGIN}\nnew\n\n{pages.END}\nafter\n")
        with self.assertRaises(SystemExit):
            pages.between_marks("no marks", "new")

    def test_pictures_and_document_show_the_record(self):
        record = json.loads(pages.record_file().read_text())
        self.assertTrue(pages.is_current(record), "benches/growth/run --pages")


class Pictures(unittest.TestCase):
    def test_a_chart_is_xml_with_a_line_for_each_series(self):
        panel = draw.Panel("<µs>", "connections", {"a & b": [(1, 2.0), (10, 3.0)], "c": [(1, 1.0), (10, 8.0)], "none": []})
        root = xml.etree.ElementTree.fromstring(draw.chart("Title", [panel, panel], "note"))
        lines = [element for element in root.iter() if element.get("class", "").startswith("line")]
        self.assertEqual(len(lines), 4)

    def test_steps_reach_past_the_highest(self):
        self.assertEqual(draw.steps(9), [0, 2, 4, 6, 8, 10])
        self.assertEqual(draw.steps(0.45), [0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5])
        self.assertEqual(draw.decades(1, 1500), [1, 10, 100, 1000, 10000])

    def test_names_do_not_cover_each_other(self):
        places = draw.apart({"a": 10.0, "b": 12.0, "c": 100.0})
        self.assertEqual(places, {"a": 10.0, "b": 23.0, "c": 100.0})


class Set(unittest.TestCase):
    def test_every_variant_changes_the_file_that_ships(self):
        shipped = chain.SHIPPED.read_text()
        for name, variant in chain.VARIANTS.items():
            changed = variant.change(shipped) != shipped or bool(variant.alpn)
            self.assertEqual(changed, name not in ("shipped", "control", "h2load"), name)

    def test_the_file_is_adapted_to_addresses_and_to_older_versions(self):
        old = chain.adapted(chain.SHIPPED.read_text(), ["127.0.0.1:1", "127.0.0.1:2"], (2, 8))
        self.assertIn("    server web000 127.0.0.1:1\n    server web001 127.0.0.1:2\n", old)
        for gone in ("server-template", "http-request pause", "init-state", "bind :"):
            self.assertNotIn(gone, "".join(line for line in old.splitlines(True) if not line.lstrip().startswith("#")))
        self.assertIn("http-request pause", chain.adapted(chain.SHIPPED.read_text(), [], (3, 2)))

    def test_networks_cannot_be_merged(self):
        import ipaddress

        listed = [ipaddress.ip_network(network) for network in curves.networks(10_000)]
        self.assertEqual(len(list(ipaddress.collapse_addresses(listed))), 10_000)

    def test_heads_have_the_length_and_the_fields_that_were_asked_for(self):
        self.assertEqual(len(curves.head_bytes(None, 15_000).ask), 15_000)
        self.assertEqual(curves.fields(None, 100).ask.count(b"\r\n") - 2, 100)
        self.assertEqual(curves.hops(None, 64).ask.count(b","), 63)


if __name__ == "__main__":
    unittest.main()

"""What it costs to be seen: metrics, and the access log to a pipe that somebody reads and to one that nobody does."""

import contextlib
import os
import subprocess

import curves
from bench import PORT, request, servers

METRICS_PORT = 7105
# Requests in a write, and how many in all.
WAYS = {"kept": (1, 60_000), "pipelined": (16, 480_000)}
DEPTHS = {"kept": "one at a time", "pipelined": "16 in a write"}
# As many lines fill a pipe of 64 KiB that nobody reads, and what the server keeps besides, several times over.
WARM_UP = 8_000
# What each ratio is to.
BASE = "off"


class Variant:
    """Options of swagip, and whether somebody reads what it writes; None: it writes nothing."""

    def __init__(self, says, options="", is_read=None):
        self.says, self.options, self.is_read = says, options, is_read


VARIANTS = {
    BASE: Variant("neither"),
    "control": Variant("the same once more: what it differs by is the noise"),
    "metrics": Variant("metrics, `--listen-metrics`", f"--listen-metrics 127.0.0.1:{METRICS_PORT}"),
    "log": Variant("access log, to a pipe that is read", "--access-log", is_read=True),
    "json": Variant("the same as JSON", "--access-log=json", is_read=True),
    "unread": Variant("access log, to a pipe that nobody reads", "--access-log", is_read=False),
    "all": Variant("metrics, and the access log to a pipe that is read", f"--listen-metrics 127.0.0.1:{METRICS_PORT} --access-log", is_read=True),
}


@contextlib.contextmanager
def output(bench, is_read):
    """Where the server writes its log, and a list that has the lines that were read in the end."""
    lines = []
    if is_read is None:
        yield subprocess.DEVNULL, lines
        return
    reading, writing = os.pipe()
    # The reader's time is not the server's.
    pin = lambda: os.sched_setaffinity(0, {bench.load_cpu})
    reader = subprocess.Popen(["wc", "-l"], stdin=reading, stdout=subprocess.PIPE, preexec_fn=pin) if is_read else None
    try:
        yield writing, lines
    finally:
        # It ends when the last of those who could write has gone.
        os.close(writing)
        os.close(reading)
        if reader:
            lines.append(int(reader.communicate(timeout=30)[0]))


def measure(bench, name):
    """One round of one variant: for each way the processor time for a request, and of the log the share of lines that were read."""
    variant, found, answers = VARIANTS[name], {}, 1
    with output(bench, variant.is_read) as (log, lines):
        command = curves.swagip(bench, curves.Setting(swagip=variant.options))
        with servers.Server("swagip", command, PORT, bench.server_cpu, stdout=log) as server:
            for way, (depth, count) in WAYS.items():
                bench.closed([server], PORT, request(), depth=depth, count=WARM_UP, exactly=True)
                took = bench.closed([server], PORT, request(), depth=depth, count=count)
                found[way] = {"cpu_us": took["cpu_us"]["swagip"], "p50": took["p50"], "p99": took["p99"]}
                answers += WARM_UP + (count // 10 if bench.quick else count)
    if lines:
        found["read"] = lines[0] / answers
    return found

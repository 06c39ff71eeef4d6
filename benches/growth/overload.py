"""Offered load from half to three times what a server carries, at open loop: requests are sent when they are due, and waited for since then.

One program that makes load can't overload a server that has as much processor time as itself. So the server gets a tenth of its
processor: a process of higher priority takes the rest, nine tenths of each millisecond."""

import contextlib
import os
import time

import curves
from bench import PORT, request

MULTIPLES = [0.5, 0.75, 0.9, 1, 1.25, 1.5, 2, 3]
QUICK_MULTIPLES = [0.5, 3]
WAYS = {"fresh": "a connection for each request", "kept": "64 kept connections"}
RULES = {"fresh": "A client gives up after a second.", "kept": "On each of them the next request waits for the last answer."}
HOG_PERCENT, HOG_SECONDS = 90, 180
SECONDS, QUICK_SECONDS = 3, 0.5
# Between two runs, a server that uses less in 100 ms is idle.
IDLE_CPU_SECONDS, IDLE_PATIENCE = 0.001, 10
# Capacity is looked for by doubling the rate until so much less is answered that the rate was too high beyond doubt.
FIRST_RATE, RATE_MAX, ANSWERED, PROBE_SECONDS = 1_000, 256_000, 0.75, 1


@contextlib.contextmanager
def hog(bench):
    """Takes most of the server's processor; ends by itself, too."""
    process = bench.start("hog", HOG_PERCENT, HOG_SECONDS)
    os.sched_setaffinity(process.pid, {bench.server_cpu})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def is_possible():
    """Only root may have a priority above all others."""
    return os.geteuid() == 0


def ask(way):
    return request(b"Connection: close") if way == "fresh" else request()


def until_idle(server):
    """Waits while the server still works on what clients have given up on."""
    patience, used = time.monotonic() + IDLE_PATIENCE, -1
    while time.monotonic() < patience and (now := server.cpu_seconds()) - used > IDLE_CPU_SECONDS:
        used = now
        time.sleep(0.1)


def capacity(bench, way):
    best, rate = 0, FIRST_RATE
    while rate <= RATE_MAX:
        goodput = bench.paced(PORT, ask(way), rate, PROBE_SECONDS, way)["goodput"]
        best = max(best, goodput)
        if goodput < ANSWERED * rate:
            return best
        rate *= 2
    raise SystemExit("the load never was too much")


def measure(bench, name, way):
    """Goodput, latencies and fairness of one server at each multiple of what it carries."""
    seconds, multiples = (QUICK_SECONDS, QUICK_MULTIPLES) if bench.quick else (SECONDS, MULTIPLES)
    setting = curves.Setting()
    with curves.server(bench, name, setting) as server, hog(bench):
        carried = capacity(bench, way)
        return {"carried": carried, "runs": {str(multiple): one(bench, server, way, multiple * carried, seconds) for multiple in multiples}}


def one(bench, server, way, rate, seconds):
    until_idle(server)
    result = bench.paced(PORT, ask(way), rate, seconds, way)
    clients = sorted(result["clients"])
    fairness = {"least": clients[0], "median": clients[len(clients) // 2]}
    return {"offered": rate} | {key: result[key] for key in ("goodput", "p50", "p99", "p99.9", "errors", "late", "unsent")} | fairness

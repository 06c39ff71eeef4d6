"""How a cell of a curve is measured: servers on one processor, the load on another, processor time for a fixed number of requests."""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "load"))

import ground  # noqa: E402
import servers  # noqa: E402

CLIENTS = 64
HOST, AGENT, ACCEPT = b"Host: a", b"User-Agent: curl/8.5.0", b"Accept: */*"
PORT, FIRST_REPLICA, STATISTICS, SYSLOG = 7101, 7300, 7103, 7104


def request(*fields):
    """A request as bytes: curl's three fields, then those."""
    return b"\r\n".join([b"GET / HTTP/1.1", HOST, AGENT, ACCEPT, *fields, b"", b""])


class Bench:
    """A folder for files, the program that makes the load, and the processors."""

    def __init__(self, directory, server_cpu, load_cpu, quick):
        self.directory, self.server_cpu, self.load_cpu, self.quick = pathlib.Path(directory), server_cpu, load_cpu, quick
        self.load = self.directory / "load"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-o", self.load, HERE / "load.c"], check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.swagip = os.environ.get("SWAGIP", str(target / "release/swagip"))

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def start(self, *arguments, pipe=False):
        pin = lambda: os.sched_setaffinity(0, {self.load_cpu})
        stdin = subprocess.PIPE if pipe else subprocess.DEVNULL
        return subprocess.Popen([self.load, *map(str, arguments)], stdin=stdin, stdout=subprocess.PIPE, preexec_fn=pin, text=True)

    def closed(self, measured, port, ask, open=CLIENTS, used=CLIENTS, flight=CLIENTS, depth=1, count=30_000, exactly=False):
        """Of each server: microseconds of processor time for a request, and the KiB that are its own while all connections are open."""
        count = count // 10 if self.quick and not exactly else count
        count -= count % depth
        slab = kernel_memory()
        with self.start("closed", port, self.file("request", ask), open, used, flight, depth, count, pipe=True) as process:
            if process.stdout.readline() != "open\n":
                raise SystemExit(f"the load could not open {open} connections to {measured[0].name}")
            # Both ends of each connection are on this machine.
            kernel = (kernel_memory() - slab) / 2
            memory = {server.name: own_memory(server) for server in measured}
            before = {server.name: server.cpu_seconds() for server in measured}
            output = process.communicate("go\n", timeout=60)[0]
            after = {server.name: server.cpu_seconds() for server in measured}
        if process.returncode != 0:
            raise SystemExit(f"the load failed on {measured[0].name}")
        latency = json.loads(output)
        cost = {name: (after[name] - before[name]) * 1e6 / count for name in after}
        return {"cpu_us": cost, "own_kib": memory, "kernel_kib": kernel, "p50": latency["p50"], "p99": latency["p99"], "seconds": latency["seconds"]}

    def paced(self, port, ask, rate, seconds, way):
        """At open loop: what load.c says, and the answers a second that came in time."""
        process = self.start("open", port, self.file("request", ask), CLIENTS, rate, seconds, way)
        output = process.communicate(timeout=seconds + 30)[0]
        if process.returncode != 0:
            raise SystemExit("the load failed")
        result = json.loads(output)
        return result | {"goodput": sum(result["clients"]) / result["seconds"]}


def kernel_memory():
    """KiB of this machine's slabs: sockets, and all that the kernel keeps for them but data in flight."""
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Slab:"))


def own_memory(server):
    """KiB that the server's processes share with nobody and no file."""
    return sum(status_number(pid, "RssAnon") for pid in server.family())


def status_number(pid, name):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

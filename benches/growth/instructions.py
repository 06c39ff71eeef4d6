"""The same curves in instructions that swagip itself takes for a request: in user space, by callgrind, which no other work on the machine blurs."""

import re
import shutil
import subprocess

import curves
from bench import PORT, servers

# The axes on which the program's own work may grow; what more connections and threads cost is the kernel's work, and the caches'.
AXES = ("networks", "hops", "fields", "bytes", "depth")
# A multiple of the greatest depth. One request is under way at a time, so that every turn of the loop is the same.
COUNT, FLIGHT = 128, 1
# Under callgrind a start with more networks takes too long.
NETWORKS_MAX = 1_000


def is_possible():
    return shutil.which("valgrind") is not None


def points(key, quick):
    axis = curves.AXES[key]
    return [point for point in (axis.quick if quick else axis.points) if key != "networks" or point <= NETWORKS_MAX]


def measure(bench, keys):
    """By axis and point. Points of all axes that need the same options of swagip are asked of one process."""
    groups, found = {}, {key: {} for key in keys}
    for key in keys:
        for point in points(key, bench.quick):
            setting = curves.AXES[key].set_up(bench, point)
            groups.setdefault(curves.swagip(bench, setting), []).append((key, point, setting))
    for command, members in groups.items():
        for (key, point, _), count in zip(members, counted(bench, command, [setting for *_, setting in members])):
            found[key][str(point)] = [{"instructions": count}]
    return found


def counted(bench, command, settings):
    out = bench.directory / "callgrind"
    with servers.Server("swagip", f"valgrind --tool=callgrind --callgrind-out-file={out} {command}", PORT, bench.server_cpu) as server:
        counter = Counter(server.process.pid, out)
        for setting in settings:
            ask(bench, server, setting, COUNT)
            counter.since_last()
            totals = []
            for count in (COUNT, 2 * COUNT):
                ask(bench, server, setting, count)
                totals.append(counter.since_last())
            # Opening the connections is in both.
            yield (totals[1] - totals[0]) / COUNT


def ask(bench, server, setting, count):
    bench.closed([server], PORT, setting.ask, **setting.load | {"count": count, "open": FLIGHT, "used": FLIGHT, "flight": FLIGHT, "exactly": True})


class Counter:
    """Of a process under callgrind: the instructions since this was asked for last."""

    def __init__(self, pid, out):
        self.pid, self.out, self.dumps = pid, out, 0

    def since_last(self):
        subprocess.run(["callgrind_control", "--dump", str(self.pid)], check=True, capture_output=True, timeout=60)
        self.dumps += 1
        file = self.out.with_name(f"{self.out.name}.{self.dumps}")
        total = int(re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)[1])
        file.unlink()
        return total

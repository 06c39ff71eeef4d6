"""A hundred servers from nothing: how long until each has given its first answer, and what that takes."""

import os
import pathlib
import shlex
import shutil
import subprocess
import time

import curves
from bench import FIRST_REPLICA, own_memory, servers, status_number

COUNT, QUICK_COUNT = 100, 10
PATIENCE = 60
# Connections that nginx and HAProxy prepare for.
ROOM = 1_024
PAGE = os.sysconf("SC_PAGE_SIZE")


def commands(bench, name, count):
    """The same server at a port each."""
    port, setting = str(curves.PORT), curves.Setting(room=ROOM)
    command = curves.COMMANDS[name](bench, setting)
    for index in range(count):
        at = str(FIRST_REPLICA + index)
        if name == "swagip":
            yield command.replace(port, at)
            continue
        path = pathlib.Path(shlex.split(command)[-1])
        text = path.read_text().replace(f":{port}", f":{at}").replace("nginx.pid", f"nginx{at}.pid")
        yield command.replace(str(path), str(bench.file(f"{at}.conf", text)))


def measure(bench, name):
    """Seconds until the last first answer, and medians of what one server took until its own."""
    count = QUICK_COUNT if bench.quick else COUNT
    group = [servers.Server(name, command, FIRST_REPLICA + index, bench.server_cpu) for index, command in enumerate(commands(bench, name, count))]
    began = time.monotonic()
    try:
        for server in group:
            server.process = subprocess.Popen(shlex.split(server.command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        first_answers(group, began + PATIENCE)
        seconds = time.monotonic() - began
        return {"seconds": seconds, "file_bytes": file_size(bench, name)} | {key: middle(each(server) for server in group) for key, each in FIGURES.items()}
    finally:
        for server in group:
            if hasattr(server, "process"):
                server.process.terminate()
        for server in group:
            if hasattr(server, "process"):
                server.__exit__()


def first_answers(group, until):
    waiting = list(group)
    while waiting:
        waiting = [server for server in waiting if not servers.ask(server.port)]
        if time.monotonic() > until:
            raise SystemExit(f"{len(waiting)} of {len(group)} did not answer: {waiting[0].command}")


def middle(values):
    values = sorted(values)
    return values[len(values) // 2]


def minor_faults(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


FIGURES = {
    "cpu_ms": lambda server: server.cpu_seconds() * 1e3,
    "faults": lambda server: sum(map(minor_faults, server.family())),
    "resident_kib": lambda server: sum(status_number(pid, "VmRSS") for pid in server.family()),
    "own_kib": own_memory,
}


def file_size(bench, name):
    """Bytes of the program's file, without the libraries that it loads."""
    return os.stat(bench.swagip if name == "swagip" else shutil.which(name)).st_size

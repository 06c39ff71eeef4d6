"""Where it is measured: a network namespace of its own, a processor for the server, one for the load; and what machine that is."""

import datetime
import fcntl
import os
import pathlib
import platform
import resource
import shutil
import socket
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
IS_INSIDE = "SWAGIP_LOAD_INSIDE"


def is_inside():
    return IS_INSIDE in os.environ


def prepare():
    """The processors of the server and of the load. As root, begins again where nobody else's packets are."""
    if os.geteuid() == 0 and not is_inside() and shutil.which("unshare"):
        os.environ[IS_INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    if is_inside():
        with socket.socket() as any_socket:
            set_flags, up_and_running = 0x8914, 0x41
            fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up_and_running))
        # One connection for each request takes many ports.
        pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("1024 65535")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        raise SystemExit("two processors are needed: one for the server, one for the load")
    return processors[:2]


def about(program):
    models = (line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    cpu = next(models, platform.machine())
    first = lambda *command: (subprocess.run(command, capture_output=True, text=True).stdout.splitlines() or ["?"])[0]
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{len(os.sched_getaffinity(0))} x {cpu}, {platform.system()} {platform.release()}",
        "compiler": first("rustc", "--version"),
        "commit": first("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "command": " ".join([program, *map(recorded, sys.argv[1:])]),
    }


def recorded(argument):
    """An argument as a record has it: an absolute path says nothing on another machine."""
    option, equals, value = argument.rpartition("=")
    path, root = pathlib.Path(value), ROOT.resolve()
    if not path.is_absolute():
        return argument
    return f"{option}{equals}{path.relative_to(root) if path.is_relative_to(root) else path.name}"

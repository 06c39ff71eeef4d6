"""The servers that are held against each other: how they are started, and what their processor time is."""

import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
# A command may have thousands of arguments.
COMMAND_SHOWN = 200
REQUEST = "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n{}\r\n"

NGINX = """daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid; error_log /dev/null crit;
worker_rlimit_nofile 20000; events {{ worker_connections 8192; multi_accept on; }}
http {{ access_log off; server_tokens off; keepalive_requests 1000000000; default_type text/plain;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{ listen 127.0.0.1:{port} backlog=4096 deferred reuseport; location / {{ return 200 "$remote_addr\\n"; }} }} }}
"""

HAPROXY = """global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout client 60s
  timeout connect 5s
  timeout server 5s
frontend addresses
  bind 127.0.0.1:{port} backlog 4096 defer-accept
  http-request return status 200 content-type text/plain lf-string "%[src]\\n"
"""


class Server:
    """A server's process; started by `with`, on the given processors alone."""

    def __init__(self, name, command, port, *cpus, stdout=subprocess.DEVNULL):
        self.name, self.command, self.port, self.cpus, self.stdout = name, command, port, cpus, stdout

    def __enter__(self):
        pin = lambda: os.sched_setaffinity(0, self.cpus)
        quiet = {"stdout": self.stdout, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(shlex.split(self.command), preexec_fn=pin, start_new_session=True, **quiet)
        patience = time.monotonic() + 15
        while not (answer := ask(self.port)):
            if self.process.poll() is not None or time.monotonic() > patience:
                self.__exit__()
                raise SystemExit(f"{self.name} did not start: {self.command[:COMMAND_SHOWN]}")
            time.sleep(0.001)
        self.answer_length = len(answer)
        return self

    def __exit__(self, *_):
        for order in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            for pid in self.family():
                try:
                    os.kill(pid, order)
                except ProcessLookupError:
                    pass
            try:
                self.process.wait(1)
                return
            except subprocess.TimeoutExpired:
                pass

    def family(self):
        """The process and all its descendants."""
        children = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def cpu_seconds(self):
        """Time on a processor of all its threads, in user space and in the kernel, to the nanosecond."""
        tasks = (task for pid in self.family() for task in pathlib.Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def ask(port, fields=""):
    """The answer to curl's request; nothing where nobody answers with a 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(REQUEST.format(fields).encode())
            answer = connection.recv(4096)
    except OSError:
        return b""
    return answer if answer.startswith(b"HTTP/1.1 200") else b""


def build():
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)


def known(directory, cpu):
    """The servers that there are here, by name: the floor twice, for the noise of a run, swagip, and what is installed."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = f"{target}/release/swagip --threads 1 --trusted-proxy loopback --drain-grace 0 --listen 127.0.0.1:7101"
    swagip = Server("swagip", command, 7101, cpu)
    servers = {"floor": floor(directory, "floor", swagip, 7102), "control": floor(directory, "control", swagip, 7103), "swagip": swagip}
    for name, port, config, command in [
        ("nginx", 7104, NGINX, "nginx -c {config}"),
        ("haproxy", 7105, HAPROXY, "haproxy -db -q -f {config}"),
    ]:
        if shutil.which(name):
            file = pathlib.Path(directory) / f"{name}.conf"
            file.write_text(config.format(directory=directory, port=port))
            servers[name] = Server(name, command.format(config=file), port, cpu)
        else:
            print(f"{name} is not installed and left out")
    return servers


def floor(directory, name, swagip, port):
    """The floor, which sends what swagip would have sent: its answers are equally long."""
    program, answer, last = (pathlib.Path(directory) / name for name in ("floor", "answer", "last"))
    if not program.exists():
        subprocess.run([os.environ.get("CC", "cc"), "-O3", "-o", program, HERE / "floor.c"], check=True)
        with swagip:
            answer.write_bytes(ask(swagip.port))
            last.write_bytes(ask(swagip.port, "Connection: close\r\n"))
    return Server(name, f"{program} {port} {answer} {last}", port, *swagip.cpus)

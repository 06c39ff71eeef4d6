"""The project's HAProxy with swagip after it: what a request costs each of the two, by replicas, and by lines of deploy/haproxy.cfg."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

from bench import CLIENTS, FIRST_REPLICA, PORT, ROOT, STATISTICS, SYSLOG, request, servers
from curves import replaced

SHIPPED = ROOT / "deploy/haproxy.cfg"
REPLICAS = [1, 3, 10, 30, 100]
# How many replicas there are where it is lines that are compared.
FEW = 3
# How long the chain is left alone, to see what checks alone cost.
IDLE_SECONDS = 2
# Connections a second where each request has its own.
FRESH_RATE, FRESH_SECONDS = 2_000, 1
# A replica's port for Prometheus is so much higher than its own. How often it is asked.
METRICS, SCRAPES = 1_000, 20
TRUST = "--trusted-proxy 127.0.0.1 --client-ip-header forwarded"


def lines(pattern):
    """A change that takes out the lines with these words."""

    def without(text):
        kept = [line for line in text.splitlines(True) if not re.match(rf"\s*({pattern})", line)]
        if len(kept) == text.count("\n"):
            raise SystemExit(f"deploy/haproxy.cfg has no line with {pattern}")
        return "".join(kept)

    return without


def instead(old, new):
    return lambda text: replaced(text, old, new)


def several(*changes):
    def change(text):
        for each in changes:
            text = each(text)
        return text

    return change


TLS = "bind 127.0.0.1:{port} ssl crt {directory}/tls.pem alpn {alpn} ssl-min-ver TLSv1.2"
BARE = "global\n  nbthread 1\ndefaults\n  mode {mode}\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n" + (
    "frontend http\n  bind :8080\n  bind :::8080 v6only\n  default_backend replicas\nbackend replicas\n  http-reuse always\n"
    "  server-template web 1-500 web:8080\n"
)
FORGED = r"http-request del-header|option http-restrict-req-hdr-names"
TRACKED = r"stick-table|tcp-request connection"


class Variant:
    """One thing that is different from the file as it ships."""

    def __init__(self, says, change=lambda text: text, proxy=False, tool="load", alpn="", fresh=True):
        self.says, self.change, self.proxy, self.tool, self.alpn, self.fresh = says, change, proxy, tool, alpn, fresh


VARIANTS = {
    "shipped": Variant("as it ships"),
    "control": Variant("the same once more: what it differs by is the noise"),
    "bare": Variant("nothing but a bind, a server and `http-reuse always`", lambda _: BARE.format(mode="http")),
    "checks": Variant("without `option httpchk` and `check`", several(lines("option httpchk|http-check"), lines("default-server (check|observe)"))),
    "table": Variant("without the limit for each client: stick-table, track-sc0", lines(TRACKED)),
    "wait": Variant("without `wait-for-body`", lines("http-request wait-for-body")),
    "forged": Variant("without what removes forged headers: del-header, http-restrict-req-hdr-names", lines(FORGED)),
    "forwarded": Variant("without `option forwarded`; the answer is HAProxy's address then", lines("option forwarded ")),
    "forwardfor": Variant("without `option forwardfor`", lines("option forwardfor")),
    "proxy": Variant(
        "PROXY protocol, version 2, instead of both",
        several(lines("option forward"), instead("default-server maxconn 100", "default-server send-proxy-v2 maxconn 100")),
        proxy=True,
    ),
    "retry": Variant("without `retry-on` and `retries`", lines("retr(y-on|ies)")),
    "maxconn": Variant("without `maxconn 100`", lines("default-server maxconn")),
    "reuse": Variant("`http-reuse never`", instead("http-reuse always", "http-reuse never")),
    "reuse-safe": Variant("`http-reuse safe`", instead("http-reuse always", "http-reuse safe")),
    "log": Variant(
        "with `option httplog`, by UDP",
        several(instead("global\n", f"global\n    log 127.0.0.1:{SYSLOG} local0\n"), instead("defaults\n", "defaults\n    log global\n    option httplog\n")),
    ),
    "h2load": Variant("as it ships, but asked by h2load", tool="h2load", fresh=False),
    "tls": Variant("TLS in front, HTTP/1.1, connections kept; by h2load", tool="h2load", alpn="http/1.1", fresh=False),
    "h2": Variant("TLS in front, HTTP/2, connections kept; by h2load", tool="h2load", alpn="h2", fresh=False),
}


def program():
    """The newest HAProxy: the one that tests use, what `tests/proxy/prepare` has brought, or the system's."""
    named, prepared = os.environ.get("SWAGIP_TEST_HAPROXY"), ROOT / "target/tmp/proxies/bin/haproxy"
    return named or (str(prepared) if prepared.exists() else shutil.which("haproxy"))


def version():
    if not program():
        return (0, 0)
    output = subprocess.run([program(), "-v"], capture_output=True, text=True).stdout
    return tuple(map(int, re.search(r"version (\d+)\.(\d+)", output).groups()))


def adapted(text, addresses, haproxy):
    """The file with servers at these addresses instead of those that DNS knows, on loopback, with one thread."""
    servers_lines = "".join(f"    server web{index:03} {address}\n" for index, address in enumerate(addresses))
    text = re.sub(r" *server-template .*\n", lambda _: servers_lines, text)
    text = re.sub(r" *bind :::8080 v6only\n", "", text)
    text = text.replace("bind :8080", f"bind 127.0.0.1:{PORT}").replace("bind :8404", f"bind 127.0.0.1:{STATISTICS}")
    if "nbthread" not in text:
        text = replaced(text, "\nglobal\n", "\nglobal\n    nbthread 1\n")
    if haproxy < (3, 2):
        text = re.sub(r" *http-request pause .*\n", "", text).replace(" init-state fully-down", "")
    return text


def configuration(bench, variant, addresses):
    text = adapted(variant.change(SHIPPED.read_text()), addresses, version())
    if variant.alpn:
        text = replaced(text, f"bind 127.0.0.1:{PORT}\n", TLS.format(port=PORT, directory=bench.directory, alpn=variant.alpn) + "\n")
    return bench.file("chain.cfg", text)


class Chain:
    """HAProxy and its replicas, all on the processor of the servers."""

    def __init__(self, bench, variant, count):
        ports = range(FIRST_REPLICA, FIRST_REPLICA + count)
        listen = "--listen-proxy" if variant.proxy else "--listen"
        # The port with plain requests is there to see that the replica has started.
        beside = "--listen 127.0.0.1:{beside} " if variant.proxy else ""
        command = f"{bench.swagip} --threads 1 --drain-grace 0 {TRUST} --served-by web-{{port}} {listen} 127.0.0.1:{{port}} {beside}--listen-metrics 127.0.0.1:{{metrics}}"
        self.replicas = [
            servers.Server("swagip", command.format(port=port, beside=port + 10_000, metrics=port + METRICS), port + 10_000 if variant.proxy else port, bench.server_cpu)
            for port in ports
        ]
        path = configuration(bench, variant, [f"127.0.0.1:{port}" for port in ports])
        # Of TLS nobody here can ask whether it answers.
        self.haproxy = servers.Server("haproxy", f"{program()} -db -q -f {path}", STATISTICS if variant.alpn else PORT, bench.server_cpu)

    @contextlib.contextmanager
    def started(self):
        with contextlib.ExitStack() as stack:
            for replica in self.replicas:
                stack.enter_context(replica)
            stack.enter_context(self.haproxy)
            # Until every replica has passed a check.
            time.sleep(0.6)
            yield Parts(self.haproxy, self.replicas)


class Parts:
    """What the two parts of a chain have used."""

    def __init__(self, haproxy, replicas):
        self.haproxy, self.replicas = haproxy, replicas

    def cpu_seconds(self):
        return {"haproxy": self.haproxy.cpu_seconds(), "swagip": sum(replica.cpu_seconds() for replica in self.replicas)}

    def during(self, work, idle=None):
        """Processor time in microseconds for each of the requests that `work` says it made, without what is used in any case."""
        before, began = self.cpu_seconds(), time.monotonic()
        count = work()
        seconds, after = time.monotonic() - began, self.cpu_seconds()
        anyway = {name: seconds * idle[name] / 1e6 if idle else 0 for name in after}
        return {name: (after[name] - before[name] - anyway[name]) * 1e6 / max(1, count) for name in after}


def measure_replicas(bench, count):
    """What checks alone cost, and above them a request, and an answer to Prometheus."""
    with Chain(bench, VARIANTS["shipped"], count).started() as parts:
        idle = parts.during(lambda: time.sleep(IDLE_SECONDS) or IDLE_SECONDS)
        busy = parts.during(lambda: kept(bench), idle)
        scrape = {"haproxy": scraped(parts, "haproxy", STATISTICS, idle)}
        one, share = Parts(parts.haproxy, parts.replicas[:1]), {name: rate / count for name, rate in idle.items()}
        scrape["swagip"] = scraped(one, "swagip", FIRST_REPLICA + METRICS, share)
    return {"cpu_us": busy, "idle_us_a_second": idle, "scrape": scrape}


def scraped(parts, name, port, idle):
    """Bytes and processor time of an answer to Prometheus."""
    lengths = []

    def scrape():
        for _ in range(SCRAPES):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                lengths.append(len(answer.read()))
        return SCRAPES

    return {"cpu_us": parts.during(scrape, idle)[name], "bytes": lengths[-1]}


def kept(bench, count=20_000):
    count = count // 10 if bench.quick else count
    process = bench.start("closed", PORT, bench.file("request", request()), CLIENTS, CLIENTS, CLIENTS, 1, count, pipe=True)
    process.communicate("go\n", timeout=90)
    if process.returncode != 0:
        raise SystemExit("the load failed on the chain")
    return count + CLIENTS


def fresh(bench):
    seconds = FRESH_SECONDS / 4 if bench.quick else FRESH_SECONDS
    return bench.paced(PORT, request(b"Connection: close"), FRESH_RATE, seconds, "fresh")["sent"]


def by_h2load(bench, variant, count=20_000):
    count = count // 10 if bench.quick else count
    scheme = "https" if variant.alpn else "http"
    version = [] if variant.alpn == "h2" else ["--h1"]
    argv = ["h2load", "-t1", f"-c{CLIENTS}", "-m1", f"-n{count}", *version, f"{scheme}://127.0.0.1:{PORT}/"]
    pin = lambda: os.sched_setaffinity(0, {bench.load_cpu})
    output = subprocess.run(argv, preexec_fn=pin, capture_output=True, text=True, timeout=90).stdout
    good = int(re.search(r"status codes: (\d+) 2xx", output)[1])
    if good != count:
        raise SystemExit(f"{' '.join(argv)}: {good} of {count} answered\n{output}")
    return count


def measure_variant(bench, name):
    variant = VARIANTS[name]
    if variant.alpn:
        certificate(bench)
    with log_reader(), Chain(bench, variant, FEW).started() as parts:
        if variant.tool == "h2load":
            return {"kept": parts.during(lambda: by_h2load(bench, variant))}
        found = {"kept": parts.during(lambda: kept(bench))}
        return found | ({"fresh": parts.during(lambda: fresh(bench))} if variant.fresh else {})


def possible():
    """The variants that can be measured here."""
    names = [name for name, variant in VARIANTS.items() if variant.tool == "load" or shutil.which(variant.tool)]
    return names if shutil.which("openssl") else [name for name in names if not VARIANTS[name].alpn]


def certificate(bench):
    pem = bench.directory / "tls.pem"
    if not pem.exists():
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        subprocess.run([*argv, "-keyout", f"{pem}.key", "-out", f"{pem}.crt"], check=True, capture_output=True)
        pem.write_bytes(pathlib.Path(f"{pem}.crt").read_bytes() + pathlib.Path(f"{pem}.key").read_bytes())


@contextlib.contextmanager
def log_reader():
    """Somewhere for log lines to go; nobody reads them, and what doesn't fit is dropped."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", SYSLOG))
        yield

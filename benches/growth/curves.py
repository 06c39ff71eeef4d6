"""The axes along which cost may grow, and the three servers set up for each."""

import resource

from bench import CLIENTS, PORT, request, servers

# Descriptors that a server needs for other things than its clients.
SPARE_DESCRIPTORS = 500
HOPS_NETWORK = "10.0.0.0/8"
CLIENT, TRUSTED_HOP = "203.0.113.9", "10.20.30.40"


class Axis:
    """One curve for each server. `set_up` makes of a point what differs from the usual: of the servers, and of the load."""

    def __init__(self, title, unit, points, set_up, without=(), quick=()):
        self.title, self.unit, self.points, self.set_up, self.without = title, unit, points, set_up, without
        self.quick = list(quick) or [points[0], points[-1]]


class Setting:
    """A point: options of swagip, lines for nginx and HAProxy, and the load."""

    def __init__(self, ask=None, threads=1, swagip="", nginx="", haproxy="", room=None, **load):
        self.ask, self.threads, self.swagip, self.nginx, self.haproxy, self.load = ask or request(), threads, swagip, nginx, haproxy, load
        # How many connections a server prepares for.
        self.room = room or most_connections()


def most_connections():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS


def connections():
    return [min(point, most_connections()) for point in (10, 100, 1_000, 5_000, 10_000, 20_000)]


def idle_beside_busy(_, count):
    used = min(CLIENTS, count)
    return Setting(open=count, used=used, flight=min(used, CLIENTS))


def all_in_turn(_, count):
    return Setting(open=count, used=count, flight=min(count, CLIENTS))


def networks(count):
    """Loopback, which is the peer here, and /24 networks of which no two can be merged."""
    return ["127.0.0.0/8"] + [f"10.{index >> 7}.{(index & 127) * 2}.0/24" for index in range(count - 1)]


def trusted_networks(bench, count):
    trusted = networks(count)
    listed = bench.file("networks", "\n".join(trusted) + "\n")
    return Setting(
        ask=request(f"X-Forwarded-For: {CLIENT}".encode()),
        swagip=" ".join(f"--trusted-proxy {network}" for network in trusted),
        nginx=real_ip(trusted),
        haproxy=f"  http-request set-src req.hdr_ip(x-forwarded-for,-1) if {{ src -f {listed} }}\n",
    )


def real_ip(trusted):
    return "".join(f"set_real_ip_from {network}; " for network in trusted) + "real_ip_header X-Forwarded-For; real_ip_recursive on;"


def hops(_, count):
    return Setting(
        ask=request(("X-Forwarded-For: " + ", ".join([CLIENT] + [TRUSTED_HOP] * (count - 1))).encode()),
        swagip=f"--trusted-proxy loopback --trusted-proxy {HOPS_NETWORK}",
        nginx=real_ip(["127.0.0.0/8", HOPS_NETWORK]),
    )


def fields(_, count):
    return Setting(ask=request(*(b"X-Field-%02d: a value of some length" % index for index in range(count - 3))))


def head_bytes(_, length):
    cookie = b"Cookie: "
    return Setting(ask=request(cookie + b"c" * (length - len(request(cookie)))))


def depth(_, count):
    return Setting(depth=count, count=30_000 * min(count, 8))


def threads(_, count):
    return Setting(threads=count)


AXES = {
    "idle": Axis("Connections open, 64 of them busy", "connections", connections(), idle_beside_busy, quick=(10, 1_000)),
    "used": Axis("Connections open, all asking in turn", "connections", connections(), all_in_turn, quick=(10, 1_000)),
    "networks": Axis("Trusted networks", "networks", [1, 10, 100, 1_000, 10_000], trusted_networks),
    "hops": Axis("Trusted hops in X-Forwarded-For", "hops", [1, 2, 4, 8, 16, 32, 64], hops, without=["haproxy"]),
    "fields": Axis("Fields in a request", "fields", [3, 6, 12, 24, 25, 50, 100], fields),
    "bytes": Axis("Bytes of a head, in one long field", "bytes", [100, 256, 512, 1_024, 2_048, 4_096, 8_192, 15_000], head_bytes),
    "depth": Axis("Requests pipelined in a write", "requests", [1, 2, 4, 8, 16, 32, 64], depth),
    "threads": Axis("Threads, on all processors of the machine", "threads", [1, 2, 4, 8, 16], threads),
}

NAMES = ("swagip", "nginx", "haproxy")


def server(bench, name, setting):
    """The server at this point; of two or more threads, on every processor that there is."""
    cpus = (bench.server_cpu,) if setting.threads == 1 else (bench.server_cpu, bench.load_cpu)
    return servers.Server(name, COMMANDS[name](bench, setting), PORT, *cpus)


def swagip(bench, setting):
    return f"{bench.swagip} --threads {setting.threads} --drain-grace 0 --listen 127.0.0.1:{PORT} {setting.swagip}"


def nginx(bench, setting):
    config = servers.NGINX.format(directory=bench.directory, port=PORT)
    # nginx closes idle connections once fewer than a sixteenth of its places are free.
    config = replaced(config, "worker_connections 8192", f"worker_connections {setting.room * 9 // 8}")
    config = replaced(config, "keepalive_requests", f"large_client_header_buffers 4 32k; {setting.nginx} keepalive_requests")
    if setting.threads > 1:
        config = replaced(config, "master_process off; worker_processes 1", f"worker_processes {setting.threads}")
    return f"nginx -c {bench.file('nginx.conf', config)}"


def haproxy(bench, setting):
    config = servers.HAPROXY.format(port=PORT)
    config = replaced(config, "nbthread 1", f"nbthread {setting.threads}")
    # HAProxy wants two descriptors for each connection; without a server to connect to, one is enough.
    config = replaced(config, "maxconn 8192", f"no strict-limits\n  maxconn {setting.room + SPARE_DESCRIPTORS // 2}")
    config = replaced(config, "  http-request return", f"{setting.haproxy}  http-request return")
    return f"haproxy -db -q -f {bench.file('haproxy.cfg', config)}"


COMMANDS = {"swagip": swagip, "nginx": nginx, "haproxy": haproxy}


def replaced(text, old, new):
    """With the one place changed; a text that is not there any more is a mistake of the bench."""
    if text.count(old) != 1:
        raise SystemExit(f"expected once, found {text.count(old)} times: {old}")
    return text.replace(old, new)


def measure(bench, axis, point, name):
    """One cell: processor time for a request and memory of one server at one point."""
    setting = axis.set_up(bench, point)
    with server(bench, name, setting) as running:
        found = bench.closed([running], PORT, setting.ask, **setting.load)
    return {"cpu_us": found["cpu_us"][name], "own_kib": found["own_kib"][name]} | {key: found[key] for key in ("kernel_kib", "p50", "p99")}

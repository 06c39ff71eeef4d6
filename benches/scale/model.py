"""How many machines, and what breaks first: from what a request and a connection cost here, and from limits that are documented.

Everything is arithmetic and deterministic; `simulation` says how much of a machine may be used."""

import math
import statistics

import simulation

# The machine that is counted in: no figure of it was measured.
CORES, MEMORY_BYTES = 16, 64 * 2**30
# Loopback has no card: its interrupts and drivers are not in what was measured. This is an assumption, on the safe side.
NETWORK_FACTOR = 2
# Memory is not filled to the brim.
MEMORY_SHARE = 0.75
# A kept connection carries a request in so many seconds; it would be closed after 75 (--idle-timeout).
SECONDS_BETWEEN = 60

# The kernel's memory is measured by what all programs of a machine make it use. Less than this would be another program's doing.
KERNEL_BYTES_MIN = 2_048

# Linux, as it comes, on a machine of 4 GB or more.
CONNTRACK_MAX, CONNTRACK_TIME_WAIT = 262_144, 120
NEIGHBOURS_MAX = 1_024
PORTS = 60_999 - 32_768 + 1
DESCRIPTORS_MAX = 1_048_576
BRIDGE_PORTS = 1_023
# A DNS message: header, question for `web`, and 16 bytes for an IPv4 address, 28 for an IPv6 one, with its name compressed.
DNS_HEADER, DNS_QUESTION, DNS_A, DNS_AAAA = 12, 9, 16, 28
DNS_UDP, DNS_EDNS, DNS_TCP = 512, 1_232, 65_535
# deploy/haproxy.cfg.
SLOTS, CHECKS_A_SECOND, PROXY_CONNECTIONS = 500, 2, 9_700
# A scrape in so many seconds: deploy/monitoring/prometheus.yml.
SCRAPE_SECONDS = 5
# What checks may take.
CHECKS_SHARE = 0.05


class Costs:
    """Medians of benches/record: microseconds of one processor, and bytes."""

    def __init__(self, growth, load):
        chain = growth["chain"]["results"]
        replicas = list(growth["replicas"]["results"].items())[-1]
        self.kept = middle(load["results"]["keep-alive"]["swagip"], "cpu_us")
        # Each of very many connections asks in its turn, so nothing of it is in a cache.
        self.cold = middle(list(growth["curves"]["results"]["used"]["swagip"].values())[-1], "cpu_us")
        self.fresh = middle(load["results"]["curl"]["swagip"], "cpu_us")
        idle = growth["curves"]["results"]["idle"]["swagip"]
        self.own_memory, self.kernel_memory = grown(idle, "own_kib"), max(KERNEL_BYTES_MIN, grown(idle, "kernel_kib"))
        self.connection = self.own_memory + self.kernel_memory
        self.chain_kept = {name: middle(chain["shipped"], "kept", name) for name in ("haproxy", "swagip")}
        self.chain_fresh = {name: middle(chain["shipped"], "fresh", name) for name in ("haproxy", "swagip")}
        self.chain_h2 = {name: middle(chain["h2"], "kept", name) for name in ("haproxy", "swagip")}
        self.check = {name: middle(replicas[1], "idle_us_a_second", name) / int(replicas[0]) / CHECKS_A_SECOND for name in ("haproxy", "swagip")}
        self.scrape = {key: middle(replicas[1], "scrape", "swagip", key) for key in ("cpu_us", "bytes")}


def middle(runs, *path):
    for key in path:
        runs = [run[key] for run in runs]
    return statistics.median(runs)


def grown(points, key):
    """Bytes that one more open connection adds to this."""
    (first, fewest), *_, (last, most) = ((int(point), runs) for point, runs in points.items())
    return (middle(most, key) - middle(fewest, key)) * 1024 / (last - first)


class Need:
    """What is asked for: so many requests and connections, by an arrangement that costs so much for each."""

    def __init__(self, requests, cost_us, connections=0, connection_bytes=0):
        self.requests, self.cost_us, self.connections, self.connection_bytes = requests, cost_us, connections, connection_bytes


def machines(need):
    """The fewest machines whose processors and memory are enough, even after the loss of one of them; and which of the two decides."""
    by_memory = math.ceil(need.connections * need.connection_bytes / (MEMORY_BYTES * MEMORY_SHARE)) + 1 if need.connections else 0
    by_processor = simulation.fewest(need.requests, need.cost_us * NETWORK_FACTOR * 1e-6, CORES, max(need.connections, need.requests * SECONDS_BETWEEN))
    return max(by_memory, by_processor), "memory" if by_memory > by_processor else "processors"


def dns_addresses(length, each):
    return (length - DNS_HEADER - DNS_QUESTION) // each


def needs(costs):
    """What is counted, by what it says in the table."""
    million, idle = 1_000_000, 100_000_000
    both = lambda cost: sum(cost.values())
    return {
        "a million requests a second, kept connections, swagip alone": Need(million, costs.kept),
        "the same, a connection for each": Need(million, costs.fresh),
        "the same, kept, HAProxy and replicas on each machine": Need(million, both(costs.chain_kept)),
        "the same, a connection for each, HAProxy and replicas": Need(million, both(costs.chain_fresh)),
        "the same, kept, TLS and HTTP/2 at HAProxy, and replicas": Need(million, both(costs.chain_h2)),
        f"a hundred million open connections, asking once in {SECONDS_BETWEEN} s, swagip alone": Need(idle / SECONDS_BETWEEN, costs.cold, idle, costs.connection),
    }


def limits(costs):
    """What breaks, where, how it shows, and what helps."""
    kept, fresh = (1e6 / sum(cost.values()) for cost in (costs.chain_kept, costs.chain_fresh))
    checks = CHECKS_SHARE * 1e6 / (CHECKS_A_SECOND * costs.check["swagip"])
    return [
        (
            "connection tracking, where Docker or a firewall needs it",
            f"{CONNTRACK_MAX // CONNTRACK_TIME_WAIT:,} new connections a second, because each is remembered for {CONNTRACK_TIME_WAIT} s; or {CONNTRACK_MAX:,} open ones",
            "`nf_conntrack: table full, dropping packet` in the kernel's log",
            "raise `nf_conntrack_max`, lower `nf_conntrack_tcp_timeout_time_wait`; or the host's network, untracked",
        ),
        ("HAProxy's own connections, by deploy/haproxy.cfg", f"{PROXY_CONNECTIONS:,} clients", "new clients wait", "`fd-hard-limit`, and 33 kB for each at worst"),
        (
            "a core that has HAProxy and replicas",
            f"{kept:,.0f} requests a second, {fresh:,.0f} with a connection for each",
            "requests wait for up to 500 ms, then 503",
            f"more cores: HAProxy takes {100 * costs.chain_kept['haproxy'] / sum(costs.chain_kept.values()):.0f} % of it",
        ),
        (
            "DNS answers by UDP",
            f"{dns_addresses(DNS_UDP, DNS_A)} IPv4 or {dns_addresses(DNS_UDP, DNS_AAAA)} IPv6 addresses; with EDNS, {dns_addresses(DNS_EDNS, DNS_A)} or {dns_addresses(DNS_EDNS, DNS_AAAA)}",
            "HAProxy finds no replica, or too few",
            "TCP, as deploy/haproxy.cfg asks",
        ),
        ("HAProxy's slots", f"{SLOTS} replicas", "the rest get no request", "a larger `server-template`"),
        (
            "the neighbour table",
            f"{NEIGHBOURS_MAX:,} replicas and machines in one network",
            "`neighbor table overflow` in the kernel's log",
            "`net.ipv4.neigh.default.gc_thresh3`; routers between",
        ),
        ("a Linux bridge", f"{BRIDGE_PORTS:,} containers", "a container does not start", "another machine"),
        (
            "DNS answers by TCP",
            f"{dns_addresses(DNS_TCP, DNS_A):,} IPv4 or {dns_addresses(DNS_TCP, DNS_AAAA):,} IPv6 addresses",
            "HAProxy finds too few",
            "several names",
        ),
        (
            "checks, where each HAProxy checks each replica",
            f"{checks:,.0f} HAProxies, which take {CHECKS_SHARE * 100:.0f} % of a core from every replica",
            "CPU without requests",
            "each HAProxy its own replicas; a longer `inter`",
        ),
        ("ports, where a balancer connects from its own address", f"{PORTS:,} connections from an address to a replica", "`EADDRNOTAVAIL`", "more addresses; a balancer that passes packets on"),
        ("descriptors", f"{DESCRIPTORS_MAX:,} connections of a process", "`swagip_limits_reached_total`", "`fs.nr_open` and `LimitNOFILE=`, or more processes"),
        (
            "scrapes",
            f"never swagip first: {costs.scrape['cpu_us'] / 1e3:.2f} ms of a core each; 1,000 replicas send {costs.scrape['bytes'] / SCRAPE_SECONDS:,.0f} kB/s",
            "Prometheus's memory",
            "a longer `scrape_interval`; a Prometheus for each site",
        ),
    ]

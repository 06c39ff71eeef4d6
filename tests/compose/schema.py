#!/usr/bin/env python3
"""Reads `docker compose config --format json` and tells which promises of docker-compose.yml it breaks."""

import ipaddress
import json
import sys

DRAIN_TIMEOUT_SECONDS = 10  # the server's --drain-timeout
EPHEMERAL_FIRST = 32768  # Linux's ip_local_port_range
REPLICAS_MAX = 500
REPLICA_BYTES = 64 << 20

project = json.load(sys.stdin)
web, haproxy, prometheus = (project["services"][name] for name in ("web", "haproxy", "prometheus"))
pools = project["networks"]["swagip"]["ipam"]["config"]
subnets = [ipaddress.ip_network(pool["subnet"]) for pool in pools]
handed_out = [ipaddress.ip_network(pool["ip_range"]) for pool in pools]
proxy = {haproxy["networks"]["swagip"][key] for key in ("ipv4_address", "ipv6_address")}
environment = web["environment"]


def seconds(duration):
    return float(duration[:-1]) if duration.endswith("s") and duration[:-1].isdigit() else 0


promises = {
    "web can be scaled: no name, no port of its own": not {"container_name", "ports"} & set(web),
    "haproxy is one container at fixed ports": all("-" not in port["published"] for port in haproxy["ports"]),
    "published ports are below the ephemeral ones": all(int(port["published"]) < EPHEMERAL_FIRST for port in haproxy["ports"] + prometheus["ports"]),
    "statistics are published on 127.0.0.1 only": [port.get("host_ip") for port in haproxy["ports"] if port["target"] == 8404] == ["127.0.0.1"],
    "the network has both families": {subnet.version for subnet in subnets} == {4, 6} and project["networks"]["swagip"]["enable_ipv6"] is True,
    "the network holds all replicas twice": all(pool.num_addresses > 2 * REPLICAS_MAX for pool in handed_out),
    "no replica can get HAProxy's address": not any(ipaddress.ip_address(address) in pool for address in proxy for pool in handed_out),
    "HAProxy is in the network": all(any(ipaddress.ip_address(address) in subnet for subnet in subnets) for address in proxy),
    "replicas trust HAProxy's addresses and no other": set(environment["SWAGIP_TRUSTED_PROXIES"].split(",")) == proxy,
    "replicas read what HAProxy writes": environment["SWAGIP_CLIENT_IP_HEADER"] == "forwarded",
    "one thread a replica": environment["SWAGIP_THREADS"] == "1",
    "replicas say who they are": environment["SWAGIP_SERVED_BY"] == "auto",
    "a replica takes at most 64 MiB": int(web.get("mem_limit", 0)) == REPLICA_BYTES,
    "replicas have time to drain": seconds(web["stop_grace_period"]) > DRAIN_TIMEOUT_SECONDS,
    "no health check by exec": "healthcheck" not in web,
    "Prometheus finds the replicas' metrics where they are": environment["SWAGIP_LISTEN_METRICS"] == "9090",
    "Prometheus is started only when asked for": prometheus.get("profiles") == ["monitoring"],
    "Prometheus is published on 127.0.0.1 only": [port.get("host_ip") for port in prometheus["ports"]] == ["127.0.0.1"],
}
for name, service in project["services"].items():
    promises[f"{name}: read-only"] = service.get("read_only") is True
    promises[f"{name}: no capabilities"] = service.get("cap_drop") == ["ALL"] and "cap_add" not in service
    promises[f"{name}: no new privileges"] = service.get("security_opt") == ["no-new-privileges:true"]
    promises[f"{name}: memory is bounded, without swap"] = 0 < int(service.get("mem_limit", 0)) == int(service.get("memswap_limit", 0))
    promises[f"{name}: processes are bounded"] = service.get("pids_limit", 0) > 0
    promises[f"{name}: not privileged"] = not service.get("privileged", False)

broken = [promise for promise, kept in promises.items() if not kept]
for promise in broken:
    print("broken:", promise)
sys.exit(bool(broken))

#!/usr/bin/env python3
"""Reads `docker compose --file deploy/swarm/stack.yml config --format json` and tells which promises of that file it breaks."""

import ipaddress
import json
import sys

DRAIN_TIMEOUT_SECONDS = 10  # the server's --drain-timeout
HARD_STOP_SECONDS = 12  # deploy/haproxy.cfg
REPLICAS_MAX = 500

stack = json.load(sys.stdin)
services = stack["services"]
web, entry, balancer = (services[name] for name in ("web", "entry", "balancer"))
network = stack["networks"]["replicas"]
subnet = network["ipam"]["config"][0]["subnet"]
environment = web["environment"]


def seconds(duration):
    return float(duration[:-1]) if duration.endswith("s") and duration[:-1].isdigit() else 0


def files(service):
    return {volume["source"]: volume["target"] for volume in service["volumes"] if volume["type"] == "volume"}


promises = {
    "no port is published: it would belong to one container": not any("ports" in service for service in services.values()),
    "no name of a container's own": not any("container_name" in service for service in services.values()),
    "the entry is in the node's network": list(entry["networks"]) == ["host"] and stack["networks"]["host"] == {"name": "host", "ipam": {}, "external": True},
    "the others are in the replicas' network alone": list(web["networks"]) == list(balancer["networks"]) == ["replicas"],
    "no container joins that network by itself": not network.get("attachable", False) and "external" not in network,
    "it holds all replicas twice": ipaddress.ip_network(subnet).num_addresses > 2 * REPLICAS_MAX,
    "replicas trust that network and no other": environment["SWAGIP_TRUSTED_PROXIES"] == subnet,
    "replicas read what HAProxy writes": environment["SWAGIP_CLIENT_IP_HEADER"] == "forwarded",
    "one thread a replica": environment["SWAGIP_THREADS"] == "1",
    "replicas say who they are": environment["SWAGIP_SERVED_BY"] == "auto",
    "all replicas are in DNS": web["deploy"]["endpoint_mode"] == "dnsrr",
    "entry and balancer are on each node": entry["deploy"]["mode"] == balancer["deploy"]["mode"] == "global",
    "they meet in a volume of the node": files(entry) == files(balancer) == {"balancer": "/run/swagip"},
    "it is gone with the node's power": stack["volumes"]["balancer"]["driver_opts"]["type"] == "tmpfs",
    "replicas have time to drain": seconds(web["stop_grace_period"]) > DRAIN_TIMEOUT_SECONDS,
    "HAProxy has time to stop": all(seconds(service["stop_grace_period"]) > HARD_STOP_SECONDS for service in (entry, balancer)),
    "a balancer whose socket is another's is started anew, but not while it is replaced": balancer["healthcheck"]["test"][-4:]
    == ["!", "/run/swagip/balancer.sock", "-nt", "/tmp/started"]
    and seconds(balancer["healthcheck"]["interval"]) * (balancer["healthcheck"]["retries"] - 1) > seconds(balancer["deploy"]["update_config"]["monitor"]),
    "HAProxy's configurations are named by their content": all(config["name"].endswith(("_1", "_2")) for config in stack["configs"].values()),
}
for name, service in services.items():
    deploy = service["deploy"]
    update, limits, health = deploy["update_config"], deploy["resources"]["limits"], service["healthcheck"]
    promises[f"{name}: read-only"] = service.get("read_only") is True
    promises[f"{name}: no capabilities"] = service.get("cap_drop") == ["ALL"] and "cap_add" not in service
    promises[f"{name}: not privileged"] = not service.get("privileged", False)
    promises[f"{name}: memory is bounded"] = 0 < int(limits.get("memory", 0))
    promises[f"{name}: processes are bounded"] = 0 < limits.get("pids", 0)
    promises[f"{name}: the new one starts first, on the way back too"] = update["order"] == deploy["rollback_config"]["order"] == "start-first"
    promises[f"{name}: what does not start is rolled back"] = update["failure_action"] == "rollback"
    promises[f"{name}: it is asked each second while it starts"] = health["start_interval"] == "1s"
    if name != "balancer":
        promises[f"{name}: it is not asked later"] = health["interval"] == "1h0m0s"

broken = [promise for promise, kept in promises.items() if not kept]
for promise in broken:
    print("broken:", promise)
sys.exit(bool(broken))

#!/usr/bin/env python3
"""promises.py OVERLAY FILE: reads what kustomize built, and tells which promises of deploy/kubernetes it breaks."""

import ipaddress
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HAPROXY = (ROOT / "deploy/kubernetes/haproxy.cfg").read_text()
EXAMPLES = [ipaddress.ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
PROXY_NETWORK_MAX = 256  # addresses
# What a Pod may have besides under the profile "restricted": none of them is needed here.
NOT_RESTRICTED = {"hostNetwork", "hostPID", "hostIPC", "volumes", "initContainers", "ephemeralContainers"}


def seconds(duration):
    number, unit = re.fullmatch(r"([0-9.]+)(ms|s|m)", duration).groups()
    return float(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def number_in(pattern):
    return re.search(pattern, HAPROXY, re.MULTILINE)[1]


def is_example(text):
    network = ipaddress.ip_network(text)
    return any(network.version == example.version and network.subnet_of(example) for example in EXAMPLES)


def is_one_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def pod_promises(template, labels):
    spec = template["spec"]
    pod, [container] = spec["securityContext"], spec["containers"]
    own = container["securityContext"]
    return {
        "restricted: nothing of the node's": not NOT_RESTRICTED & set(spec),
        "restricted: not as root": pod["runAsNonRoot"] is True and pod["runAsUser"] > 0 and "runAsUser" not in own and "runAsNonRoot" not in own,
        "restricted: seccomp": pod["seccompProfile"]["type"] == "RuntimeDefault" and "seccompProfile" not in own,
        "restricted: no more privileges": own["allowPrivilegeEscalation"] is False and "privileged" not in own and "procMount" not in own,
        "restricted: no capabilities": own["capabilities"] == {"drop": ["ALL"]},
        "restricted: no port of the node's": not any("hostPort" in port for port in container["ports"]),
        "restricted: no sysctls": "sysctls" not in pod,
        "the root is read-only": own["readOnlyRootFilesystem"] is True,
        "no token of the API server": spec["automountServiceAccountToken"] is False,
        "no variables of Services": spec["enableServiceLinks"] is False,
        "memory is bounded, CPU is not": set(container["resources"]["limits"]) == {"memory"} and set(container["resources"]["requests"]) == {"cpu", "memory"},
        "spread over nodes and zones": {rule["topologyKey"] for rule in spec["topologySpreadConstraints"]} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        and all(rule["labelSelector"]["matchLabels"] == labels for rule in spec["topologySpreadConstraints"]),
        "the image has this version": container["image"].split(":")[-1] == re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1],
    }


def drain_promises(deployment, environment):
    spec = deployment["spec"]["template"]["spec"]
    [container] = spec["containers"]
    ready, alive = container["readinessProbe"], container["livenessProbe"]
    grace, timeout = (seconds(environment[f"SWAGIP_DRAIN_{name}"]) for name in ("GRACE", "TIMEOUT"))
    left_out = seconds(number_in(r"^    default-server check .* inter (\S+)")) * int(number_in(r"^    default-server check .* fall (\d+)"))
    return {
        "a rollout takes no replica before there is another": deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0,
        "a new replica is known before an old one goes": deployment["spec"]["minReadySeconds"] > 0,
        "the grace is within the drain, the drain within Kubernetes's time": grace < timeout < spec["terminationGracePeriodSeconds"],
        "a node's last replica counts as ready until the grace is over": ready["periodSeconds"] * (ready["failureThreshold"] - 1) >= grace,
        "HAProxy leaves a node out within a third of the grace": left_out <= grace / 3,
        "probes are asked where nobody else is": [probe["httpGet"] for probe in (ready, alive)] == [{"path": "/ready", "port": "monitoring"}, {"path": "/health", "port": "monitoring"}],
        "liveness has patience": alive["failureThreshold"] * alive["periodSeconds"] >= 30 and alive["timeoutSeconds"] >= 5,
    }


def trust_promises(overlay, environment, service):
    trusted = [text for text in environment.get("SWAGIP_TRUSTED_PROXIES", "").split(",") if text]
    spec = service["spec"]
    promises = {
        "clients' addresses arrive": spec["type"] == "LoadBalancer" and spec["externalTrafficPolicy"] == "Local",
        "who is trusted is nobody yet": all(map(is_example, trusted)),
    }
    if overlay == "local":
        promises["nobody is trusted"] = not trusted and "SWAGIP_LISTEN_PROXY" not in environment
    elif overlay == "haproxy":
        [port] = spec["ports"]
        promises |= {
            "addresses are trusted, not a network": bool(trusted) and all(map(is_one_address, trusted)),
            "swagip reads what HAProxy writes": environment["SWAGIP_CLIENT_IP_HEADER"] == "forwarded" and "option forwarded " in HAPROXY,
            "HAProxy asks the ports that there are": str(port["nodePort"]) == number_in(r"server node1 \S+:(\d+)") and str(spec["healthCheckNodePort"]) == number_in(r"check port (\d+)"),
            "no cloud makes a balancer of its own": "loadBalancerClass" in spec,
        }
    else:
        promises |= {
            "the PROXY listener is where clients arrive": environment["SWAGIP_LISTEN_PROXY"] == "8080",
            "a small network is trusted": bool(trusted) and all(ipaddress.ip_network(text).num_addresses <= PROXY_NETWORK_MAX for text in trusted),
        }
    if overlay != "haproxy":
        promises["one client has a bound"] = int(environment["SWAGIP_MAX_CONNECTIONS_PER_CLIENT"]) < int(environment["SWAGIP_MAX_CONNECTIONS"])
    return promises


def around_promises(objects, labels, ports):
    budget, policy, namespace = (objects[kind] for kind in ("PodDisruptionBudget/swagip", "NetworkPolicy/swagip", "Namespace/swagip"))
    [clients, monitors] = policy["spec"]["ingress"]
    return {
        "all is in the namespace": all(each["metadata"].get("namespace") == "swagip" for name, each in objects.items() if name != "Namespace/swagip"),
        "the namespace takes no pod with privileges": namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted",
        "a drain takes one at a time": budget["spec"]["maxUnavailable"] == 1 and budget["spec"]["selector"]["matchLabels"] == labels,
        "the policy is for the replicas": policy["spec"]["podSelector"]["matchLabels"] == labels,
        "clients reach one port, from anywhere": clients == {"ports": [{"port": "http"}]} and ports["http"] == 8080,
        "monitoring is reached from its namespace alone": monitors["ports"] == [{"port": "monitoring"}] and len(monitors["from"]) == 1,
        "replicas reach nobody": policy["spec"]["egress"] == [] and "Egress" in policy["spec"]["policyTypes"],
    }


def monitoring_promises(objects):
    monitor, service = (objects[name] for name in ("ServiceMonitor/swagip", "Service/swagip-monitoring"))
    job = re.search(r"job_name: (swagip)", (ROOT / "deploy/monitoring/prometheus.yml").read_text())[1]
    labels = service["metadata"]["labels"]
    return {
        "Prometheus finds the Service": monitor["spec"]["selector"]["matchLabels"].items() <= labels.items(),
        "and its port": monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"],
        "and no other Service": not monitor["spec"]["selector"]["matchLabels"].items() <= objects["Service/swagip"]["metadata"]["labels"].items(),
        "the job is called as the alerts want it": labels[monitor["spec"]["jobLabel"]] == job,
        "replicas that drain are watched": service["spec"]["publishNotReadyAddresses"] is True and service["spec"]["clusterIP"] == "None",
    }


def all_promises(overlay, objects):
    deployment, service = objects["Deployment/swagip"], objects["Service/swagip"]
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    [container] = template["spec"]["containers"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    services = [each for name, each in objects.items() if name.startswith("Service/")]
    known = set(re.findall(r"SWAGIP_[A-Z_]+", (ROOT / "src/config/help.txt").read_text()))
    return {
        "the variables are swagip's": set(environment) <= known,
        "one thread a replica, which says its name": environment["SWAGIP_THREADS"] == "1" and environment["SWAGIP_SERVED_BY"] == "auto",
        "monitoring is where the probes look for it": environment["SWAGIP_LISTEN_METRICS"] == str(ports["monitoring"]),
        "Services find the replicas": all(each["spec"]["selector"] == labels for each in services) and deployment["spec"]["selector"]["matchLabels"] == labels,
        "Services name ports that there are": all(port["targetPort"] in ports for each in services for port in each["spec"]["ports"]),
        "clients don't reach monitoring": [port["targetPort"] for port in service["spec"]["ports"]] == ["http"],
        "both families": service["spec"]["ipFamilyPolicy"] == "PreferDualStack",
        **pod_promises(template, labels),
        **drain_promises(deployment, environment),
        **trust_promises(overlay, environment, service),
        **around_promises(objects, labels, ports),
        **(monitoring_promises(objects) if "ServiceMonitor/swagip" in objects else {}),
    }


overlay, path = sys.argv[1:]
objects = {f"{each['kind']}/{each['metadata']['name']}": each for each in yaml.safe_load_all(Path(path).read_text())}
broken = [promise for promise, kept in all_promises(overlay, objects).items() if not kept]
for promise in broken:
    print("broken:", promise)
sys.exit(bool(broken))

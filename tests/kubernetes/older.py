#!/usr/bin/env python3
"""older.py MINOR: what kustomize built, as a Kubernetes 1.MINOR before 1.30 takes it. For tests on a cluster of that age only."""

import sys

import yaml

# Since when a field is there without a feature gate: the kind, the path to what has it, and its name.
FIELDS = [
    (23, "Service", ["spec"], "ipFamilyPolicy"),
    (24, "Service", ["spec"], "loadBalancerClass"),
    (27, "PodDisruptionBudget", ["spec"], "unhealthyPodEvictionPolicy"),
    (27, "Deployment", ["spec", "template", "spec", "topologySpreadConstraints"], "matchLabelKeys"),
]
BUDGET_V1 = 21


def places(each, path):
    for key in path:
        each = each[key]
    return each if isinstance(each, list) else [each]


minor = int(sys.argv[1])
objects = list(yaml.safe_load_all(sys.stdin))
for each in objects:
    for since, kind, path, name in FIELDS:
        if minor < since and each["kind"] == kind:
            for place in places(each, path):
                place.pop(name, None)
    if minor < BUDGET_V1 and each["kind"] == "PodDisruptionBudget":
        each["apiVersion"] = "policy/v1beta1"
yaml.safe_dump_all(objects, sys.stdout)

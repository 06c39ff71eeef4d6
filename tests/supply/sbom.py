"""The list of what is in the program: of the standard's form, and true. Reads it from standard input."""

import json
import subprocess
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def crates(edges):
    """Names and versions of what cargo builds for the program, but for itself."""
    command = ["cargo", "tree", "--locked", "--edges", edges, "--prefix", "none", "--format", "{p}"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {tuple(line.split()[:2]) for line in lines if line} - {next(tuple(line.split()[:2]) for line in lines)}


def main():
    text = sys.stdin.read()
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    assert error is None, error
    bom = json.loads(text)
    told = {scope: {(c["name"], "v" + c["version"]) for c in bom["components"] if c["scope"] == scope} for scope in ("required", "excluded")}
    inside, built = crates("normal,no-proc-macro"), crates("normal,build")
    assert told["required"] == inside, told["required"] ^ inside
    assert told["excluded"] == built - inside, told["excluded"] ^ (built - inside)
    assert "file:" not in text, "a path of this machine"
    print(f"{len(inside)} crates in the program, {len(built - inside)} that run while it is built")


main()

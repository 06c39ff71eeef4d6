#!/usr/bin/env python3
"""The list of crates that a program carries, as scanners read it: all that cargo builds for it are there. crates.py PROGRAM"""

import json
import subprocess
import sys
import tempfile
import zlib

with tempfile.NamedTemporaryFile() as section:
    # To standard output it would write the program as well.
    subprocess.run(["objcopy", "--dump-section", f".dep-v0={section.name}", sys.argv[1], "/dev/null"], check=True)
    listed = {(package["name"], package["version"]) for package in json.loads(zlib.decompress(section.read()))["packages"]}
lines = subprocess.run(
    ["cargo", "tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"], check=True, capture_output=True, text=True
).stdout.splitlines()
built = {(line.split()[0], line.split()[1].removeprefix("v")) for line in lines if line}
assert built <= listed, built - listed
print(f"{len(built)} crates, all of them on the list")

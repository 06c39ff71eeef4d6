#!/usr/bin/env python3
"""Reads `docker save IMAGE` and tells which promises of the Dockerfile it breaks."""

import io
import json
import pathlib
import re
import struct
import sys
import tarfile

BYTES_MAX = 2_500_000
INTERPRETER = 3  # ELF's program header PT_INTERP: the file needs a dynamic linker

saved = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))
read = lambda name: saved.extractfile(name).read()
[manifest] = json.loads(read("manifest.json"))
config = json.loads(read(manifest["Config"]))["config"]
layers = [tarfile.open(fileobj=io.BytesIO(read(layer))) for layer in manifest["Layers"]]
files = [(layer, member) for layer in layers for member in layer.getmembers()]
labels = config.get("Labels") or {}
version = re.search(r'^version = "(.*)"', pathlib.Path("Cargo.toml").read_text(), re.MULTILINE)[1]


def is_static(program):
    """Whether a 64-bit little-endian ELF file starts without a dynamic linker."""
    offset, = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    types = [struct.unpack_from("<I", program, offset + size * n)[0] for n in range(count)]
    return program.startswith(b"\x7fELF\x02\x01") and INTERPRETER not in types


promises = {
    "nothing but the program": [member.name.lstrip("./") for _, member in files] == ["swagip"],
    f"at most {BYTES_MAX} bytes": sum(member.size for _, member in files) <= BYTES_MAX,
    "a static program": all(is_static(layer.extractfile(member).read()) for layer, member in files),
    "the list of its crates": all(b"\0.dep-v0\0" in layer.extractfile(member).read() for layer, member in files),
    "executable by anyone, writable by root only": all(member.mode & 0o777 == 0o755 and member.uid == 0 for _, member in files),
    "runs as 65532": config.get("User") == "65532:65532",
    "started without a shell": config.get("Entrypoint") == ["/swagip"] and not config.get("Cmd"),
    "port 8080": list(config.get("ExposedPorts") or {}) == ["8080/tcp"],
    "stopped by SIGTERM": config.get("StopSignal") == "SIGTERM",
    "no health check by exec": not config.get("Healthcheck"),
    "the labels of OCI": all(labels.get(f"org.opencontainers.image.{name}") for name in ("title", "description", "licenses")),
    "the version of Cargo.toml": labels.get("org.opencontainers.image.version") == version,
}
broken = [promise for promise, kept in promises.items() if not kept]
for promise in broken:
    print("broken:", promise)
sys.exit(bool(broken))

#!/usr/bin/env python3
"""Writes the smallest MaxMind DB file (version 2.0 of the format) to standard output: all addresses are in one place, or one network.

    database.py city NAME
    database.py network NUMBER
"""

import sys

# A tree of one node: whatever an address begins with, its data stands at the start of the data section, after 16 zeros.
NODES = 1
TREE = 2 * (NODES + 16).to_bytes(3, "big") + bytes(16)


class Number(int):
    """With the type and the bytes that the format has for its key."""

    def __new__(cls, value, kind, size):
        self = super().__new__(cls, value)
        self.kind, self.size = kind, size
        return self


def u16(value):
    return Number(value, 5, 2)


def u32(value):
    return Number(value, 6, 4)


def u64(value):
    return Number(value, 9, 8)


def control(kind, size):
    return bytes([size, kind - 7]) if kind > 7 else bytes([kind << 5 | size])


def data(value):
    if isinstance(value, Number):
        return control(value.kind, value.size) + value.to_bytes(value.size, "big")
    if isinstance(value, str):
        return control(2, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(data, value))
    return control(7, len(value)) + b"".join(data(key) + data(each) for key, each in value.items())


def main(kind, value):
    record, name = {
        "city": ({"city": {"names": {"en": value}}}, "City"),
        "network": ({"autonomous_system_number": u32(int(value) if value.isdigit() else 0)}, "ASN"),
    }[kind]
    metadata = {
        "binary_format_major_version": u16(2), "binary_format_minor_version": u16(0), "build_epoch": u64(1_795_132_800),
        "database_type": "Test-" + name, "description": {"en": "A test"}, "ip_version": u16(6), "languages": ["en"],
        "node_count": u32(NODES), "record_size": u16(24),
    }
    sys.stdout.buffer.write(TREE + data(record) + b"\xab\xcd\xefMaxMind.com" + data(metadata))


main(*sys.argv[1:])

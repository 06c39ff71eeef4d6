#!/usr/bin/env python3
"""Four attackers for tests/compose/run, on slow lines, who send what costs the server most.

    attack.py HOST PORT --seconds S [--from ADDRESS ...]

Together they send 200 kbit/s, a quarter each, and each an equal share of its kinds of requests. --from: addresses of this host to
come from, for one attacker each. Prints how many connections of each kind were opened, and how many were refused. Exit code: 0 if
they could send most of what they wanted to.
"""

import argparse
import collections
import selectors
import socket
import sys
import threading
import time

ATTACKERS = 4
BYTES_PER_SECOND = 200_000 / 8 / ATTACKERS
# What a connection costs its client besides what is sent on it: headers of five packets.
BYTES_PER_CONNECTION = 200
CONNECT_WITHIN_SECONDS = 2
# Longer than the server waits for anything.
HOLD_SECONDS = 40
# As much as HAProxy takes: its buffer is 16 KiB, and it keeps room for its own fields.
HEAD_BYTES = 14_800
# Of a client that does not want to read.
SMALL_BUFFER_BYTES = 2048

JSON = b"Accept: application/json\r\n"
BROWSER = b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\n"


def head(line, fields=b"", host=b"localhost"):
    return b"%s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (line, host, fields)


def filled(line, fields, name=b"X-A", byte=b"&"):
    """A head with one field that makes it as long as is allowed."""
    rest = HEAD_BYTES - len(head(line, fields)) - len(name) - 4
    return head(line, fields + b"%s: %s\r\n" % (name, byte * (rest // len(byte))))


MANY_FIELDS = b"".join(b"X-%02d: %s\r\n" % (number, b"&" * 150) for number in range(85))
# What each attacker sends, and whether it holds the connection open and reads nothing.
KINDS = [
    {
        "a page that repeats a Host of 250 bytes": (head(b"GET /", BROWSER, b"!" * 250), False),
        "a page that repeats a Host of 14 KB": (head(b"GET /", BROWSER, b"!" * 14_000), False),
    },
    {
        "a page that quotes 14 KB of &": (filled(b"GET /", BROWSER), False),
        "a page of 85 fields": (head(b"GET /", BROWSER + MANY_FIELDS), False),
        "HEAD of such a page": (filled(b"HEAD /", BROWSER), False),
        "/explain, with 7,000 hops": (filled(b"GET /explain", JSON, b"X-Forwarded-For", b"1,"), False),
        "/all, in JSON": (filled(b"GET /all", JSON, byte=b'"'), False),
        "/json, with a long User-Agent": (filled(b"GET /json", b"", b"User-Agent", b"P"), False),
    },
    {
        "half a head": (b"GET / HTTP/1.1\r\nHost: loc", True),
        "content that never comes": (head(b"GET /", b"Content-Length: 1000\r\n"), True),
    },
    {
        "a page that is never read": (filled(b"GET /", BROWSER), True),
        "30 answers that are never read": (head(b"GET /", BROWSER, b"!" * 250) * 30, True),
        "a quarter of some content": (head(b"POST /", b"Content-Length: 60000\r\n") + b"x" * 16_000, True),
    },
]


class Attacker(threading.Thread):
    def __init__(self, address, source, seconds, kinds):
        super().__init__()
        self.address, self.source, self.seconds, self.kinds = address, source, seconds, kinds
        self.spent = dict.fromkeys(kinds, 0)  # bytes, by kind
        self.opened = collections.Counter()
        self.refused = collections.Counter()
        self.open = selectors.DefaultSelector()  # connections whose answers are read and thrown away
        self.held = collections.deque()  # (moment to close it, connection)

    def run(self):
        start = time.monotonic()
        while (now := time.monotonic()) < start + self.seconds:
            kind = min(self.spent, key=self.spent.get)
            request, held = self.kinds[kind]
            self.attack(kind, request, held)
            self.spent[kind] += len(request) + BYTES_PER_CONNECTION
            self.read_until(start + sum(self.spent.values()) / BYTES_PER_SECOND)

    def attack(self, kind, request, held):
        connection = socket.socket(socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET)
        if held:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        connection.settimeout(CONNECT_WITHIN_SECONDS)
        try:
            if self.source:
                connection.bind((self.source, 0))
            connection.connect(self.address)
            connection.setblocking(False)
            connection.send(request)
        except OSError:
            self.refused[kind] += 1
            connection.close()
            return
        self.opened[kind] += 1
        if held:
            self.held.append((time.monotonic() + HOLD_SECONDS, connection))
        else:
            self.open.register(connection, selectors.EVENT_READ)

    def read_until(self, moment):
        while (now := time.monotonic()) < moment:
            for key, _ in self.open.select(moment - now):
                self.read(key.fileobj)
            while self.held and self.held[0][0] < now:
                self.held.popleft()[1].close()

    def read(self, connection):
        try:
            if connection.recv(65536):
                return
        except OSError:
            pass
        self.open.unregister(connection)
        connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--from", dest="sources", nargs="*", default=[])
    arguments = parser.parse_args()
    sources = arguments.sources or [None]
    address = (arguments.host, arguments.port)
    attackers = [Attacker(address, sources[n % len(sources)], arguments.seconds, kinds) for n, kinds in enumerate(KINDS)]
    for attacker in attackers:
        attacker.start()
    for attacker in attackers:
        attacker.join()
    for attacker in attackers:
        for kind, opened in attacker.opened.items():
            print(f"{opened:4} × {kind}" + (f", and {attacker.refused[kind]} refused" if attacker.refused[kind] else ""))
    spent = sum(sum(attacker.spent.values()) for attacker in attackers)
    sys.exit(spent < 0.8 * ATTACKERS * BYTES_PER_SECOND * arguments.seconds)


main()

#!/usr/bin/env python3
"""Asks the server at ADDRESS:PORT all that is in fuzz/seeds/access_log, and some more; prints the number of answers."""

import pathlib
import re
import socket
import sys

MORE = [
    b"GET /ip HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: %s\r\nX-Forwarded-Proto: https\r\nUser-Agent: curl/8.5.0\r\nReferer: http://a/\r\n\r\n" % client
    for client in [b"203.0.113.9", b"2001:db8::9", b"203.0.113.9:80"]
]


def answers(address, request):
    """The number of final responses to a request."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    # No content here begins a line so.
    return len(re.findall(rb"^HTTP/1\.1 \d{3} ", answer, re.M))


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    seeds = pathlib.Path(__file__).parent.parent.parent / "fuzz/seeds/access_log"
    # Their first byte is for the fuzzer.
    requests = [seed.read_bytes()[1:] for seed in sorted(seeds.iterdir())] + MORE
    print(sum(answers((host, int(port)), request) for request in requests))


main()

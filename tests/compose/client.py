#!/usr/bin/env python3
"""The client of tests/compose/run: Python's standard library only, so that it runs wherever Docker does.

    client.py ask HOST PORT PATH ['Name: value' ...]
        One GET. Prints the address and port that it was sent from, the status and the content's first line, with spaces between.

    client.py load HOST PORT BODY --rate R --limit SECONDS
        Sends R requests a second for `/` until standard input ends, or for SECONDS at the most. Half of them go over 50
        connections that are kept, half over one connection each. Prints: sent, failed, sent per second, and the 50th, the
        99.9th and the last percentile of the time to answer in milliseconds. The first failures are told on standard error.

Each request is counted once and none is ever sent again. It failed unless a 200 with exactly BODY was read within two seconds of
the moment it was due. That moment is fixed before: a slow server does not slow the pace down and so hide what it does.
A kept connection is not looked at before it is used: if it was closed meanwhile, the request has failed.
"""

import argparse
import asyncio
import collections
import http.client
import sys
import threading
import time

KEPT_CONNECTIONS = 50
ANSWER_WITHIN_SECONDS = 2
FAILURES_TOLD = 5


def ask(host, port, path, fields):
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.connect()
    address, local_port = connection.sock.getsockname()[:2]
    headers = {"User-Agent": "curl/8"}
    headers.update(field.split(": ", 1) for field in fields)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    print(address, local_port, response.status, response.read().decode().split("\n")[0])


class Load:
    def __init__(self, host, port, body):
        self.host, self.port, self.body = host, port, body.encode() + b"\n"
        self.kept = collections.deque()
        self.lent = 0
        self.milliseconds = []
        self.failures = collections.Counter()

    async def run(self, rate, limit, ended):
        """Starts a request at each due moment, whatever became of those before."""
        start = time.monotonic()
        pending = set()
        sent = 0
        while sent < rate * limit and not ended.is_set():
            due = start + sent / rate
            await asyncio.sleep(max(0, due - time.monotonic()))
            request = asyncio.ensure_future(self.request(due, keep=sent % 2 == 0))
            pending.add(request)
            request.add_done_callback(pending.discard)
            sent += 1
        elapsed = time.monotonic() - start
        await asyncio.gather(*pending)
        return sent, sent / elapsed

    async def request(self, due, keep):
        left = due + ANSWER_WITHIN_SECONDS - time.monotonic()
        try:
            await asyncio.wait_for(self.exchange(keep), left)
        except Exception as failure:  # whatever it is, the request was not answered
            self.failures[f"{'kept' if keep else 'fresh'}: {failure!r}"] += 1
        self.milliseconds.append((time.monotonic() - due) * 1000)

    async def exchange(self, keep):
        reader, writer = await self.connection(keep)
        stays = False
        try:
            closing = b"" if keep else b"Connection: close\r\n"
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8\r\n" + closing + b"\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            if not head.startswith(b"http/1.1 200 ") or body != self.body:
                raise ValueError(head.split(b"\r\n")[0] + b" " + body)
            stays = keep and b"connection: close" not in head
        finally:
            self.lent -= keep
            if stays:
                self.kept.append((reader, writer))
            else:
                writer.close()

    async def connection(self, keep):
        """The kept connection unused for longest; a new one while there are too few of them, or none that is free."""
        self.lent += keep
        if keep and self.kept and len(self.kept) + self.lent > KEPT_CONNECTIONS:
            return self.kept.popleft()
        try:
            return await asyncio.open_connection(self.host, self.port)
        except BaseException:
            self.lent -= keep
            raise


def load(host, port, body, rate, limit):
    ended = threading.Event()

    def until_input_ends():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=until_input_ends, daemon=True).start()
    work = Load(host, port, body)
    sent, pace = asyncio.run(work.run(rate, limit, ended))
    for failure, count in work.failures.most_common(FAILURES_TOLD):
        print(f"client: {count} × {failure}", file=sys.stderr)
    times = sorted(work.milliseconds)
    percentiles = (times[int((len(times) - 1) * share)] for share in (0.5, 0.999, 1))
    print(sent, sum(work.failures.values()), round(pace), *(f"{time:.1f}" for time in percentiles))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("ask", "load"):
        command = commands.add_parser(name)
        command.add_argument("host")
        command.add_argument("port", type=int)
    commands.choices["ask"].add_argument("path")
    commands.choices["ask"].add_argument("fields", nargs="*")
    commands.choices["load"].add_argument("body")
    commands.choices["load"].add_argument("--rate", type=int, required=True)
    commands.choices["load"].add_argument("--limit", type=int, required=True)
    arguments = vars(parser.parse_args())
    {"ask": ask, "load": load}[arguments.pop("command")](**arguments)


main()

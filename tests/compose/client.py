#!/usr/bin/env python3
"""The client of tests/compose/run: Python's standard library only, so that it runs wherever Docker does.

    client.py ask HOST PORT PATH ['Name: value' ...]
        One GET. Prints the address and port that it was sent from, the status and the content's first line, with spaces between.

    client.py load HOST PORT BODY --rate R --limit SECONDS
        Sends R requests a second for `/` until standard input ends, or for SECONDS at the most. Half of them go over 50
        connections that are kept, half over one connection each. Prints: sent, failed, sent per second, and the 50th, the
        99.9th and the last percentile of the time to answer in milliseconds. The commonest failures are told on standard error.

Each request is counted once and none is ever sent again. It failed unless a 200 with exactly BODY was read within two seconds of
the moment it was due. That moment is fixed before: a slow server does not slow the pace down and so hide what it does.
A kept connection is not looked at before it is used: if it was closed meanwhile, the request has failed.
"""

import argparse
import collections
import http.client
import selectors
import socket
import sys
import threading
import time

KEPT_CONNECTIONS = 50
ANSWER_WITHIN_SECONDS = 2
FAILURES_TOLD = 5
RECEIVE_BYTES = 65536

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8\r\n"


def ask(host, port, path, fields):
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.connect()
    address, local_port = connection.sock.getsockname()[:2]
    connection.putrequest("GET", path)
    for field in ["User-Agent: curl/8", *fields]:
        connection.putheader(*field.split(": ", 1))
    connection.endheaders()
    response = connection.getresponse()
    print(address, local_port, response.status, response.read().decode().split("\n")[0])


class Connection:
    """A socket with at most one request under way."""

    def __init__(self, address, keep):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.keep = keep
        self.due = 0  # moment of the request under way
        self.sent = False
        self.received = b""

    def send(self):
        self.socket.send(REQUEST + (b"\r\n" if self.keep else b"Connection: close\r\n\r\n"))
        self.sent = True

    def receive(self):
        """The head and the body of the answer, or None as long as it is not complete."""
        data = self.socket.recv(RECEIVE_BYTES)
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        head = head.lower()
        if found and len(body) >= int(head.split(b"content-length:")[1].split(b"\r\n")[0]):
            self.sent, self.received = False, b""
            return head, body
        if not data:
            raise ConnectionError(f"closed after {len(self.received)} bytes")
        return None


class Load:
    """One thread and no coroutines: the client shares its machine's cores with what it measures."""

    def __init__(self, host, port, body):
        self.address = (host, port)
        self.body = body.encode() + b"\n"
        self.selector = selectors.DefaultSelector()
        self.idle = collections.deque()
        self.busy = {}  # connection → None, in the order in which their requests were due
        self.kept = 0  # connections, idle or busy, that are to be kept
        self.milliseconds = []
        self.failures = collections.Counter()

    def run(self, rate, limit, ended):
        """Begins a request at each due moment, whatever became of those before; then waits for the last answers."""
        start = now = time.monotonic()
        sent = 0
        while True:
            going_on = sent < rate * limit and not ended.is_set()
            if not going_on and not self.busy:
                return sent, sent / elapsed
            while going_on and start + sent / rate <= now:
                self.begin(start + sent / rate, keep=sent % 2 == 0)
                sent += 1
                elapsed = now - start
            for key, _ in self.selector.select(max(0, start + sent / rate - now) if going_on else 0.05):
                self.drive(key.data)
            now = time.monotonic()
            self.expire(now)

    def begin(self, due, keep):
        connection = self.take() if keep else Connection(self.address, keep)
        connection.due = due
        self.busy[connection] = None
        # Writable once it is connected, which a kept one is already.
        self.selector.register(connection.socket, selectors.EVENT_WRITE, connection)

    def take(self):
        """The kept connection unused for longest; a new one while there are too few of them, or none that is free."""
        if self.idle and self.kept >= KEPT_CONNECTIONS:
            return self.idle.popleft()
        self.kept += 1
        return Connection(self.address, True)

    def drive(self, connection):
        try:
            if connection.sent:
                self.judge(connection, connection.receive())
            else:
                connection.send()
                self.selector.modify(connection.socket, selectors.EVENT_READ, connection)
        except Exception as failure:  # whatever it is, the request was not answered
            self.fail(connection, repr(failure))

    def judge(self, connection, answer):
        if answer is None:
            return
        head, body = answer
        if not head.startswith(b"http/1.1 200 ") or body != self.body:
            raise ValueError(head.split(b"\r\n")[0] + b" " + body)
        self.end(connection, connection.keep and b"connection: close" not in head)

    def expire(self, now):
        while self.busy:
            oldest = next(iter(self.busy))
            if now < oldest.due + ANSWER_WITHIN_SECONDS:
                return
            self.fail(oldest, f"no answer within {ANSWER_WITHIN_SECONDS} s")

    def fail(self, connection, reason):
        self.failures[f"{'kept' if connection.keep else 'fresh'}: {reason}"] += 1
        self.end(connection, False)

    def end(self, connection, stays):
        self.milliseconds.append((time.monotonic() - connection.due) * 1000)
        del self.busy[connection]
        self.selector.unregister(connection.socket)
        if stays:
            self.idle.append(connection)
        else:
            self.kept -= connection.keep
            connection.socket.close()


def load(host, port, body, rate, limit):
    ended = threading.Event()

    def until_input_ends():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=until_input_ends, daemon=True).start()
    work = Load(host, port, body)
    sent, pace = work.run(rate, limit, ended)
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

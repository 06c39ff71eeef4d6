#!/usr/bin/env python3
"""The client of tests/compose/run: Python's standard library only, so that it runs wherever Docker does.

    client.py ask HOST PORT PATH ['Name: value' ...] [--times N] [--at-a-time M]
        One GET, or N, each on a connection of its own; M of them are sent before the first of those answers is read. Prints for each
        the address and port that it was sent from, the status and the content's first line, with spaces between.

    client.py load HOST PORT BODY --rate R --limit SECONDS [--patience SECONDS]
        Sends R requests a second for `/` until standard input ends, or for --limit at the most. Half of them go over 50
        connections that are kept, half over one connection each. The most frequent failures are reported on standard error.

    client.py most HOST PORT BODY --limit SECONDS
        Asks as fast as 64 requests at a time are answered, half of them over kept connections.

`load` and `most` print: sent, answered, refused, failed; sent per second; the 50th, the 99.9th and the last percentile of the
time to an answer in milliseconds; and the worst delay of this client itself in milliseconds.

Each request is counted once and none is ever sent again. It was answered if a 200 with exactly BODY was read within the patience,
2 seconds unless told otherwise, of the moment it was due; refused if that was a 503; else it failed. The moment is fixed in
advance: a slow server does not slow the pace down and so hide what it does. A kept connection is not looked at before it is
used: if it was closed meanwhile, the request has failed.
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
AT_A_TIME = 256
PATIENCE_SECONDS = 2
FAILURES_TOLD = 5
RECEIVE_BYTES = 65536

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8\r\n"


def ask(host, port, path, fields, times, at_a_time):
    while times > 0:
        connections = [http.client.HTTPConnection(host, port, timeout=5) for _ in range(min(times, at_a_time))]
        times -= len(connections)
        # Connected before the first is sent, so that they are sent at the same moment.
        for connection in connections:
            connection.connect()
        for connection in connections:
            send(connection, path, fields)
        for connection in connections:
            tell(connection)


def send(connection, path, fields):
    connection.putrequest("GET", path)
    for field in ["User-Agent: curl/8", *fields]:
        connection.putheader(*field.split(": ", 1))
    connection.endheaders()


def tell(connection):
    address, port = connection.sock.getsockname()[:2]
    response = connection.getresponse()
    print(address, port, response.status, response.read().decode().split("\n")[0])
    connection.close()


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

    def __init__(self, host, port, body, patience):
        self.address = (host, port)
        self.body = body.encode() + b"\n"
        self.patience = patience
        self.selector = selectors.DefaultSelector()
        self.idle = collections.deque()
        self.busy = {}  # connection → None, in the order in which their requests were due
        self.kept = 0  # connections, idle or busy, that are to be kept
        self.sent = 0
        self.refused = 0
        self.milliseconds = []  # of each request that was answered
        self.failures = collections.Counter()
        self.lag = 0  # the longest that a request waited for this client itself, in seconds

    def run(self, rate, limit, ended):
        """Begins a request at each due moment, whatever became of those before; then waits for the last answers."""
        start = now = time.monotonic()
        while True:
            going_on = self.sent < rate * limit and not ended.is_set()
            if not going_on and not self.busy:
                return self.sent / elapsed if self.sent else 0
            while going_on and (due := start + self.sent / rate) <= now:
                self.begin(due)
                elapsed = now - start
                self.lag = max(self.lag, now - due)
            self.drive_all(max(0, start + self.sent / rate - now) if going_on else 0.05)
            now = time.monotonic()
            self.expire(now)

    def run_at_most(self, limit):
        """Begins a request when another has ended."""
        start = now = time.monotonic()
        while now < start + limit or self.busy:
            while now < start + limit and len(self.busy) < AT_A_TIME:
                self.begin(now)
            self.drive_all(0.05)
            now = time.monotonic()
            self.expire(now)
        return self.sent / (now - start)

    def begin(self, due):
        keep = self.sent % 2 == 0
        self.sent += 1
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

    def drive_all(self, seconds):
        for key, _ in self.selector.select(seconds):
            self.drive(key.data)

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
        if head.startswith(b"http/1.1 503 "):
            self.refused += 1
        elif not head.startswith(b"http/1.1 200 ") or body != self.body:
            raise ValueError(head.split(b"\r\n")[0] + b" " + body)
        else:
            self.milliseconds.append((time.monotonic() - connection.due) * 1000)
        self.end(connection, connection.keep and b"connection: close" not in head)

    def expire(self, now):
        while self.busy:
            oldest = next(iter(self.busy))
            if now < oldest.due + self.patience:
                return
            self.fail(oldest, f"no answer within {self.patience} s")

    def fail(self, connection, reason):
        self.failures[f"{'kept' if connection.keep else 'fresh'}: {reason}"] += 1
        self.end(connection, False)

    def end(self, connection, stays):
        del self.busy[connection]
        self.selector.unregister(connection.socket)
        if stays:
            self.idle.append(connection)
        else:
            self.kept -= connection.keep
            connection.socket.close()

    def tell(self, pace):
        for failure, count in self.failures.most_common(FAILURES_TOLD):
            print(f"client: {count} × {failure}", file=sys.stderr)
        times = sorted(self.milliseconds) or [0]
        percentiles = (times[int((len(times) - 1) * share)] for share in (0.5, 0.999, 1))
        counts = self.sent, len(self.milliseconds), self.refused, sum(self.failures.values())
        print(*counts, round(pace), *(f"{time:.1f}" for time in percentiles), round(self.lag * 1000))


def load(host, port, body, rate, limit, patience):
    ended = threading.Event()

    def until_input_ends():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=until_input_ends, daemon=True).start()
    work = Load(host, port, body, patience)
    work.tell(work.run(rate, limit, ended))


def most(host, port, body, limit):
    work = Load(host, port, body, PATIENCE_SECONDS)
    work.tell(work.run_at_most(limit))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("ask", "load", "most"):
        command = commands.add_parser(name)
        command.add_argument("host")
        command.add_argument("port", type=int)
    commands.choices["ask"].add_argument("path")
    commands.choices["ask"].add_argument("fields", nargs="*")
    commands.choices["ask"].add_argument("--times", type=int, default=1)
    commands.choices["ask"].add_argument("--at-a-time", type=int, default=1)
    for name in ("load", "most"):
        commands.choices[name].add_argument("body")
        commands.choices[name].add_argument("--limit", type=int, required=True)
    commands.choices["load"].add_argument("--rate", type=int, required=True)
    commands.choices["load"].add_argument("--patience", type=float, default=PATIENCE_SECONDS)
    arguments = vars(parser.parse_args())
    {"ask": ask, "load": load, "most": most}[arguments.pop("command")](**arguments)


main()

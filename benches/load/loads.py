"""The loads: who asks how, and what came of it."""

import json
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
CURL = ["User-Agent: curl/8.5.0", "Accept: */*"]
# Chrome's, as in benches/requests.
BROWSER = [
    "Cache-Control: max-age=0",
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9",
    "Connection: keep-alive",
]
HAPROXY = CURL + ["X-Forwarded-For: 6.6.6.6, 203.0.113.9", "X-Forwarded-Proto: https"]


class Load:
    """One kind of load, by one of the two tools."""

    def __init__(self, description, tool, path="/", fields=CURL, connections=64, depth=1, close=False, pace=None):
        self.description, self.tool, self.path = description, tool, path
        self.fields, self.connections = fields, connections
        self.depth, self.close, self.pace = depth, close, pace

    def is_possible(self):
        return shutil.which(self.tool) is not None

    def run(self, port, seconds, cpu, rate=None):
        """Requests, seconds, errors, and the latencies p50, p99 and p99.9 in microseconds. `rate`: requests a second."""
        argv = self.wrk(seconds) if self.tool == "wrk" else self.oha(seconds)
        for field in self.fields:
            argv += ["-H", field]
        argv += [f"http://127.0.0.1:{port}{self.path}"]
        if self.tool == "wrk":
            argv += ["--", str(self.depth)] + ([f"{1000 * self.connections / rate:.3f}"] if rate else [])
        pin = lambda: os.sched_setaffinity(0, {cpu})
        done = subprocess.run(argv, preexec_fn=pin, capture_output=True, text=True, timeout=seconds + 30)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(argv)}: {done.stderr or done.stdout}")
        return wrk_result(done.stdout) if self.tool == "wrk" else oha_result(done.stdout)

    def wrk(self, seconds):
        close = ["-H", "Connection: close"] if self.close else []
        return ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "-s", f"{HERE}/wrk.lua"] + close

    def oha(self, seconds):
        close = ["--disable-keepalive"] if self.close else []
        return ["oha", "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-w", "-c", str(self.connections)] + close


def wrk_result(output):
    return json.loads(re.search(r"^\{.*\}$", output, re.MULTILINE)[0])


def oha_result(output):
    result = json.loads(output)
    codes, errors = result["statusCodeDistribution"], result["errorDistribution"]
    bad = sum(count for code, count in codes.items() if code != "200") + sum(errors.values())
    quantile = {name: (result["latencyPercentiles"][name] or 0) * 1e6 for name in ("p50", "p99", "p99.9")}
    return {"requests": sum(codes.values()), "seconds": result["summary"]["total"], "errors": bad} | quantile


WORKLOADS = {
    "keep-alive": Load("64 connections, curl's fields", "wrk"),
    "close": Load("a connection for each request, which asks for the close", "wrk", close=True),
    "curl": Load("a connection for each request, which the client closes", "oha", close=True),
    "bare": Load("64 connections, no fields but Host", "wrk", fields=[]),
    "browser": Load("64 connections, Chrome's fields, /ip", "wrk", path="/ip", fields=BROWSER),
    "proxied": Load("64 connections, HAProxy's fields, its word taken", "wrk", fields=HAPROXY),
    "pipelined": Load("64 connections, 16 requests in a write", "wrk", depth=16),
    "single": Load("1 connection", "wrk", connections=1),
    "half": Load("640 connections, paced at half of what nginx carries", "wrk", connections=640, pace=0.5),
    "most": Load("640 connections, paced at four fifths of what nginx carries", "wrk", connections=640, pace=0.8),
}

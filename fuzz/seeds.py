#!/usr/bin/env python3
"""Writes the seed corpora, fuzz/seeds/TARGET/NAME, from the rows below. Run it after changing them, and commit what it wrote."""

import pathlib
import re
import shutil
import struct

CURL = b"Host: a\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
FIREFOX = (
    b"Host: example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\nDNT: 1\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n"
    b"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nCookie: a=\"b\"; \xc3\xa9\r\n"
)


def request(line=b"GET / HTTP/1.1", fields=b"Host: a\r\n", content=b""):
    return line + b"\r\n" + fields + b"\r\n" + content


def post(fields, content=b""):
    return request(b"POST / HTTP/1.1", b"Host: a\r\n" + fields, content)


def chunked(content):
    return post(b"Transfer-Encoding: chunked\r\n", content)


PATHS = ["/", "/ip", "/port", "/json", "/all", "/headers", "/headers/host", "/user-agent", "/%41ccept", "/replica", "/explain", "/health",
         "/readyz", "/favicon.ico", "/robots.txt", "/openapi.json", "/a/b", "/?format=json", "/?format=html&a"]

ANSWERED = {
    **{"get" + re.sub(r"\W", "_", path): request(f"GET {path} HTTP/1.1".encode(), CURL) for path in PATHS},
    "browser": request(fields=FIREFOX),
    "browser_all": request(b"GET /all HTTP/1.1", FIREFOX + b"Cookie: c\r\nX-A: \xff\r\n"),
    "proxied": request(fields=CURL + b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"),
    "no_fields": request(),
    "head": request(b"HEAD /all HTTP/1.1", CURL),
    "options": request(b"OPTIONS * HTTP/1.1"),
    "absolute": request(b"GET http://b:80/ip?a HTTP/1.1"),
    "connect": request(b"CONNECT a:443 HTTP/1.1"),
    "delete": request(b"DELETE / HTTP/1.1"),
    "unknown_method": request(b"get / HTTP/1.1"),
    "close": request(fields=CURL + b"Connection: close\r\n"),
    "version_1_0": request(b"GET / HTTP/1.0", b""),
    "version_1_0_keep": request(b"GET / HTTP/1.0", b"Connection: Keep-Alive\r\n"),
    "version_1_9": request(b"GET / HTTP/1.9", CURL),
    "leading_lines": b"\r\n\r\n" + request(fields=CURL),
    "not_modified": request(b"GET /robots.txt HTTP/1.1", b"Host: a\r\nIf-None-Match: *\r\n"),
    "powershell": request(fields=b"Host: a\r\nUser-Agent: Mozilla/5.0 (Windows NT; en-US) WindowsPowerShell/5.1.1\r\n"),
    "content": post(b"Content-Length: 5\r\n", b"hello"),
    "chunks": chunked(b"5;a=b;c=\"d\\\"\"\r\nhello\r\n0\r\nA: b\r\n\r\n"),
    "content_beyond": post(b"Content-Length: 65537\r\n"),
    "expect": post(b"Content-Length: 5\r\nExpect: 100-continue\r\n"),
}

PIPELINES = {
    "pipeline_16": 16 * request(fields=CURL),
    "pipeline_mixed": request(fields=CURL)
    + request(b"HEAD /ip HTTP/1.1")
    + post(b"Content-Length: 5\r\n", b"GET /")
    + request(b"GET /json HTTP/1.1", FIREFOX)
    + request(b"OPTIONS / HTTP/1.1"),
    "pipeline_alike": request(fields=CURL)
    + request(b"GET /user-agent HTTP/1.1", CURL)
    + request(b"GET http://b/host HTTP/1.1", CURL)
    + request(b"HEAD /host HTTP/1.1", CURL),
    "pipeline_chunks": chunked(b"3\r\nabc\r\n0\r\n\r\n") + request(b"GET /all HTTP/1.1", CURL),
    "pipeline_closed": request(fields=b"Host: a\r\nConnection: close\r\n") + request(),
    "pipeline_refused": request(fields=CURL) + b"\r\nGET / HTTP/1.1\n",
    "pipeline_half": request(fields=CURL) + b"GET / HT",
}

# By the name of the refusal in src/http/refusal.rs.
REFUSED = {
    "BARE_LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "BARE_CR": b"GET / HTTP/1.1\rHost: a\r\n\r\n",
    "LEADING_LINES": 9 * b"\r\n" + request(),
    "METHOD": b"\x16\x03\x01\x02\x00\x01",
    "PROXY_HEADER": b"PROXY TCP4 203.0.113.9 127.0.0.1 54321 80\r\n",
    "TARGET_FORM": request(b"GET example.org HTTP/1.1"),
    "TARGET_BYTE": request(b"GET /a#b HTTP/1.1"),
    "VERSION_FORM": request(b"GET / HTTP/1.10"),
    "VERSION": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "FIELD_NAME": request(fields=b"Host: a\r\n: b\r\n"),
    "FIELD_SPACE": request(fields=b"Host : a\r\n"),
    "FIELD_COLON": request(fields=b"Host\r\n"),
    "FIELD_FOLDED": request(fields=b"Host: a\r\nA: b\r\n c\r\n"),
    "FIELD_VALUE": request(fields=b"Host: a\r\nA: \x00\r\n"),
    "HOST_MISSING": request(fields=b""),
    "HOST_REPEATED": request(fields=b"Host: a\r\nHost: a\r\n"),
    "HOST": request(fields=b"Host: a:65536\r\n"),
    "CONTENT_LENGTH": post(b"Content-Length: 18446744073709551616\r\n"),
    "FRAMING": post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "CODING_VERSION": request(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked\r\n"),
    "CODING_FORM": post(b"Transfer-Encoding: gzip\r\n"),
    "CODING": post(b"Transfer-Encoding: gzip, chunked\r\n"),
    "EXPECTATION": post(b"Expect: a\r\nContent-Length: 1\r\n"),
    "CHUNK_SIZE": chunked(b"g\r\n"),
    "CHUNK_EXTENSION": chunked(b"1;\r\n"),
    "CHUNK_END": chunked(b"1\r\nab\r\n"),
    "CONTENT_CUT": post(b"Content-Length: 5\r\n", b"hell"),
    "HEAD_CUT": b"GET / HTTP/1.1\r\nHost",
    "TIMEOUT": b"GET / HTTP/1.1\r\nHost: ",
    "TARGET_LONG": b"GET /" + 16400 * b"a",
    "FIELDS_LARGE": request(fields=101 * b"a:\r\n"),
    "HEAD_ENDLESS": 16400 * b"a",
}

TARGETS = ["GET /", "GET /a/b?c=d?e", "GET /%41", "GET http://a", "GET HTTPS://a:80/b?c", "GET http://[::1]:8080?a", "OPTIONS *", "GET *", "CONNECT a:443",
           "CONNECT [v1.a]:0", "CONNECT a:", "PRI *", "GET a", "GET //a", "GET http://u@a/", "GET http:///", "GET /#a", "GET %61:1", "GET a:65536",
           "GET [::ffff:1.2.3.4]:00080", "GET [v1f.a:b]", "GET a,b", "GET %6", "GET a:+1"]

ACCEPTS = ["", "*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json", "text/plain;q=0.5, application/json;q=0.50",
           "text/html;q=0", "TEXT/HTML ; Q=1.000", "text/html;q=1.001", "text/html;q=0.1234", "text/html;q=.5", "text/html;q=0.",
           'text/html;a="b,c;q=0\\"";q=0.3, text/plain;q=0.2', "text/plain\napplication/json;q=0.9", ",, text/plain ,", "text/html;q=a;q=1"]

VALUES = [b"", b"curl/8.5.0", b'a "b" \\c', b"\t \x00\x1f\x7f", "é€😀".encode(), b"\xe9\xff\x80", b"\xc3", b"</script>", b"\xed\xa0\x80"]

CHUNKS = [b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"1;a\r\nx\r\n0;b=c;d\r\n\r\nGET /", b'1; a = "b\\"c;" ; d\r\nx\r\n0\r\n\r\n', b"0\r\nA: b\r\nC:\r\n\r\n",
          b"0000000000000001\r\nx\r\n0\r\n\r\n", b"00000000000000001\r\n", b"10001\r\n", b"ffffffffffffffff\r\n", b"0000fffffffffffffffff\r\n", b"1 \r\n", b"1 \t;a\r\nx\r\n0 ;b\r\n\r\n", b"1;a \r\n", b"1\r\nxy",
          b"0\r\n a: b", b"0\r\na: \x00", b"0\r\n" + 101 * b"a:\r\n", b"2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", b"1\n", b"1;a=\r\n", b"1\r\nx\n"]


FORWARDED = ["6.6.6.6, 203.0.113.9", "6.6.6.6\n203.0.113.9:54321", "[2001:db8::1]:80, 10.0.0.2,,192.168.0.1", "unknown, 10.0.0.2", "203.0.113.9, _hidden", "",
             "::ffff:203.0.113.9", "fe80::1%eth0", "for=203.0.113.9;proto=https", 'For="[2001:db8::1]:4711", for=10.0.0.2', 'for="', "for=unknown;by=10.0.0.1",
             'for="203.0.113.9:_a";host="a,b\\""', "by=10.0.0.1", "for=10.0.0.2, for=10.0.0.3;for=1.2.3.4", "10.0.0.2, 10.0.0.3"]

V2 = b"\r\n\r\n\x00\r\nQUIT\n"

PROXIED = {
    "line_4": b"PROXY TCP4 203.0.113.9 127.0.0.1 54321 80\r\n",
    "line_6": b"PROXY TCP6 2001:db8::9 ::1 54321 80\r\n",
    "line_unknown": b"PROXY UNKNOWN\r\n",
    "line_unknown_more": b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    "local": V2 + b"\x20\x00\x00\x00",
    "tcp_4": V2 + b"\x21\x11\x00\x0c\xcb\x00\x71\x09\x7f\x00\x00\x01\xd4\x31\x00\x50",
    "udp_6": V2 + b"\x21\x22\x00\x24" + 36 * b"\x01",
    "vectors": V2 + b"\x21\x11\x00\x10\xcb\x00\x71\x09\x7f\x00\x00\x01\xd4\x31\x00\x50\x04\x00\x01\x00",
    "unix": V2 + b"\x21\x31\x00\xd8" + 216 * b"/",
    "bad_line": b"PROXY TCP4 203.0.113.9 127.0.0.1 054321 80\r\n",
    "bad_family": b"PROXY TCP5 a b 1 2\r\n",
    "bad_end": b"PROXY UNKNOWN \r\r\n",
    "bad_command": V2 + b"\x22\x11\x00\x00",
    "bad_version": V2 + b"\x11\x11\x00\x00",
    "too_short": V2 + b"\x21\x11\x00\x0b" + 11 * b"\x01",
    "too_long": V2 + b"\x21\x11\xff\xff",
    "missing": b"GET / HTTP/1.1\r\n",
}

# What the target `mmdb` takes: an address, how the tree is laid out, its nodes, and the bytes before the metadata. The tree has one
# node, of which either side leads to the first record.
MMDB_IPV6, MMDB_WHOLE = 64, 128
MMDB_NAMES = b"\xe2\x42de\x41B\x42en\x41C"
MMDB_AREA = b"\xe3\x45names" + MMDB_NAMES + b"\x48iso_code\x42DE\x54is_in_european_union\x01\x07"
MMDB_RECORDS = {
    "country": b"\xe1\x47country" + MMDB_AREA,
    "city": b"\xe4\x44city\xe1\x45names" + MMDB_NAMES + b"\x4csubdivisions\x02\x04" + 2 * MMDB_AREA
    + b"\x48location\xe2\x48latitude\x68" + struct.pack(">d", 52.5) + b"\x49longitude\x68" + struct.pack(">d", 13.4)
    + b"\x46postal\xe1\x44code\x4510117",
    "asn": b"\xe2\x58autonomous_system_number\xc2\xfb\xf4\x5d\x01autonomous_system_organization\x41A",
    "pointers": b"\xe2\x44city\x20\x08\xe1\x45names\x20\x10\xe1\x42en\x41A\x47country\x20\x00",
    "skipped": b"\xe2\x41a\xe1\x41b\x02\x04\xe0\x41c\x44city\xe0",
}


def databases():
    for name, record in MMDB_RECORDS.items():
        for number, (size, kind) in enumerate([(24, 0), (28, 1), (32, 2)]):
            side = (1 + 16).to_bytes(4, "big")
            node = {24: 2 * side[1:], 28: side[1:] + b"\0" + side[1:], 32: 2 * side}[size]
            yield f"{name}-{size}", 16 * b"\0" + bytes([kind | (MMDB_IPV6 if number else 0), 1]) + node + 16 * b"\0" + record
    yield "whole", 16 * b"\0" + bytes([MMDB_WHOLE, 0]) + b"\xab\xcd\xefMaxMind.com\xe0"


# Of whom a line of the access log is forged, or whose terminal is to obey.
FORGERIES = {
    "quotes": request(b"GET /?\" HTTP/1.1", b"Host: a\r\nReferer: \" \\\" \"-\r\nUser-Agent: \"\r\n"),
    "escapes": request(b"GET /\x1b[31m HTTP/1.1"),
    "fields": request(fields=b"Host: a\r\nUser-Agent: \xe2\x80\xa8\xc2\x85\xff\r\nReferer: \xf0\x9f\x98\x80\r\n"),
    "long": request(b"GET /" + 2100 * b"a" + b" HTTP/1.1", b"Host: a\r\nUser-Agent: " + 600 * b"\xe9" + b"\r\n"),
    "no_host": request(fields=b"User-Agent: \"\\\r\nReferer: b\r\n"),
}

FALLS_SILENT, BEGINS_WITH_PROXY, IS_TRUSTED = 1, 2, 4

PTR, CNAME, A, AAAA = 12, 5, 1, 28

# What was asked for: 9.113.0.203.in-addr.arpa, after the header; and names that stand for it, or are beside it.
ASKED, BESIDE, LABEL, TARGET = b"\xc0\x0c", b"\x010\xc0\x0c", b"\x01a\x07example\x00", b"\xc0\x0e"


def record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, 9, len(data)) + data


def reply(asked, flags, *records):
    """What the target `dns` takes: what was asked for, the flags, how many records there are, and they."""
    return bytes([[PTR, A, AAAA].index(asked)]) + struct.pack("!HB", flags, len(records)) + b"".join(records)


REPLIES = {
    "ptr": reply(PTR, 0x0180, record(ASKED, PTR, LABEL)),
    "ptr_two": reply(PTR, 0x0180, record(ASKED, PTR, LABEL), record(ASKED, PTR, b"\x01b" + TARGET)),
    "ptr_alias": reply(PTR, 0x0180, record(ASKED, CNAME, BESIDE), record(BESIDE, PTR, LABEL)),
    "alias_loop": reply(PTR, 0x0180, record(ASKED, CNAME, BESIDE), record(BESIDE, CNAME, ASKED)),
    "a": reply(A, 0x0180, record(ASKED, A, bytes([203, 0, 113, 9])), record(ASKED, A, bytes(4))),
    "aaaa": reply(AAAA, 0x0180, record(ASKED, AAAA, bytes(16))),
    "none": reply(PTR, 0x0183),
    "truncated": reply(PTR, 0x0380, record(ASKED, PTR, LABEL)),
    "long": reply(PTR, 0x0180, record(ASKED, PTR, 4 * (b"\x3f" + 63 * b"a") + b"\x00")),
    "longest": reply(PTR, 0x0180, record(ASKED, PTR, 3 * (b"\x3f" + 63 * b"a") + b"\x3d" + 61 * b"a" + b"\x00")),
    "pointer_loop": reply(PTR, 0x0180, record(b"\xc0\x2a", PTR, LABEL)),
    "other": reply(PTR, 0x0180, record(ASKED, 16, b"\x01a"), record(ASKED, PTR, LABEL)),
    "whole": b"\x04\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x019\x03113\x010\x03203\x07in-addr\x04arpa\x00\x00\x0c\x00\x01"
    + record(ASKED, PTR, LABEL),
}


def connection(head, kind):
    """What the target `exchange` takes: two lengths of pieces less 1 (single bytes, where they are not too many), and the kind."""
    lengths = b"\x00\x00" if len(head) < 1024 else b"\xff\xff"
    return lengths + bytes([kind]) + head


def numbered(values):
    return {f"{index:02}": value.encode() if isinstance(value, str) else value for index, value in enumerate(values)}


HEADS = ANSWERED | PIPELINES | REFUSED

# Those of the requests that cost most (benches/requests/worst.py) that are small: with many of 16 KiB the fuzzer sees too little.
WORST_MAX = 2048
WORST_FILES = sorted((pathlib.Path(__file__).parent.parent / "benches/requests/worst").iterdir())
WORST = {path.name: path.read_bytes() for path in WORST_FILES if path.stat().st_size <= WORST_MAX}

SEEDS = {
    "request": HEADS,
    "exchange": {name: connection(head, FALLS_SILENT if name == "TIMEOUT" else 0) for name, head in HEADS.items()}
    | {f"worst-{name}": connection(head, 0) for name, head in WORST.items()}
    | {f"proxy_{name}": connection(header + request(fields=CURL), BEGINS_WITH_PROXY) for name, header in PROXIED.items()},
    "access_log": {name: bytes([FALLS_SILENT if name == "TIMEOUT" else 0]) + head for name, head in (REFUSED | FORGERIES).items()}
    | {name: bytes([IS_TRUSTED]) + ANSWERED[name] for name in ["browser_all", "proxied", "head", "content", "get_health"]}
    | {f"proxy_{name}": bytes([BEGINS_WITH_PROXY | IS_TRUSTED]) + PROXIED[name] + request(fields=CURL) for name in ["line_6", "line_unknown"]},
    "target": numbered(TARGETS),
    "accept": numbered(ACCEPTS),
    "escape": numbered(VALUES),
    "forwarded": numbered(FORWARDED),
    "proxy": {name: header + request() for name, header in PROXIED.items()},
    "mmdb": dict(databases()),
    "chunked": numbered(b"\x03" + chunks for chunks in CHUNKS),
    "dns": REPLIES,
}

if __name__ == "__main__":
    directory = pathlib.Path(__file__).parent / "seeds"
    shutil.rmtree(directory, ignore_errors=True)
    for target, seeds in SEEDS.items():
        (directory / target).mkdir(parents=True)
        for name, seed in seeds.items():
            (directory / target / name).write_bytes(seed)

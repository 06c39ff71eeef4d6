#!/usr/bin/env python3
"""Writes the worst requests known, benches/requests/worst/NAME, from the rows below; what the search found (found-…) stays.

Run it after changing them, commit what it wrote, and run fuzz/seeds.py, which takes them over. Each row fills a head of 16 KiB in the way
that costs most somewhere: what is escaped, what is compared, what is walked, what is counted."""

import pathlib

HEAD_MAX = 16 * 1024
FIELDS_MAX = 100


def request(target, fields=b"", method=b"GET", host=b"a", version=b"1.1"):
    return method + b" " + target + b" HTTP/" + version + b"\r\nHost: " + host + b"\r\n" + fields + b"\r\n"


def filled(target, start, fill, end=b"\r\n", **more):
    """A field that begins with `start` and is filled up."""
    room = HEAD_MAX - len(request(target, start + end, **more))
    return request(target, start + (fill * room)[: room // len(fill) * len(fill)] + end, **more)


def many(target, name, value=b"", length=None, fields=b"", **more):
    """As many fields as may be, of names that differ in their last bytes; as long as the head has room."""
    count = FIELDS_MAX - 1 - fields.count(b"\r\n")
    room = (HEAD_MAX - len(request(target, fields, **more))) // count - len(b":\r\n")
    room = min(room, length or room)
    value = value * ((room - len(name) * (1 if value else 0) - 2) // max(len(value), 1)) if value else b""
    stem = name if value else (name * room)[: room - 2]
    return request(target, fields + b"".join(stem + b"%02d:" % index + value + b"\r\n" for index in range(count)), **more)


AGENT = b"User-Agent: "
ACCEPT_JSON, ACCEPT_TEXT, ACCEPT_HTML = (b"Accept: " + name + b"\r\n" for name in (b"application/json", b"text/plain", b"text/html"))
HOSTS = b"!" * 255
LATIN = b"\xff"
TURNS = "\u061c".encode()
HOP = b"10.0.0.1,"

PAGE = {
    "page-host": many(b"/?format=html", b"x", length=3, host=HOSTS),
    "page-host-long": many(b"/?format=html", b"x", length=3, host=b"a" * 255),
    "page-quotes": filled(b"/?format=html", b"a:", b'"'),
    "page-quotes-of-browsers": filled(b"/?format=html", b"cookie:", b'"'),
    "page-ampersands": filled(b"/?format=html", b"a:", b"&"),
    "page-latin": filled(b"/?format=html", b"a:", LATIN),
    "page-turns": filled(b"/?format=html", b"a:", TURNS),
    "page-names": many(b"/?format=html", b"'", host=b"a" * 255),
    "page-names-of-browsers": many(b"/?format=html", b"sec-"),
    "page-values": many(b"/?format=html", b"x", b'"', host=b"a" * 255),
    "page-values-of-browsers": many(b"/?format=html", b"sec-", b'"'),
    "page-lines": request(b"/?format=html", b"sec-a:\xff\r\n" * 99),
    "page-short": many(b"/?format=html", b"x", length=3),
    "page-short-of-browsers": many(b"/?format=html", b"sec-", length=6),
    "page-hops": filled(b"/?format=html", b"x-forwarded-for:", HOP),
    "page-accept": filled(b"/", b"Accept: text/html", b","),
}

JSON = {
    f"{path.decode()}-{name}": filled(b"/" + path, AGENT if path == b"json" else b"a:", fill)
    for path in (b"json", b"all", b"headers")
    for name, fill in (("quotes", b'"'), ("latin", LATIN), ("tabs", b"a\t\t"), ("plain", b"a"), ("utf-8", "é".encode()), ("nearly-utf-8", b"\xf0\x9f\x98"))
} | {
    "all-names": many(b"/all", b"a"),
    "all-names-of-hyphens": many(b"/all", b"-"),
    "all-short": many(b"/all", b"x", length=3),
    "all-text-names": many(b"/all", b"a", fields=ACCEPT_TEXT),
    "all-text-short": many(b"/all", b"x", length=3, fields=ACCEPT_TEXT),
    "all-values": many(b"/all", b"x", b'"'),
    "all-lines": request(b"/all", b"a:\xff\r\n" * 99),
    "headers-names": many(b"/headers", b"a"),
    "headers-short": many(b"/headers", b"x", length=3),
}

EXPLAIN = {
    f"explain{kind}-{name}": filled(b"/explain", accept + field, fill)
    for kind, accept in (("", b""), ("-json", ACCEPT_JSON))
    for name, field, fill in (
        ("hops", b"x-forwarded-for:", HOP),
        ("short", b"x-forwarded-for:", b"::,"),
        ("bad", b"x-forwarded-for:", b"1,"),
        ("quotes", b"x-forwarded-for:", b'"""""""",'),
        ("commas", b"x-forwarded-for:", b","),
        ("one", b"x-forwarded-for:", b'"'),
        ("forwarded", b"forwarded:", b"for=10.0.0.1,"),
        ("forwarded-elements", b"forwarded:", b"a=b,"),
        ("forwarded-semicolons", b"forwarded:", b";"),
        ("forwarded-pairs", b"forwarded:", b"f=b;"),
        ("forwarded-names", b"forwarded:", b"for=b;"),
        ("forwarded-commas", b"forwarded:", b","),
        ("forwarded-escapes", b"forwarded:", b'a="' + b'\\"' * 20 + b'",'),
        ("forwarded-quotes", b"forwarded:", b'a="",'),
    )
} | {
    "explain-lines": request(b"/explain", b"x-forwarded-for:10.0.0.1\r\n" * 99),
    "explain-forwarded-lines": request(b"/explain", (b"forwarded:" + b"a=b," * 38 + b"\r\n") * 99),
    "explain-forwarded-open": filled(b"/explain", b'forwarded:a="', b'\\"'),
    "explain-zones": filled(b"/explain", b"x-forwarded-for:", b"fe80::1%" + b"z" * 240 + b","),
    "root-hops": filled(b"/", b"x-forwarded-for:", HOP),
    "root-forwarded": filled(b"/", b"forwarded:", b"for=10.0.0.1,"),
    "root-protos": filled(b"/", b"x-forwarded-proto:", b","),
}

TEXT = {
    f"agent-{name}": filled(b"/ip", AGENT, fill) for name, fill in (("p", b"P"), ("powershell", b"PowerShell"), ("windows", b"WindowsPowerShel"))
} | {
    "root-agent": filled(b"/", AGENT, b"P"),
    "root-accept-elements": filled(b"/", b"Accept: ", b"a,"),
    "root-accept-types": filled(b"/", b"Accept: ", b"text/html;q=0,"),
    "page-accept-parameters": filled(b"/", b"Accept: text/html", b";"),
    "page-accept-quotes": filled(b"/", b"Accept: text/html;a=", b'"",'),
    "root-accept-lines": request(b"/", b"Accept: text/plain;q=0.001\r\n" * 99),
    "root-formats": filled(b"/?" + b"&" * 8000, b"a:", b"a"),
    "field": filled(b"/a", b"a:", b"a"),
    "field-lines": request(b"/a", b"a:\r\n" * 99),
    "field-names": many(b"/" + b"a" * 80 + b"%61" * 20, b"a", length=100),
    "field-encoded": request(b"/" + b"%61" * 5300, b"a:\r\n" * 99),
    "field-plain": request(b"/" + b"a" * 15900, b"a:\r\n" * 99),
    "field-encoded-names": many(b"/headers/" + b"%61" * 38 + b"%30%30", b"a", length=40, fields=b"b:" + b"b" * 9000 + b"\r\n"),
    "path-slashes": request(b"/" * 16000),
    "path-headers": request(b"/headers/" + b"/" * 16000),
    "static-etags": filled(b"/openapi.json", b"If-None-Match: ", b"a,"),
    "static-etag-commas": filled(b"/openapi.json", b"If-None-Match: ", b","),
    "static-openapi": request(b"/openapi.json"),
    "connection": filled(b"/ip", b"Connection: ", b"a,"),
    "connection-commas": filled(b"/ip", b"Connection: ", b","),
    "connection-lines": request(b"/ip", b"Connection: a\r\n" * 99),
    "expect": filled(b"/ip", b"Expect: ", b"100-continue,"),
    "accept-lines": request(b"/all", b"Accept: a\r\n" * 99),
    "warned": request(b"/ip", b"x-forwarded-fox:\r\n" * 99),
    "absolute": b"GET http://a/?" + b"a" * 16000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute-hosts": b"GET http://" + b"%61" * 85 + b"/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "host-zeros": request(b"/ip", host=b"a:" + b"0" * 250 + b"1"),
    "refused-connect": request(b"a" * 16000 + b":1", method=b"CONNECT"),
    "options": request(b"/" + b"a" * 16000, method=b"OPTIONS"),
    "method-long": request(b"/", method=b"A" * 16000),
    "leading-lines": b"\r\n" * 4 + request(b"/"),
}

# Whose answers are of what databases know; the IPv6 address has the longest way in those of law.rs.
KNOWN = {
    f"known-{path}{name}": request(b"/" + path.encode() + query)
    for path in ("json", "country", "country-iso", "city", "coordinates", "time-zone", "asn", "asn-org")
    for name, query in (("", b""), ("-of-another", b"?ip=2001:db8::1"))
} | {
    "page-known": request(b"/?format=html", host=b"a" * 255),
    "known-formats": request(b"/json?" + b"&" * 8000 + b"ip=2001:db8::1"),
    "known-agent": filled(b"/json", AGENT, b'"'),
    "hostname": request(b"/hostname"),
    "hostname-accept-types": filled(b"/hostname", b"Accept: ", b"text/html;q=0,"),
    "port-test": request(b"/port/65535"),
}

# Refused: these are read again, byte by byte.
REFUSED = {
    "refused-last-byte": filled(b"/ip", b"a:", b"a")[:-2] + b"\n\n",
    "refused-names": many(b"/ip", b"a")[:-2] + b"\n\n",
    "refused-target": b"GET http://" + b"a" * 16000 + b"# HTTP/1.1\r\nHost: a\r\n\r\n",
    "refused-host": request(b"/ip", host=b"%61" * 5000),
    "refused-fields": request(b"/ip", b"a:\r\n" * 101),
    "refused-host-lines": request(b"/ip", b"Host: a\r\n" * 99),
    "refused-absolute-host-lines": b"GET http://b/ HTTP/1.1\r\n" + (b"Host: " + b"%61" * 50 + b"\r\n") * 99 + b"\r\n",
    "length-zeros": filled(b"/ip", b"Content-Length: ", b"0"),
}

ROWS = PAGE | JSON | EXPLAIN | TEXT | KNOWN | REFUSED

if __name__ == "__main__":
    directory = pathlib.Path(__file__).parent / "worst"
    directory.mkdir(exist_ok=True)
    for path in directory.iterdir():
        if not path.name.startswith("found-"):
            path.unlink()
    for name, head in ROWS.items():
        assert len(head) <= HEAD_MAX, (name, len(head))
        (directory / name).write_bytes(head)

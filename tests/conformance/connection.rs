//! What becomes of the connection (RFC 9112 §9.3, §9.6, RFC 9110 §7.6.1).

use crate::row::{HEAD, MUST, OURS, Row, closes, get, rows, stays};

fn old(fields: &str) -> String {
    format!("GET / HTTP/1.0\r\n{fields}\r\n")
}

rows! {
    MUST "9112 9.3" "close": get("Connection: close\r\n") => closes([200]);
    MUST "9110 7.6.1" "close in other letters": get("connection: ClOsE\r\n") => closes([200]);
    MUST "9110 5.6.1" "close in a list": get("Connection: x, close\r\n") => closes([200]);
    MUST "9110 5.6.1" "close in a list without spaces": get("Connection: x,close,y\r\n") => closes([200]);
    MUST "9110 5.6.1" "close between empty elements": get("Connection: ,close,\r\n") => closes([200]);
    MUST "9110 5.6.1" "close and HTABs": get("Connection:\tx,\tclose\t\r\n") => closes([200]);
    MUST "9110 5.3" "close on a second line": get("Connection: x\r\nConnection: close\r\n") => closes([200]);
    MUST "9110 5.3" "close on the first of two lines": get("Connection: close\r\nConnection: x\r\n") => closes([200]);
    MUST "9110 5.3" "close twice in a line": get("Connection: close, close\r\n") => closes([200]);
    MUST "9110 5.3" "close on two lines": get("Connection: close\r\nConnection: close\r\n") => closes([200]);
    MUST "9112 9.3" "close goes before keep-alive": get("Connection: keep-alive, close\r\n") => closes([200]);
    MUST "9112 9.3" "close goes before keep-alive on a second line":
        get("Connection: close\r\nConnection: keep-alive\r\n") => closes([200]);
    MUST "9112 9.3" "keep-alive on 1.1": get("Connection: keep-alive\r\n") => stays([200]);
    MUST "9112 9.3" "no option": get("Connection:\r\n") => stays([200]);
    MUST "9110 7.6.1" "an option that begins like close": get("Connection: closed\r\n") => stays([200]);
    MUST "9110 7.6.1" "an option that ends like close": get("Connection: not-close\r\n") => stays([200]);
    MUST "9110 7.6.1" "close, quoted": get("Connection: \"close\"\r\n") => stays([200]);
    MUST "9110 7.6.1" "two words": get("Connection: close x\r\n") => stays([200]);
    MUST "9110 7.6.1" "a semicolon after close": get("Connection: close;\r\n") => stays([200]);
    MUST "9110 7.6.1" "another field's close": get("X-Connection: close\r\nConnections: close\r\n") => stays([200]);
    OURS "9112 C.2.2" "Proxy-Connection is not read": get("Proxy-Connection: close\r\n") => stays([200]);
    OURS "9110 7.6.1" "naming Host changes nothing":
        get("Connection: host, content-length\r\nContent-Length: 5\r\n") + "hello" => stays([200]);
    MUST "9110 7.8" "an offer to upgrade is ignored": get("Connection: Upgrade\r\nUpgrade: websocket\r\n") => stays([200]);
    MUST "9110 7.8" "an offer of HTTP/2 is ignored":
        get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n") => stays([200]);
    MUST "9110 7.8" "an offer to upgrade and close": get("Connection: Upgrade, close\r\nUpgrade: h2c\r\n") => closes([200]);

    MUST "9112 9.3" "1.0 closes": old("A: b\r\n") => closes([200]);
    MUST "9112 9.3" "1.0 with Host closes": old("Host: a\r\n") => closes([200]);
    MUST "9112 9.3" "1.0 with another option closes": old("Connection: x\r\n") => closes([200]);
    MUST "9112 9.3" "1.0 with close": old("Connection: close\r\n") => closes([200]);
    MUST "9112 9.3" "1.0 with keep-alive": old("Connection: keep-alive\r\n") => stays([200]).keeping_alive();
    MUST "9112 9.3" "1.0 with Keep-Alive": old("Connection: Keep-Alive\r\n") => stays([200]).keeping_alive();
    MUST "9112 9.3" "1.0 with keep-alive in a list": old("Connection: x, keep-alive\r\n") => stays([200]).keeping_alive();
    MUST "9112 9.3" "1.0 with keep-alive on a second line":
        old("Connection: x\r\nConnection: keep-alive\r\n") => stays([200]).keeping_alive();
    MUST "9112 9.3" "1.0 with both": old("Connection: keep-alive, close\r\n") => closes([200]);
    MUST "9112 9.3" "1.0 with both the other way round": old("Connection: close\r\nConnection: keep-alive\r\n") => closes([200]);
    OURS "9112 C.2.2" "1.0 with Keep-Alive as a field": old("Keep-Alive: timeout=5\r\n") => closes([200]);
    MUST "9112 C.2.2" "1.0 with Proxy-Connection": old("Proxy-Connection: keep-alive\r\n") => closes([200]);
    MUST "9112 9.3" "1.0 twice":
        old("Connection: keep-alive\r\n") + &old("Connection: keep-alive\r\n") => stays([200, 200]).keeping_alive();

    MUST "9112 9.6" "close on a HEAD": "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" => closes([200 | HEAD]);
    MUST "9112 9.6" "close on OPTIONS": "OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" => closes([204]);
    MUST "9112 9.6" "close on what is not there": "GET /a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" => closes([404]);
    MUST "9112 9.6" "close on a POST": "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" => closes([405]);
    MUST "9112 9.6" "close on a method that nobody knows":
        "BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" => closes([501]);
    MUST "9112 9.6" "nothing after close is served": get("Connection: close\r\n") + &get("") => closes([200]);
}

//! Several requests at once (RFC 9112 §9.3.2).

use crate::row::{HEAD, MUST, OURS, Row, SHOULD, closes, cut, get, refused, rows, stays};
use swagip::http::Refusal;

rows! {
    MUST "9112 9.3.2" "two requests": get("") + &get("") => stays([200, 200]);
    MUST "9112 9.3.2" "ten requests": get("").repeat(10) => stays([200; 10]);
    MUST "9112 9.3.2" "more answers than one output holds": get("").repeat(1000) => stays([200; 1000]);
    MUST "9112 9.3.2" "answers in the order of the requests":
        "GET /ip HTTP/1.1\r\nHost: a\r\n\r\nGET /a/b HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n\
         OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\nBREW / HTTP/1.1\r\nHost: a\r\n\r\n"
            => stays([200, 404, 405, 204, 200 | HEAD, 501]);
    MUST "9112 9.3.2" "content between requests":
        get("Content-Length: 5\r\n") + "hello" + &get("Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\n\r\n" + &get("")
            => stays([200, 200, 200]);
    SHOULD "9112 2.2" "an empty line between requests":
        get("Content-Length: 5\r\n") + "hello\r\n" + &get("") => stays([200, 200]);
    MUST "9112 9.3" "the second closes": get("") + &get("Connection: close\r\n") => closes([200, 200]);
    MUST "9112 9.6" "the first closes": get("Connection: close\r\n") + &get("").repeat(3) => closes([200]);
    MUST "9112 9.3" "1.1, then 1.0": get("") + "GET / HTTP/1.0\r\n\r\n" => closes([200, 200]);
    MUST "9112 2.2" "the second is refused": get("") + "GET / HTTP/1.1\r\n\r\n" => refused(Refusal::HOST_MISSING).after([200]);
    MUST "9112 2.2" "the second HEAD is refused":
        get("") + "HEAD / HTTP/1.1\r\n\r\n" => refused(Refusal::HOST_MISSING).for_head().after([200]);
    MUST "9112 2.2" "the third is no request": get("").repeat(2) + "\x16" => refused(Refusal::METHOD).after([200, 200]);
    MUST "9112 7.1" "the second's chunks are none":
        get("") + &get("Transfer-Encoding: chunked\r\n") + "x" => refused(Refusal::CHUNK_SIZE).after([200]);
    MUST "9112 6.3" "more content than the length says is the next request":
        get("Content-Length: 5\r\n") + "hello!\t" => refused(Refusal::METHOD).after([200]);
    OURS "9112 8" "the client ends within the second": get("") + "GET /" => cut(Refusal::HEAD_CUT).after([200]);
    OURS "9112 9.3" "the second has too much content":
        get("") + &get("Content-Length: 65537\r\n") + &get("") => closes([200, 200]);
}

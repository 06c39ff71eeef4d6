//! Expect (RFC 9110 §10.1.1): nobody here wants content, so the final answer comes at once, and never a 100.

use crate::row::{HEAD, MUST, OURS, Row, closes, cut, get, refused, rows, stays};
use swagip::http::Refusal;

rows! {
    OURS "9110 10.1.1" "100-continue before content":
        get("Expect: 100-continue\r\nContent-Length: 5\r\n") => closes([200]);
    MUST "9110 10.1.1" "100-continue in other letters":
        get("expect: 100-CONTINUE\r\nContent-Length: 5\r\n") => closes([200]);
    OURS "9110 10.1.1" "100-continue before chunks":
        get("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n") => closes([200]);
    OURS "9110 10.1.1" "100-continue of a POST":
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n" => closes([405]);
    OURS "9110 10.1.1" "100-continue of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n" => closes([200 | HEAD]);
    MUST "9110 10.1.1" "100-continue, and the content comes unasked":
        get("Expect: 100-continue\r\nContent-Length: 5\r\n") + "hello" => closes([200]);
    MUST "9110 10.1.1" "100-continue without content":
        get("Expect: 100-continue\r\n") => stays([200]);
    MUST "9110 10.1.1" "100-continue and a length of nothing":
        get("Expect: 100-continue\r\nContent-Length: 0\r\n") => stays([200]);
    MUST "9110 10.1.1" "100-continue twice in a list":
        get("Expect: 100-continue, 100-continue\r\nContent-Length: 5\r\n") => closes([200]);
    MUST "9110 10.1.1" "100-continue on 1.0 is ignored: the content is read":
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"
            => stays([200]).keeping_alive();
    MUST "9110 10.1.1" "100-continue on 1.0 is ignored: the content is waited for":
        "GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n" => cut(Refusal::CONTENT_CUT);
    MUST "9110 5.6.1" "an empty expectation":
        get("Expect:\r\n") => stays([200]);
    OURS "9110 10.1.1" "another expectation":
        get("Expect: 200-ok\r\n") => refused(Refusal::EXPECTATION);
    OURS "9110 10.1.1" "another expectation in a list":
        get("Expect: 100-continue, x\r\nContent-Length: 5\r\n") => refused(Refusal::EXPECTATION);
    OURS "9110 10.1.1" "another expectation on another line":
        get("Expect: x\r\nExpect: 100-continue\r\n") => refused(Refusal::EXPECTATION);
    OURS "9110 10.1.1" "100-continue with a parameter":
        get("Expect: 100-continue;q=1\r\n") => refused(Refusal::EXPECTATION);
    OURS "9110 10.1.1" "another expectation of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n" => refused(Refusal::EXPECTATION).for_head();
    OURS "9110 10.1.1" "another expectation on 1.0":
        "GET / HTTP/1.0\r\nExpect: x\r\n\r\n" => closes([200]);
    MUST "9112 6.3" "framing goes before the expectation":
        get("Expect: x\r\nContent-Length: y\r\n") => refused(Refusal::CONTENT_LENGTH);
}

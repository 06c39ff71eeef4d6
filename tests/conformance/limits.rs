//! Limits: the head 16 KiB, 100 fields, 4 KiB of chunk extensions, 16 KiB and 100 lines of trailers. Past them 414 where the
//! target was too long, 431 where the fields were (RFC 9110 §15.5.15, RFC 6585 §5).

use crate::row::{MUST, OURS, Row, filled, get, refused, rows, stays};
use swagip::http::Refusal;

const HEAD_MAX: usize = 16 * 1024;

rows! {
    OURS "9112 3" "a head of 16 KiB":
        filled("GET / HTTP/1.1\r\nHost: a\r\nA: ", 'b', "\r\n\r\n", HEAD_MAX) => stays([200]);
    OURS "9112 3" "a head of 16 KiB after another":
        get("") + &filled("GET / HTTP/1.1\r\nHost: a\r\nA: ", 'b', "\r\n\r\n", HEAD_MAX) => stays([200, 200]);
    OURS "9112 3" "a target of nearly 16 KiB":
        filled("GET /?", 'a', " HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_MAX) => stays([200]);
    OURS "9112 2.2" "a head of 16 KiB with an empty line before it":
        filled("\r\nGET / HTTP/1.1\r\nHost: a\r\nA: ", 'b', "\r\n\r\n", HEAD_MAX) => stays([200]);
    MUST "9112 3" "a target that fills the head":
        filled("GET /", 'a', "", HEAD_MAX) => refused(Refusal::TARGET_LONG);
    MUST "9112 3" "a target that fills the head, its version begun":
        filled("GET /", 'a', " HTTP", HEAD_MAX) => refused(Refusal::TARGET_LONG);
    MUST "9112 3" "a request line that fills the head":
        filled("GET /", 'a', " HTTP/1.1\r", HEAD_MAX) => refused(Refusal::TARGET_LONG);
    MUST "9112 3" "a target of a HEAD that fills the head":
        filled("HEAD /", 'a', "", HEAD_MAX) => refused(Refusal::TARGET_LONG).for_head();
    OURS "9110 15" "a method that fills the head":
        filled("", 'A', "", HEAD_MAX) => refused(Refusal::HEAD_ENDLESS);
    OURS "6585 5" "a field name that fills the head":
        filled("GET / HTTP/1.1\r\nHost: a\r\n", 'A', "", HEAD_MAX) => refused(Refusal::FIELDS_LARGE);
    OURS "6585 5" "a field value that fills the head":
        filled("GET / HTTP/1.1\r\nHost: a\r\nA: ", 'b', "", HEAD_MAX) => refused(Refusal::FIELDS_LARGE);
    OURS "6585 5" "fields that fill the head but for the last byte":
        filled("GET / HTTP/1.1\r\nHost: a\r\nA: ", 'b', "\r\n\r", HEAD_MAX) => refused(Refusal::FIELDS_LARGE);
    OURS "6585 5" "fields of a HEAD that fill the head":
        filled("HEAD / HTTP/1.1\r\nHost: a\r\nA: ", 'b', "", HEAD_MAX) => refused(Refusal::FIELDS_LARGE).for_head();
    OURS "9112 7.1.1" "4 KiB of chunk extensions":
        get("Transfer-Encoding: chunked\r\n") + &filled("1;", 'a', "\r\nx\r\n0\r\n\r\n", 4 * 1024 + 10) => stays([200]);
    MUST "9112 7.1.1" "more than 4 KiB of a chunk's extensions":
        get("Transfer-Encoding: chunked\r\n") + &filled("1;", 'a', "", 4 * 1024 + 3) => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "more than 4 KiB of all chunks' extensions":
        get("Transfer-Encoding: chunked\r\n") + &"1;abc\r\nx\r\n".repeat(1024) + "0;" + "a" => refused(Refusal::CHUNK_EXTENSION);
    OURS "9112 7.1.2" "100 trailers":
        get("Transfer-Encoding: chunked\r\n") + "0\r\n" + &"A: b\r\n".repeat(100) + "\r\n" => stays([200]);
    OURS "9112 7.1.2" "101 trailers":
        get("Transfer-Encoding: chunked\r\n") + "0\r\n" + &"A: b\r\n".repeat(100) + "A" => refused(Refusal::FIELDS_LARGE);
    OURS "9112 7.1.2" "16 KiB of trailers":
        get("Transfer-Encoding: chunked\r\n") + "0\r\n" + &filled("A: ", 'b', "\r\n\r\n", HEAD_MAX) => stays([200]);
    OURS "9112 7.1.2" "trailers that do not end within 16 KiB":
        get("Transfer-Encoding: chunked\r\n") + "0\r\n" + &filled("A: ", 'b', "", HEAD_MAX) => refused(Refusal::FIELDS_LARGE);
}

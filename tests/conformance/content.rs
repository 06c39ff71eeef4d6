//! Content up to 64 KiB is read and dropped; past that the answer goes out at once and closes (RFC 9112 §9.3, RFC 9110 §9.3.1).

use crate::row::{HEAD, MUST, OURS, Row, closes, cut, filled, get, rows, stays};
use swagip::http::Refusal;

/// A chunked GET that begins with these chunks.
fn chunked(content: &str) -> String {
    get("Transfer-Encoding: chunked\r\n") + content
}

/// A chunk of `size` bytes.
fn chunk(size: usize) -> String {
    filled(&format!("{size:x}\r\n"), 'x', "\r\n", size + format!("{size:x}").len() + 4)
}

rows! {
    MUST "9112 6.3" "64 KiB":
        get("Content-Length: 65536\r\n") + &"x".repeat(65536) => stays([200]);
    OURS "9112 9.3" "a byte more than 64 KiB":
        get("Content-Length: 65537\r\n") => closes([200]);
    OURS "9112 9.3" "more than 64 KiB in a POST":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" => closes([405]);
    OURS "9112 9.3" "more than 64 KiB in a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" => closes([200 | HEAD]);
    OURS "9112 9.3" "more than 64 KiB on 1.0":
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 65537\r\n\r\n" => closes([200]);
    OURS "9112 9.3" "more than 64 KiB, and some of it is there":
        get("Content-Length: 65537\r\n") + "GET / HTTP/1.1\r\nHost: b\r\n\r\n" => closes([200]);
    MUST "9112 7.1" "a chunk of 64 KiB":
        chunked(&(chunk(65536) + "0\r\n\r\n")) => stays([200]);
    OURS "9112 9.3" "a chunk of a byte more than 64 KiB":
        chunked("10001\r\n") => closes([200]);
    OURS "9112 9.3" "a chunk of the greatest size":
        chunked("ffffffffffffffff\r\n") => closes([200]);
    MUST "9112 7.1" "chunks of 64 KiB together":
        chunked(&(chunk(32768) + &chunk(32767) + &chunk(1) + "0\r\n\r\n")) => stays([200]);
    OURS "9112 9.3" "chunks of more than 64 KiB together":
        chunked(&(chunk(32768) + &chunk(32768) + "1\r\n")) => closes([200]);
    OURS "9112 9.3" "chunks of more than 64 KiB in a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n10000\r\n" => closes([200 | HEAD]);
    MUST "9112 6.3" "a thousand chunks":
        chunked(&("1\r\nx\r\n".repeat(1000) + "0\r\n\r\n")) => stays([200]);

    OURS "9112 8" "the client ends before the content":
        get("Content-Length: 5\r\n") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within the content":
        get("Content-Length: 5\r\n") + "hell" => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within the content of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell" => cut(Refusal::CONTENT_CUT).for_head();
    OURS "9112 8" "the client ends within the content of a POST":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell" => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within the content of the second request":
        get("") + &get("Content-Length: 5\r\n") => cut(Refusal::CONTENT_CUT).after([200]);
}

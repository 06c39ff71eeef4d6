//! Where a request ends: Content-Length and Transfer-Encoding (RFC 9112 §6, RFC 9110 §8.6).

use crate::row::{HEAD, MUST, OURS, Row, SHOULD, closes, get, refused, rows, stays};
use swagip::http::Refusal;

fn length(value: &str) -> String {
    get(&format!("Content-Length:{value}\r\n"))
}

fn coding(value: &str) -> String {
    get(&format!("Transfer-Encoding:{value}\r\n"))
}

rows! {
    MUST "9112 6.3" "a length of nothing": length(" 0") => stays([200]);
    MUST "9112 6.3" "a length and so many bytes": length(" 5") + "hello" => stays([200]);
    MUST "9110 8.6" "zeros before the length": length(" 0005") + "hello" => stays([200]);
    MUST "9110 5.5" "white space around the length": length("\t 5 \t") + "hello" => stays([200]);
    MUST "9112 6.3" "content that looks like a request is not read as one":
        length(" 27") + "GET / HTTP/1.1\r\nHost: b\r\n\r\n" => stays([200]);
    MUST "9112 6" "content of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" => stays([200 | HEAD]);
    MUST "9112 6" "content of OPTIONS":
        "OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" => stays([204]);
    MUST "9112 6" "content of a method that is not allowed":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" => stays([405]);
    MUST "9112 6" "content of a method that nobody knows":
        "BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" => stays([501]);
    MUST "9112 6" "content on 1.0":
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello" => stays([200]).keeping_alive();
    MUST "9112 6" "content of the last request":
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello" => closes([200]);
    OURS "9110 8.6" "the greatest length that can be read is answered from the head":
        length(" 18446744073709551615") => closes([200]);

    MUST "9110 8.6" "a length that overflows": length(" 18446744073709551616") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length that overflows by a digit": length(" 99999999999999999999999") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "an empty length": length("") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length with a plus sign": length(" +5") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a negative length": length(" -5") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length in hexadecimal": length(" 0x5") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length with a point": length(" 5.0") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length with an exponent": length(" 5e0") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length with a space in it": length(" 5 5") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length with a parameter": length(" 5;a") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a quoted length": length(" \"5\"") => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "a length in other digits": length(" ５") => refused(Refusal::CONTENT_LENGTH);
    OURS "9110 8.6" "a list of equal lengths": length(" 5, 5") => refused(Refusal::CONTENT_LENGTH);
    MUST "9112 6.3" "a list of lengths": length(" 5,6") => refused(Refusal::CONTENT_LENGTH);
    MUST "9112 6.3" "an empty element after the length": length(" 5,") => refused(Refusal::CONTENT_LENGTH);
    OURS "9110 8.6" "two equal lengths": get("Content-Length: 5\r\nContent-Length: 5\r\n") => refused(Refusal::FRAMING);
    MUST "9112 6.3" "two lengths": get("Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n") => refused(Refusal::FRAMING);
    MUST "9112 6.3" "a wrong length goes before the method":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" => refused(Refusal::CONTENT_LENGTH);
    MUST "9112 6.3" "a wrong length of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" => refused(Refusal::CONTENT_LENGTH).for_head();
    MUST "9112 6.3" "a wrong length on 1.0":
        "GET / HTTP/1.0\r\nContent-Length: x\r\n\r\n" => refused(Refusal::CONTENT_LENGTH);

    MUST "9112 6.1" "chunks": coding(" chunked") + "0\r\n\r\n" => stays([200]);
    MUST "9112 7" "chunks in upper case": coding(" CHUNKED") + "0\r\n\r\n" => stays([200]);
    MUST "9110 5.5" "white space around the coding": coding("\tchunked \t") + "0\r\n\r\n" => stays([200]);
    MUST "9112 6.3" "a coding that is not known": coding(" gzip") => refused(Refusal::CODING_FORM);
    MUST "9112 6.3" "identity, which has gone": coding(" identity") => refused(Refusal::CODING_FORM);
    MUST "9112 6.3" "a coding that begins like chunked": coding(" chunkedx") => refused(Refusal::CODING_FORM);
    MUST "9112 6.3" "a coding that ends like chunked": coding(" xchunked") => refused(Refusal::CODING_FORM);
    MUST "9112 6.3" "codings that are not known": coding(" gzip, br") => refused(Refusal::CODING_FORM);
    SHOULD "9112 6.1" "chunked over another coding": coding(" gzip, chunked") => refused(Refusal::CODING);
    SHOULD "9112 6.1" "chunked over two others": coding(" x-a,gzip\t, \tCHUNKED") => refused(Refusal::CODING);
    SHOULD "9112 6.1" "chunked over identity": coding(" identity,chunked") => refused(Refusal::CODING);
    SHOULD "9112 6.1" "chunked over another coding, of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br, chunked\r\n\r\n" => refused(Refusal::CODING).for_head();
    MUST "9112 6.3" "a coding that is not known, of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br\r\n\r\n" => refused(Refusal::CODING_FORM).for_head();
    MUST "9112 6.1" "chunked twice in a list": coding(" chunked, chunked") => refused(Refusal::CODING_FORM);
    MUST "9112 6.3" "chunked is not the last": coding(" chunked, gzip") => refused(Refusal::CODING_FORM);
    MUST "9112 6.1" "chunked twice, and another between": coding(" chunked, gzip, chunked") => refused(Refusal::CODING_FORM);
    OURS "9112 6.1" "an empty element between two codings": coding(" gzip,,chunked") => refused(Refusal::CODING_FORM);
    OURS "9112 7" "a parameter of a coding below chunked": coding(" gzip;a=b, chunked") => refused(Refusal::CODING_FORM);
    MUST "9112 6.1" "two words below chunked": coding(" gzip br, chunked") => refused(Refusal::CODING_FORM);
    OURS "9112 6.1" "an empty element after chunked": coding(" chunked,") => refused(Refusal::CODING_FORM);
    OURS "9112 6.1" "an empty element before chunked": coding(" ,chunked") => refused(Refusal::CODING_FORM);
    MUST "9112 7" "a parameter of chunked": coding(" chunked;a=b") => refused(Refusal::CODING_FORM);
    MUST "9112 7" "chunked, quoted": coding(" \"chunked\"") => refused(Refusal::CODING_FORM);
    MUST "9112 6.1" "two words": coding(" chunked gzip") => refused(Refusal::CODING_FORM);
    MUST "9112 6.1" "a coding above ASCII": coding(" chünked") => refused(Refusal::CODING_FORM);
    MUST "9112 6.1" "an empty coding": coding("") => refused(Refusal::CODING_FORM);
    MUST "9112 6.1" "chunked on two lines":
        get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") => refused(Refusal::FRAMING);
    MUST "9112 6.1" "two codings on two lines":
        get("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n") => refused(Refusal::FRAMING);
    OURS "9112 6.1" "a length and chunks":
        get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") => refused(Refusal::FRAMING);
    OURS "9112 6.1" "chunks and a length":
        get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") => refused(Refusal::FRAMING);
    OURS "9112 6.1" "a length of nothing and chunks":
        get("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") => refused(Refusal::FRAMING);
    OURS "9112 6.1" "a length and a coding that is not known":
        get("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n") => refused(Refusal::FRAMING);
    OURS "9112 6.1" "a length and an empty coding":
        get("Content-Length: 5\r\nTransfer-Encoding:\r\n") => refused(Refusal::FRAMING);
    MUST "9112 6.1" "chunks over another coding on 1.0":
        "GET / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" => refused(Refusal::CODING_VERSION);
    MUST "9112 6.1" "chunks on 1.0":
        "GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" => refused(Refusal::CODING_VERSION);
    MUST "9112 6.1" "chunks on 1.0 that wants to stay":
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" => refused(Refusal::CODING_VERSION);
    OURS "9112 6.1" "a coding that is not known goes before the method":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" => refused(Refusal::CODING);
    OURS "9112 3.2" "Host goes before the framing":
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n" => refused(Refusal::HOST_MISSING);
}

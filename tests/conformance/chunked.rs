//! `*chunk last-chunk trailer-section CRLF` (RFC 9112 §7.1).

use crate::row::{HEAD, MUST, OURS, Row, closes, cut, get, refused, rows, stays};
use swagip::http::Refusal;

fn chunked(content: &str) -> String {
    get("Transfer-Encoding: chunked\r\n") + content
}

rows! {
    MUST "9112 7.1" "one chunk": chunked("5\r\nhello\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "two chunks": chunked("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "sizes in both cases": chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "zeros before the size": chunked("00005\r\nhello\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "a last chunk of several zeros": chunked("000\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "sixteen digits": chunked("0000000000000001\r\nx\r\n0000000000000000\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "seventeen digits": chunked("00000000000000001\r\nx\r\n00000000000000000\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "a size after thousands of zeros": chunked(&format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(4000))) => stays([200]);
    MUST "9112 7.1" "a last chunk of thousands of zeros": chunked(&format!("{}\r\n\r\n", "0".repeat(4000))) => stays([200]);
    MUST "9112 7.1" "a thousand sizes of sixteen digits":
        chunked(&("0000000000000001\r\nx\r\n".repeat(1000) + "0\r\n\r\n")) => stays([200]);
    MUST "9112 7.1" "data that looks like chunks": chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "data that looks like a request": chunked("12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1" "chunks of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" => stays([200 | HEAD]);
    MUST "9112 7.1" "chunks of a POST":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" => stays([405]);
    MUST "9112 7.1" "chunks of the last request":
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
            => closes([200]);

    MUST "9112 7.1" "no size": chunked("\r") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size that is no number": chunked("g") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size with a sign": chunked("-") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size with a plus sign": chunked("+") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size with 0x": chunked("0x") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size with h": chunked("5h") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a space before the size": chunked(" ") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1.1" "a space after the size": chunked("5 \r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "HTAB after the last size": chunked("0\t\r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "two sizes": chunked("5 5") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a name without its semicolon": chunked("5 a") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a space and a bare LF after the size": chunked("5 \n") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1" "NUL after the size": chunked("5\0") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "an extension without a size": chunked(";") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size that overflows": chunked("10000000000000005") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a size that overflows after zeros": chunked("000010000000000000000") => refused(Refusal::CHUNK_SIZE);
    OURS "9112 7.1" "zeros beyond the bound on chunk lines": chunked(&"0".repeat(16 + 4096 + 1)) => refused(Refusal::CHUNK_SIZE);
    OURS "9112 7.1.1" "white space beyond the bound on chunk lines":
        chunked(&format!("1{}", " ".repeat(4096 + 2))) => refused(Refusal::CHUNK_EXTENSION);
    OURS "9112 7.1.1" "zeros and extensions have one bound":
        chunked(&format!("{}1;{}", "0".repeat(15 + 4000), "a".repeat(97))) => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1" "a bare LF after the size": chunked("5\n") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a bare CR after the size": chunked("5\rh") => refused(Refusal::BARE_CR);
    MUST "9112 7.1" "a bare LF after the last size": chunked("0\n") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "more data than the size says": chunked("5\r\nhello!") => refused(Refusal::CHUNK_END);
    MUST "9112 7.1" "less data than the size says": chunked("5\r\nhel\r\n0") => refused(Refusal::CHUNK_END);
    MUST "9112 7.1" "a bare LF after the data": chunked("5\r\nhello\n") => refused(Refusal::CHUNK_END);
    MUST "9112 7.1" "a bare CR after the data": chunked("5\r\nhello\r0") => refused(Refusal::CHUNK_END);
    MUST "9112 7.1" "an empty line after the data": chunked("5\r\nhello\r\n\r") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "the second size is none": chunked("1\r\nx\r\ny") => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1" "a chunk of a HEAD that is none":
        "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx" => refused(Refusal::CHUNK_SIZE).for_head();
    OURS "9112 7.1" "a chunk that is none goes before the method":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx" => refused(Refusal::CHUNK_SIZE);

    MUST "9112 7.1.1" "an extension": chunked("1;a\r\nx\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "an extension with a value": chunked("1;a=b\r\nx\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "an extension with a quoted value": chunked("1;a=\"b;\\\"\tc\"\r\nx\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "an empty quoted value": chunked("1;a=\"\"\r\nx\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "several extensions": chunked("1;a;b=c;d=\"e\";f\r\nx\r\n0;g\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "bad white space in extensions": chunked("1; a\t= b ;\tc = \"d\" ; e\r\nx\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "a space before an extension": chunked("1 ;a\r\nx\r\n0\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "white space before an extension of the last chunk": chunked("1\r\nx\r\n0 \t ; a=b\r\n\r\n") => stays([200]);
    MUST "9112 7.1.1" "an extension without a name": chunked("1;\r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "an extension without a name before its value": chunked("1;=") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "two semicolons": chunked("1;;") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "an extension without its value": chunked("1;a=\r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "an extension with two words": chunked("1;a b") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a value with two words": chunked("1;a=b c") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "two values": chunked("1;a=b=") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a quoted value that is not closed": chunked("1;a=\"b\r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "something after a quoted value": chunked("1;a=\"b\"c") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a CR escaped in a quoted value": chunked("1;a=\"\\\r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a control byte in a quoted value": chunked("1;a=\"\x01") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a quotation mark for a name": chunked("1;\"") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a space after the last extension": chunked("1;a \r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a space after the last value": chunked("1;a=b \r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a space after the last quoted value": chunked("1;a=\"b\" \r") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1" "a bare LF after an extension": chunked("1;a\n") => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1" "a bare CR after an extension": chunked("1;a\rx") => refused(Refusal::BARE_CR);

    MUST "9112 7.1.2" "a trailer": chunked("0\r\nA: b\r\n\r\n") => stays([200]);
    MUST "9112 7.1.2" "several trailers": chunked("1\r\nx\r\n0\r\nA: b\r\nC:\r\nD: \t e\r\n\r\n") => stays([200]);
    MUST "9110 6.5.1" "trailers that frame nothing":
        chunked("0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n") => stays([200]);
    MUST "9110 6.5.1" "trailers that decide nothing":
        chunked("0\r\nHost: b\r\nConnection: close\r\nExpect: x\r\n\r\n") => stays([200]);
    MUST "9112 5.1" "a space before a trailer's colon": chunked("0\r\nA ") => refused(Refusal::FIELD_SPACE);
    MUST "9112 5.2" "a folded trailer": chunked("0\r\nA: b\r\n ") => refused(Refusal::FIELD_FOLDED);
    MUST "9112 5.2" "a space before the first trailer": chunked("0\r\n ") => refused(Refusal::FIELD_FOLDED);
    MUST "9112 5" "a trailer without a colon": chunked("0\r\nAbc\r") => refused(Refusal::FIELD_COLON);
    MUST "9110 5.1" "a trailer without a name": chunked("0\r\n:") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.5" "NUL in a trailer": chunked("0\r\nA: \0") => refused(Refusal::FIELD_VALUE);
    OURS "9112 2.2" "a bare LF after a trailer": chunked("0\r\nA: b\n") => refused(Refusal::BARE_LF);
    OURS "9112 2.2" "a bare LF ends the trailers": chunked("0\r\n\n") => refused(Refusal::BARE_LF);
    MUST "9112 2.2" "a bare CR ends the trailers": chunked("0\r\n\rG") => refused(Refusal::BARE_CR);
    MUST "9112 7.1" "no empty line after the last chunk: the next request is a trailer that is none":
        chunked("0\r\nGET ") => refused(Refusal::FIELD_SPACE);

    OURS "9112 8" "the client ends before the chunks": chunked("") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within a size": chunked("5") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within a chunk": chunked("5\r\nhel") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends before the last chunk": chunked("5\r\nhello\r\n") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends before the last line": chunked("5\r\nhello\r\n0\r\n") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within the trailers": chunked("0\r\nA: b\r\n") => cut(Refusal::CONTENT_CUT);
    OURS "9112 8" "the client ends within the chunks of a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r" => cut(Refusal::CONTENT_CUT).for_head();
}

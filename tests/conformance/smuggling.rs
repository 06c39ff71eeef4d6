//! One stream that two parsers read in two ways (RFC 9112 §11.2). What a front end could have taken for content is never served
//! as a request, and the other way round: the connection ends at the first byte that is open to doubt.

use crate::row::{MUST, OURS, Row, get, refused, rows, stays};
use swagip::http::Refusal;

rows! {
    OURS "9112 6.1" "CL.TE: the front reads the length, the back the chunks":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" => refused(Refusal::FRAMING);
    OURS "9112 6.1" "TE.CL: the front reads the chunks, the back the length":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" => refused(Refusal::FRAMING);
    MUST "9112 6.1" "TE.TE: one of two codings is hidden by its letters":
        get("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n") => refused(Refusal::FRAMING);
    MUST "9112 6.3" "CL.CL: one reads the first, one the last":
        get("Content-Length: 0\r\nContent-Length: 44\r\n") => refused(Refusal::FRAMING);
    MUST "9112 6.3" "CL.0: content of a GET that nobody expects":
        get("Content-Length: 37\r\n") + "GET /admin HTTP/1.1\r\nHost: inside\r\n\r\n" => stays([200]);
    MUST "9112 5.1" "a space hides the coding":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding " => refused(Refusal::FIELD_SPACE);
    MUST "9112 5.1" "HTAB hides the length":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t" => refused(Refusal::FIELD_SPACE);
    MUST "9112 5.2" "a folded line hides the coding":
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n " => refused(Refusal::FIELD_FOLDED);
    MUST "9112 5.2" "the coding is folded":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\t" => refused(Refusal::FIELD_FOLDED);
    MUST "9112 2.2" "white space before the first field hides it":
        "POST / HTTP/1.1\r\n\t" => refused(Refusal::FIELD_FOLDED);
    OURS "9112 2.2" "a bare LF hides the coding":
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\n" => refused(Refusal::BARE_LF);
    MUST "9112 2.2" "a bare CR hides the coding":
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rT" => refused(Refusal::BARE_CR);
    OURS "9110 5.5" "a vertical tab hides the coding":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0b" => refused(Refusal::FIELD_VALUE);
    MUST "9110 5.1" "NUL hides the coding":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\0" => refused(Refusal::FIELD_NAME);
    MUST "9112 6.1" "a coding that almost is chunked":
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" => refused(Refusal::CODING_FORM);
    MUST "9110 5.1" "a name with an underscore is another name: what follows is no content":
        get("Transfer_Encoding: chunked\r\n") + "0\r" => refused(Refusal::METHOD).after([200]);
    MUST "9110 5.1" "a length with an underscore is none":
        get("Content_Length: 5\r\n") + "hello\r" => refused(Refusal::METHOD).after([200]);
    MUST "9112 6.1" "chunks on 1.0, where there are none":
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" => refused(Refusal::FRAMING);
    MUST "9110 8.6" "a length with a sign":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n" => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "2^64 is not nothing":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n" => refused(Refusal::CONTENT_LENGTH);
    MUST "9110 8.6" "2^64 + 5 is not five":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\n" => refused(Refusal::CONTENT_LENGTH);
    MUST "9112 7.1" "a chunk of 2^64 is not the last one":
        get("Transfer-Encoding: chunked\r\n") + "10000000000000000" => refused(Refusal::CHUNK_SIZE);
    MUST "9112 7.1.1" "a bare LF in an extension hides a chunk":
        get("Transfer-Encoding: chunked\r\n") + "2;\n" => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1.1" "a bare CR in an extension hides a chunk":
        get("Transfer-Encoding: chunked\r\n") + "2;a\rx" => refused(Refusal::BARE_CR);
    MUST "9112 7.1.1" "a quoted extension hides a line's end":
        get("Transfer-Encoding: chunked\r\n") + "2;a=\"\r" => refused(Refusal::CHUNK_EXTENSION);
    MUST "9112 7.1" "two bytes for a chunk's CRLF, whichever they are":
        get("Transfer-Encoding: chunked\r\n") + "2\r\nxxy" => refused(Refusal::CHUNK_END);
    MUST "9112 7.1.2" "trailers do not end at a bare LF":
        get("Transfer-Encoding: chunked\r\n") + "0\r\nX: y\r\n\n" => refused(Refusal::BARE_LF);
    OURS "9112 9.3" "what was refused hides nothing after it":
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n" => refused(Refusal::FRAMING);
    MUST "9110 7.6.1" "a hop-by-hop length still counts":
        get("Connection: Content-Length\r\nContent-Length: 2\r\n") + "\x16\x16" => stays([200]);
    MUST "9112 3.2" "two Hosts are two sites":
        "GET / HTTP/1.1\r\nHost: a\r\nHost: inside\r\n\r\n" => refused(Refusal::HOST_REPEATED);
    MUST "9112 3.2" "a Host with a list is two sites": "GET / HTTP/1.1\r\nHost: a, inside\r\n\r\n" => refused(Refusal::HOST);
    MUST "9112 3.2" "a Host with user information is two sites":
        "GET / HTTP/1.1\r\nHost: a:80@inside\r\n\r\n" => refused(Refusal::HOST);
}

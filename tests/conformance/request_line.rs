//! `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3).

use crate::row::{MUST, OURS, Row, SHOULD, cut, filled, nothing, refused, rows, stays};
use swagip::http::Refusal;

rows! {
    MUST "9112 3" "a request":
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    SHOULD "9112 3" "a request line of 8,000 bytes":
        filled("GET /?", 'a', " HTTP/1.1\r\nHost: a\r\n\r\n", 8000 + 11) => stays([200]);
    MUST "9112 2.2" "one empty line before it":
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    OURS "9112 2.2" "four empty lines before it":
        "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    OURS "9112 2.2" "a fifth empty line before it":
        "\r\n\r\n\r\n\r\n\r" => refused(Refusal::LEADING_LINES);
    OURS "9112 2.2" "a bare LF after four empty lines":
        "\r\n\r\n\r\n\r\n\n" => refused(Refusal::LEADING_LINES);
    OURS "9112 2.2" "a bare LF before it":
        "\n" => refused(Refusal::BARE_LF);
    OURS "9112 2.2" "a bare LF after an empty line":
        "\r\n\n" => refused(Refusal::BARE_LF);
    MUST "9112 2.2" "a bare CR before it":
        "\rG" => refused(Refusal::BARE_CR);
    OURS "9112 2.2" "a CR and no LF yet":
        "\r" => nothing();
    OURS "9112 2.2" "empty lines and nothing else":
        "\r\n\r\n" => nothing();
    MUST "9112 2.2" "a space before it":
        " " => refused(Refusal::METHOD);
    MUST "9112 2.2" "a space after an empty line":
        "\r\n " => refused(Refusal::METHOD);

    SHOULD "9112 3" "HTAB after the method":
        "GET\t" => refused(Refusal::METHOD);
    SHOULD "9112 3" "two spaces after the method":
        "GET  " => refused(Refusal::TARGET_FORM);
    SHOULD "9112 3" "two spaces after the target":
        "GET /  " => refused(Refusal::VERSION_FORM);
    SHOULD "9112 3" "HTAB after the target":
        "GET /\t" => refused(Refusal::TARGET_BYTE);
    SHOULD "9112 3" "a space in the target":
        "GET /a b" => refused(Refusal::VERSION_FORM);
    SHOULD "9112 3" "a space after the version":
        "GET / HTTP/1.1 " => refused(Refusal::VERSION_FORM);
    MUST "9112 3" "a method and nothing else":
        "GET\r" => refused(Refusal::METHOD);
    MUST "9112 3" "no version, as in HTTP/0.9":
        "GET /\r" => refused(Refusal::VERSION_FORM);
    MUST "9112 3" "no version and a bare LF":
        "GET /\n" => refused(Refusal::VERSION_FORM);
    MUST "9112 3" "no target":
        "GET \r" => refused(Refusal::TARGET_FORM);
    MUST "9110 9.1" "a colon in the method":
        "GET:" => refused(Refusal::METHOD);
    MUST "9110 9.1" "a byte above ASCII in the method":
        b"GE\xc4" => refused(Refusal::METHOD);
    MUST "9110 5.6.2" "every mark that a token may hold, as method":
        "!#$%&'*+-.^_`|~09AZaz / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);

    MUST "9110 2.5" "HTTP/1.0":
        "GET /ip HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" => stays([200]).keeping_alive();
    MUST "9110 2.5" "HTTP/1.2 is served as 1.1":
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n" => stays([200]);
    MUST "9110 2.5" "HTTP/1.9 is served as 1.1":
        "GET / HTTP/1.9\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" => stays([200]);
    MUST "9112 3.2" "HTTP/1.3 needs a Host as 1.1 does":
        "GET / HTTP/1.3\r\n\r\n" => refused(Refusal::HOST_MISSING);
    MUST "9112 6.1" "HTTP/1.2 has chunks as 1.1 has":
        "GET / HTTP/1.2\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" => stays([200]);
    SHOULD "9110 15.6.6" "HTTP/0.9 by name":
        "GET / HTTP/0.9\r" => refused(Refusal::VERSION);
    SHOULD "9110 15.6.6" "HTTP/2.0":
        "GET / HTTP/2.0\r" => refused(Refusal::VERSION);
    SHOULD "9110 15.6.6" "HTTP/3.0":
        "GET / HTTP/3.0\r" => refused(Refusal::VERSION);
    SHOULD "9110 15.6.6" "HTTP/2.0 goes before the Host":
        "GET /ip HTTP/2.0\r" => refused(Refusal::VERSION);
    SHOULD "9110 15.6.6" "HTTP/9.9 to HEAD":
        "HEAD / HTTP/9.9\r" => refused(Refusal::VERSION).for_head();
    MUST "9112 2.3" "zeros before the versions":
        "GET / HTTP/01" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "letters after the major version":
        "GET / HTTP/9z" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "no minor version, as HTTP/2 is often written":
        "GET / HTTP/2\r" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "a letter for the minor version of HTTP/2":
        "GET / HTTP/2.x" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "two digits of minor version of HTTP/2":
        "GET / HTTP/2.00" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "a space after HTTP/0.9":
        "GET / HTTP/0.9 " => refused(Refusal::VERSION_FORM);
    OURS "9112 2.2" "a bare LF after HTTP/2.0":
        "GET / HTTP/2.0\n" => refused(Refusal::BARE_LF);
    MUST "9112 2.3" "the name in lower case":
        "GET / h" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "another protocol's name":
        "GET / HTTQ" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "no major version":
        "GET / HTTP/." => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "a comma for the dot":
        "GET / HTTP/1," => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "two digits of major version":
        "GET / HTTP/11" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "two digits of minor version":
        "GET / HTTP/1.10" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "a letter for the minor version":
        "GET / HTTP/1.x" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "no minor version":
        "GET / HTTP/1.\r" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "a bare LF within the version":
        "GET / HTTP\n" => refused(Refusal::VERSION_FORM);
    OURS "9112 2.2" "a bare LF after the version":
        "GET / HTTP/1.1\n" => refused(Refusal::BARE_LF);
    MUST "9112 2.2" "a bare CR after the version":
        "GET / HTTP/1.1\rH" => refused(Refusal::BARE_CR);
    MUST "9112 2.2" "two CRs after the version":
        "GET / HTTP/1.1\r\r" => refused(Refusal::BARE_CR);
    SHOULD "9112 3" "a vertical tab after the version":
        "GET / HTTP/1.1\x0b" => refused(Refusal::VERSION_FORM);
    MUST "9110 9.3.2" "a refusal to HEAD has no content":
        "HEAD / HTTP/1.1\r\n\r\n" => refused(Refusal::HOST_MISSING).for_head();
    MUST "9110 9.3.2" "a refusal to HEAD after an empty line":
        "\r\nHEAD /\t" => refused(Refusal::TARGET_BYTE).for_head();
    MUST "9110 9.1" "HEADER is not HEAD":
        "HEADER /\t" => refused(Refusal::TARGET_BYTE);
    OURS "9112 8" "the client ends within the request line":
        "GET / HT" => cut(Refusal::HEAD_CUT);
    OURS "9112 8" "the client ends after one byte":
        "G" => cut(Refusal::HEAD_CUT);
    OURS "9112 8" "the client ends within the fields":
        "GET / HTTP/1.1\r\nHost: a\r\n" => cut(Refusal::HEAD_CUT);
    OURS "9112 8" "the client ends within a HEAD":
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r" => cut(Refusal::HEAD_CUT).for_head();
}

//! `field-name ":" OWS field-value OWS CRLF` (RFC 9112 §5, RFC 9110 §5).

use crate::row::{MUST, OURS, Row, get, refused, rows, stays};
use swagip::http::Refusal;

/// The start of a request up to its second field line.
const START: &str = "GET / HTTP/1.1\r\nHost: a\r\n";

fn line(bytes: &str) -> String {
    format!("{START}{bytes}")
}

rows! {
    MUST "9112 5" "no white space": get("A:b\r\n") => stays([200]);
    MUST "9110 5.5" "white space around the value": get("A: \t b c \t \r\n") => stays([200]);
    MUST "9110 5.5" "an empty value": get("A:\r\n") => stays([200]);
    MUST "9110 5.5" "a value of white space": get("A: \t \r\n") => stays([200]);
    MUST "9110 5.5" "bytes above ASCII in a value": b"GET / HTTP/1.1\r\nHost: a\r\nA: \x80\xc3\xa4\xff\r\n\r\n" => stays([200]);
    MUST "9110 5.5" "HTAB in a value": get("A: b\tc\r\n") => stays([200]);
    MUST "9110 5.6.2" "every mark in a name": get("!#$%&'*+-.^_`|~09AZaz: b\r\n") => stays([200]);
    MUST "9110 5.3" "a field twice": get("A: b\r\nA: b\r\n") => stays([200]);
    MUST "9110 5.5" "a quoted string that is not closed": get("A: \"b\r\n") => stays([200]);
    MUST "9110 5.1" "names that are as long as those that mean something":
        get("From: a b\r\nCookie: close\r\nKeep-Alive: close\r\nAccept-Charset: x\r\nIf-Modified-Since: x\r\n") => stays([200]);
    MUST "9110 5.1" "names that differ in one byte from those that mean something":
        get("Hosu: a\r\nEypect: x\r\nConnection_: close\r\nContent_Length: x\r\nTransfer-Encodinf: x\r\n") => stays([200]);
    OURS "9110 5.4" "100 fields": get(&"A: b\r\n".repeat(99)) => stays([200]);
    OURS "9110 5.4, 6585 5" "101 fields": line(&("A: b\r\n".repeat(99) + "A")) => refused(Refusal::FIELDS_LARGE);

    MUST "9112 5.1" "a space before the colon": line("A ") => refused(Refusal::FIELD_SPACE);
    MUST "9112 5.1" "HTAB before the colon": line("A\t") => refused(Refusal::FIELD_SPACE);
    MUST "9112 5.1" "a space after a longer name": line("A-B ") => refused(Refusal::FIELD_SPACE);
    MUST "9112 5.2" "a folded line": line("A: b\r\n ") => refused(Refusal::FIELD_FOLDED);
    MUST "9112 5.2" "a line folded with HTAB": line("A: b\r\n\t") => refused(Refusal::FIELD_FOLDED);
    MUST "9112 2.2" "a space before the first field": "GET / HTTP/1.1\r\n " => refused(Refusal::FIELD_FOLDED);
    MUST "9112 2.2" "HTAB before the first field": "GET / HTTP/1.1\r\n\t" => refused(Refusal::FIELD_FOLDED);
    MUST "9112 5" "no colon": line("Abc\r") => refused(Refusal::FIELD_COLON);
    MUST "9112 5" "no colon and a bare LF": line("Abc\n") => refused(Refusal::BARE_LF);
    MUST "9110 5.1" "an empty name": line(":") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "NUL in a name": line("A\0") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "NUL for a name": line("\0") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "DEL in a name": line("A\x7f") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a byte above ASCII in a name": [START.as_bytes(), b"A\xe4"].concat() => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "an opening parenthesis in a name": line("A(") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a closing parenthesis in a name": line("A)") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a comma in a name": line("A,") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a slash in a name": line("A/") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a semicolon in a name": line("A;") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "an opening angle bracket in a name": line("A<") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "an equals sign in a name": line("A=") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a closing angle bracket in a name": line("A>") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a question mark in a name": line("A?") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "an at sign in a name": line("A@") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "an opening bracket in a name": line("A[") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a backslash in a name": line("A\\") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a closing bracket in a name": line("A]") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "an opening brace in a name": line("A{") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a closing brace in a name": line("A}") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.1" "a quotation mark in a name": line("A\"") => refused(Refusal::FIELD_NAME);
    MUST "9110 5.5" "NUL in a value": line("A: \0") => refused(Refusal::FIELD_VALUE);
    OURS "9110 5.5" "a control byte in a value": line("A: b\x01") => refused(Refusal::FIELD_VALUE);
    OURS "9110 5.5" "a vertical tab in a value": line("A: b\x0b") => refused(Refusal::FIELD_VALUE);
    OURS "9110 5.5" "a form feed in a value": line("A: b\x0c") => refused(Refusal::FIELD_VALUE);
    OURS "9110 5.5" "ESC in a value": line("A: \x1b") => refused(Refusal::FIELD_VALUE);
    OURS "9110 5.5" "DEL in a value": line("A: b\x7f") => refused(Refusal::FIELD_VALUE);
    MUST "9112 2.2" "a bare CR in a value": line("A: b\rc") => refused(Refusal::BARE_CR);
    MUST "9112 2.2" "two CRs after a value": line("A: b\r\r") => refused(Refusal::BARE_CR);
    OURS "9112 2.2" "a bare LF after a value": line("A: b\n") => refused(Refusal::BARE_LF);
    OURS "9112 2.2" "a bare LF after an empty value": line("A:\n") => refused(Refusal::BARE_LF);
    OURS "9112 2.2" "a bare LF after Host": "GET / HTTP/1.1\r\nHost: a\n" => refused(Refusal::BARE_LF);
    OURS "9112 2.2" "a bare LF ends the head": line("A: b\r\n\n") => refused(Refusal::BARE_LF);
    MUST "9112 2.2" "a bare CR ends the head": line("A: b\r\n\rG") => refused(Refusal::BARE_CR);
    MUST "9110 9.3.2" "a field that is wrong in a HEAD": "HEAD / HTTP/1.1\r\nHost " => refused(Refusal::FIELD_SPACE).for_head();
}

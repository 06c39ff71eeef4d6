//! The Host field (RFC 9112 §3.2, RFC 9110 §7.2, RFC 3986 §3.2.2).

use crate::row::{HEAD, MUST, OURS, Row, closes, filled, refused, rows, stays};
use swagip::http::Refusal;

fn host(value: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost:{value}\r\n\r\n")
}

fn absolute(authority: &str) -> String {
    format!("GET http://{authority}/ HTTP/1.1\r\nHost: a\r\n\r\n")
}

rows! {
    MUST "9110 7.2" "a name": host(" example.org") => stays([200]);
    MUST "9110 7.2" "no space before it": host("a") => stays([200]);
    MUST "9110 5.5" "white space around it": host(" \t a \t ") => stays([200]);
    MUST "9110 5.1" "the field's name in lower case": "GET / HTTP/1.1\r\nhost: a\r\n\r\n" => stays([200]);
    MUST "9110 7.2" "a name with a port": host(" a:8080") => stays([200]);
    MUST "9110 7.2" "the least port": host(" a:0") => stays([200]);
    MUST "9110 7.2" "the greatest port": host(" a:65535") => stays([200]);
    MUST "3986 3.2.2" "an IPv4 address": host(" 192.0.2.1:80") => stays([200]);
    MUST "3986 3.2.2" "an IPv6 address": host(" [2001:db8::1]") => stays([200]);
    MUST "3986 3.2.2" "an IPv6 address with a port": host(" [::1]:80") => stays([200]);
    MUST "3986 3.2.2" "an IPv4-mapped address": host(" [::ffff:192.0.2.1]") => stays([200]);
    MUST "3986 3.2.2" "an address of a later version": host(" [v7.a:b]") => stays([200]);
    MUST "3986 3.2.2" "marks": host(" a-b_c.d~!$&'()*+;=") => stays([200]);
    MUST "3986 3.2.2" "a dot at the end": host(" a.") => stays([200]);
    MUST "3986 3.2.2" "encoded bytes": host(" %61%2Fb:80") => stays([200]);

    MUST "9112 3.2" "none on 1.1": "GET / HTTP/1.1\r\n\r\n" => refused(Refusal::HOST_MISSING);
    MUST "9112 3.2" "none on 1.1, but other fields":
        "GET / HTTP/1.1\r\nHosts: a\r\nX-Host: a\r\n\r\n" => refused(Refusal::HOST_MISSING);
    MUST "9112 3.2" "none on 1.0": "GET / HTTP/1.0\r\n\r\n" => closes([200]);
    MUST "9112 3.2" "none on 1.0 to HEAD": "HEAD / HTTP/1.0\r\n\r\n" => closes([200 | HEAD]);
    MUST "9112 3.2" "twice": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" => refused(Refusal::HOST_REPEATED);
    MUST "9112 3.2" "twice the same": "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" => refused(Refusal::HOST_REPEATED);
    MUST "9112 3.2" "twice in two spellings":
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: a\r\n\r\n" => refused(Refusal::HOST_REPEATED);
    MUST "9112 3.2" "twice on 1.0": "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n" => refused(Refusal::HOST_REPEATED);
    MUST "9112 3.2" "none of a host on 1.0": "GET / HTTP/1.0\r\nHost: a b\r\n\r\n" => refused(Refusal::HOST);
    OURS "9110 4.2.1" "empty": host("") => refused(Refusal::HOST);
    OURS "9110 4.2.1" "white space only": host(" ") => refused(Refusal::HOST);
    OURS "9110 4.2.1" "a port alone": host(" :80") => refused(Refusal::HOST);
    MUST "9112 3.2" "user information": host(" u@a") => refused(Refusal::HOST);
    MUST "9112 3.2" "user and password": host(" u:p@a") => refused(Refusal::HOST);
    MUST "9112 3.2" "a path": host(" a/b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a URI": host(" http://a") => refused(Refusal::HOST);
    OURS "9112 3.2" "a comma": host(" a,b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a list": host(" a, b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a space inside": host(" a b") => refused(Refusal::HOST);
    MUST "9112 3.2" "HTAB inside": host(" a\tb") => refused(Refusal::HOST);
    MUST "9112 3.2" "a query": host(" a?b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a fragment": host(" a#b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a backslash": host(" a\\b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a quotation mark": host(" \"a\"") => refused(Refusal::HOST);
    MUST "9112 3.2" "an angle bracket": host(" a<b") => refused(Refusal::HOST);
    MUST "9112 3.2" "a percent sign that encodes nothing": host(" a%zz") => refused(Refusal::HOST);
    MUST "9112 3.2" "an encoded byte whose second digit is none": host(" a%6z") => refused(Refusal::HOST);
    MUST "9112 3.2" "an encoded byte whose first digit is none": host(" a%z6") => refused(Refusal::HOST);
    MUST "9112 3.2" "half an encoded byte": host(" a%6") => refused(Refusal::HOST);
    MUST "9112 3.2" "UTF-8": host(" ä") => refused(Refusal::HOST);
    OURS "3986 3.2.3" "an empty port": host(" a:") => refused(Refusal::HOST);
    OURS "3986 3.2.3" "a port above 65535": host(" a:65536") => refused(Refusal::HOST);
    OURS "3986 3.2.3" "a port of many digits": host(" a:4294967376") => refused(Refusal::HOST);
    MUST "3986 3.2.3" "a port with a sign": host(" a:+80") => refused(Refusal::HOST);
    MUST "3986 3.2.3" "a port with a letter": host(" a:8o") => refused(Refusal::HOST);
    MUST "3986 3.2.3" "two ports": host(" a:80:80") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "an IPv6 address without brackets": host(" 2001:db8::1") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "a bracket that is not closed": host(" [::1") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "a bracket that was not opened": host(" ::1]") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "empty brackets": host(" []") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "an IPv4 address in brackets": host(" [192.0.2.1]") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "something after the bracket": host(" [::1]a") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "a port after the bracket without a colon": host(" [::1]80") => refused(Refusal::HOST);
    OURS "6874 2" "a zone": host(" [fe80::1%25eth0]") => refused(Refusal::HOST);
    MUST "3986 3.2.2" "a later version without a number": host(" [v.a]") => refused(Refusal::HOST);

    OURS "1035 2.3.4" "255 bytes": host(&filled(" ", 'a', "", 1 + 255)) => stays([200]);
    OURS "1035 2.3.4" "255 bytes and a port": host(&filled(" ", 'a', ":65535", 1 + 261)) => stays([200]);
    OURS "1035 2.3.4" "255 bytes of marks": host(&filled(" ", '!', "", 1 + 255)) => stays([200]);
    OURS "1035 2.3.4" "256 bytes": host(&filled(" ", 'a', "", 1 + 256)) => refused(Refusal::HOST);
    OURS "1035 2.3.4" "256 bytes and a port": host(&filled(" ", 'a', ":1", 1 + 258)) => refused(Refusal::HOST);
    OURS "1035 2.3.4" "a port of many zeros": host(&filled(" a:", '0', "1", 1 + 262)) => refused(Refusal::HOST);
    OURS "1035 2.3.4" "a literal of 256 bytes": host(&filled(" [v1.", 'a', "]", 1 + 256)) => refused(Refusal::HOST);
    OURS "1035 2.3.4" "encoded, 256 bytes": host(&filled(" %61", 'a', "", 1 + 256)) => refused(Refusal::HOST);
    OURS "1035 2.3.4" "15,000 bytes": host(&filled(" ", '!', "", 15_000)) => refused(Refusal::HOST);
    OURS "1035 2.3.4" "255 bytes in an absolute target":
        absolute(&filled("", 'a', ":65535", 261)) => stays([200]);
    OURS "1035 2.3.4" "256 bytes in an absolute target": absolute(&filled("", 'a', "", 256)) => refused(Refusal::HOST);
}

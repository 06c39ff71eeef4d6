//! Methods (RFC 9110 §9).

use crate::row::{HEAD, MUST, OURS, Row, SHOULD, rows, stays};

rows! {
    MUST "9110 9.1" "GET": "GET /source-ip HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    MUST "9110 9.1" "HEAD": "HEAD /ip HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200 | HEAD]);
    MUST "9110 9.3.2" "HEAD of what is not there": "HEAD /a/b HTTP/1.1\r\nHost: a\r\n\r\n" => stays([404 | HEAD]);
    MUST "9110 9.3.2" "HEAD of the readiness": "HEAD /ready HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200 | HEAD]);
    OURS "9110 9.3.7" "OPTIONS": "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([204]);
    OURS "9110 9.3.7" "OPTIONS of what is not there": "OPTIONS /a/b HTTP/1.1\r\nHost: a\r\n\r\n" => stays([204]);
    MUST "9110 15.5.6" "POST": "POST / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    MUST "9110 15.5.6" "POST of what is not there": "POST /a/b HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    MUST "9110 15.5.6" "PUT": "PUT / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    MUST "9110 15.5.6" "DELETE": "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    MUST "9110 15.5.6" "TRACE": "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    MUST "9110 15.5.6" "CONNECT": "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    MUST "5789 2, 9110 15.5.6" "PATCH": "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([405]);
    SHOULD "9110 9.1" "a method that nobody knows": "BREW / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    SHOULD "9110 9.1" "a method of WebDAV": "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    SHOULD "9110 9.1" "a method of one letter": "X / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    SHOULD "9110 9.1" "a method with a hyphen": "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    SHOULD "9110 9.1" "a method that begins like GET": "GETS / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    MUST "9110 9.1" "get in lower case": "get / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    MUST "9110 9.1" "Head in mixed case has content": "Head / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
    SHOULD "9110 9.1" "the method of HTTP/2's preface": "PRI / HTTP/1.1\r\nHost: a\r\n\r\n" => stays([501]);
}

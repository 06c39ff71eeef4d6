//! Other protocols, refused at the first byte that no request has (RFC 9112 §2.2, §3).

use crate::row::{MUST, OURS, Row, SHOULD, cut, refused, rows};
use swagip::http::Refusal;

rows! {
    MUST "9112 3" "a TLS hello": b"\x16" => refused(Refusal::METHOD);
    MUST "9112 3" "an SSL 2 hello": b"\x80" => refused(Refusal::METHOD);
    MUST "9112 3" "SSH, which waits for us": "SSH-2.0-OpenSSH_9.6" => cut(Refusal::HEAD_CUT);
    MUST "9112 3" "SSH": "SSH-2.0-OpenSSH_9.6\r" => refused(Refusal::METHOD);
    MUST "9112 3" "SSH with a comment": "SSH-2.0-OpenSSH_9.6 D" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "NUL": b"\0" => refused(Refusal::METHOD);
    MUST "9112 3" "NUL after a letter, as in UTF-16": "G\0" => refused(Refusal::METHOD);
    MUST "9112 3" "a byte order mark": b"\xef" => refused(Refusal::METHOD);
    OURS "9112 3" "a PROXY header for IPv4": "PROXY T" => refused(Refusal::PROXY_HEADER);
    OURS "9112 3" "a PROXY header that knows nothing": "PROXY U" => refused(Refusal::PROXY_HEADER);
    OURS "9112 3" "a method that is called PROXY": "PROXY x" => refused(Refusal::TARGET_FORM);
    OURS "9112 3" "a binary PROXY header": "\r\n\r\n\0" => refused(Refusal::PROXY_HEADER);
    OURS "9112 3" "NUL after one empty line": "\r\n\0" => refused(Refusal::METHOD);
    SHOULD "9113 3.4, 9110 15.6.6" "the preface of HTTP/2": "PRI * HTTP/2.0\r" => refused(Refusal::VERSION);
    MUST "9112 2.3" "the preface of HTTP/2 with a version that is none": "PRI * HTTP/2\r" => refused(Refusal::VERSION_FORM);
    OURS "9112 3.2.4" "the preface of HTTP/2 with another version": "PRI * HTTP/1" => refused(Refusal::TARGET_FORM);
    OURS "9112 3.2.4" "the preface of HTTP/2 with another target": "PRI *a" => refused(Refusal::TARGET_FORM);
    OURS "9112 3.2.4" "the preface of HTTP/2 with no asterisk": "PRI a" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "SOCKS 5": b"\x05" => refused(Refusal::METHOD);
    MUST "9112 3" "RDP": b"\x03" => refused(Refusal::METHOD);
    MUST "9112 3" "Redis, an array": "*1\r" => refused(Refusal::METHOD);
    MUST "9112 3" "Redis, a word": "PING\r" => refused(Refusal::METHOD);
    MUST "9112 3" "memcached": "get k" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "SMTP": "EHLO e" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "FTP": "USER a" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "IRC": "NICK n" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "SIP": "OPTIONS s" => refused(Refusal::TARGET_FORM);
    MUST "9112 2.3" "RTSP": "DESCRIBE /a R" => refused(Refusal::VERSION_FORM);
    MUST "9112 2.3" "Icecast": "SOURCE /a I" => refused(Refusal::VERSION_FORM);
    MUST "9112 3.2" "SSDP": "M-SEARCH *" => refused(Refusal::TARGET_FORM);
    MUST "9112 3" "JSON": "{" => refused(Refusal::METHOD);
    MUST "9112 3" "XML": "<" => refused(Refusal::METHOD);
    MUST "9112 3" "a response": "HTTP/" => refused(Refusal::METHOD);
    MUST "9112 3" "Java RMI": "JRMI\0" => refused(Refusal::METHOD);
    MUST "9112 3" "WebLogic": "t3 1" => refused(Refusal::TARGET_FORM);
}

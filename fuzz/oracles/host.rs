//! `uri-host [":" port]` (RFC 9110 §7.2, RFC 3986 §3.2.2), read naively: on strings, one rule after the other.

use std::net::Ipv6Addr;

const MARKS: &str = "-._~!$&'()*+;=";

/// Whether this names a host, with a port up to 65535 or none, in no more bytes than are taken.
pub fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, "0"),
    };
    let is_port = port.chars().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_literal = || name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).is_some_and(is_address);
    let is_short = host.len() <= 261 && name.len() <= 255;
    is_short && is_port && (is_literal() || (!name.is_empty() && is_name(name)))
}

fn is_address(literal: &str) -> bool {
    let is_future = |literal: &str| {
        let (version, address) = literal.strip_prefix(['v', 'V'])?.split_once('.')?;
        let is_version = !version.is_empty() && version.chars().all(|digit| digit.is_ascii_hexdigit());
        Some(is_version && !address.is_empty() && address.chars().all(|char| is_plain(char) || char == ':'))
    };
    literal.parse::<Ipv6Addr>().is_ok() || is_future(literal) == Some(true)
}

/// What comes after a percent sign begins with two hexadecimal digits; all else is plain.
fn is_name(name: &str) -> bool {
    let mut parts = name.split('%');
    let is_encoded = |part: &str| part.len() >= 2 && part.chars().take(2).all(|digit| digit.is_ascii_hexdigit());
    parts.next().is_some_and(|part| part.chars().all(is_plain))
        && parts.all(|part| is_encoded(part) && part.chars().all(is_plain))
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || MARKS.contains(char)
}

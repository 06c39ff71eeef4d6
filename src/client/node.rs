//! One hop as a proxy writes it (RFC 7239 §6), including the spellings used in X-Forwarded-For.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, and a port if there is one. The address is canonical: an IPv4-mapped IPv6 address is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
}

impl Node {
    /// Reads `v4`, `v4:port`, `v6`, `[v6]` or `[v6]:port`. A zone id after an IPv6 address (RFC 4007 §11) is dropped, because it means
    /// nothing outside the proxy's machine. `None` for everything else: `unknown`, obfuscated names, garbage.
    pub(super) fn parse(text: &[u8]) -> Option<Node> {
        let text = std::str::from_utf8(text).ok()?;
        // What nearly every proxy writes.
        if let Some(address) = v4(text) {
            return Some(Node { address, port: None });
        }
        let (address, port) = if let Some(bracketed) = text.strip_prefix('[') {
            let (address, rest) = bracketed.split_once(']')?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (v6(address)?, port)
        } else {
            match text.split_once(':') {
                Some((_, rest)) if rest.contains(':') => (v6(text)?, None),
                Some((address, port)) => (v4(address)?, Some(port)),
                None => return None,
            }
        };
        let port = port.map_or(Some(UNKNOWN), number)?;
        Some(Node { address: address.to_canonical(), port: known(port) })
    }
}

/// Port 0, which no connection has.
const UNKNOWN: u16 = 0;

/// The port; `None` for 0, which senders write if they don't know it.
pub(super) fn known(port: u16) -> Option<u16> {
    (port != UNKNOWN).then_some(port)
}

fn v4(text: &str) -> Option<IpAddr> {
    text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

fn v6(text: &str) -> Option<IpAddr> {
    let address = match text.split_once('%') {
        Some((_, zone)) if zone.is_empty() || !zone.bytes().all(|byte| byte.is_ascii_graphic()) => return None,
        Some((address, _)) => address,
        None => text,
    };
    address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// A node-port: a number, or an obfuscated name, which gives no port.
fn number(text: &str) -> Option<u16> {
    match text.as_bytes() {
        [b'_', name @ ..]
            if !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)) =>
        {
            Some(UNKNOWN)
        }
        digits if digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn accepted_spellings() {
        for (text, address, port) in [
            ("203.0.113.9", "203.0.113.9", None),
            ("203.0.113.9:54321", "203.0.113.9", Some(54321)),
            ("203.0.113.9:1", "203.0.113.9", Some(1)),
            ("203.0.113.9:65535", "203.0.113.9", Some(65535)),
            ("203.0.113.9:00080", "203.0.113.9", Some(80)),
            ("203.0.113.9:0", "203.0.113.9", None),
            ("203.0.113.9:_x.y-1_Z", "203.0.113.9", None),
            ("::", "::", None),
            ("::1", "::1", None),
            ("2001:DB8::1", "2001:db8::1", None),
            ("2001:db8::1:8080", "2001:db8::1:8080", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:443", "2001:db8::1", Some(443)),
            ("[2001:db8::1]:_p", "2001:db8::1", None),
            ("::ffff:203.0.113.9", "203.0.113.9", None),
            ("::ffff:cb00:7109", "203.0.113.9", None),
            ("[::FFFF:203.0.113.9]:80", "203.0.113.9", Some(80)),
            ("fe80::1%eth0", "fe80::1", None),
            ("[fe80::1%25eth0]:80", "fe80::1", Some(80)),
        ] {
            let node = Node { address: address.parse().unwrap(), port };
            assert_eq!(Node::parse(text.as_bytes()), Some(node), "{text}");
        }
    }

    #[test]
    fn everything_else_is_no_node() {
        for text in [
            "",
            " ",
            "unknown",
            "Unknown",
            "_hidden",
            "unknown:80",
            "_hidden:80",
            "example.net",
            "203.0.113",
            "203.0.113.9.1",
            "203.0.113.256",
            "0203.0.113.9",
            "203.0.113.9 ",
            " 203.0.113.9",
            "203.0.113.9:",
            "203.0.113.9:65536",
            "203.0.113.9:+80",
            "203.0.113.9:-1",
            "203.0.113.9:000080",
            "203.0.113.9:8o",
            "203.0.113.9:_",
            "203.0.113.9:_!",
            "203.0.113.9:80:80",
            "203.0.113.9%eth0",
            "203.0.113.9/32",
            "[203.0.113.9]",
            "[203.0.113.9]:80",
            "[]",
            "[",
            "]",
            "[::1",
            "::1]",
            "[::1]80",
            "[::1]:",
            "[::1]:x",
            "[::1]:80:80",
            "[[::1]]",
            "::1%",
            "[::1%]",
            "::1%a b",
            "::ffff:203.0.113.9:80",
            ":80",
            ":",
            ":::",
            "1:2:3:4:5:6:7:8:9",
            "\"203.0.113.9\"",
            "for=203.0.113.9",
            "\u{661}.2.3.4",
        ] {
            assert_eq!(Node::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Node::parse(b"203.0.113.9\xff"), None);
    }
}

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
        // What nearly every proxy writes.
        if let Some(address) = v4(text) {
            return Some(Node { address, port: None });
        }
        let text = std::str::from_utf8(text).ok()?;
        let (address, port) = if let Some(bracketed) = text.strip_prefix('[') {
            let (address, rest) = bracketed.split_once(']')?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (v6(address)?, port)
        } else {
            match text.split_once(':') {
                Some((_, rest)) if rest.contains(':') => (v6(text)?, None),
                Some((address, port)) => (v4(address.as_bytes())?, Some(port)),
                None => return None,
            }
        };
        let port = port.map_or(Some(UNKNOWN), node_port)?;
        Some(Node { address: address.to_canonical(), port: known(port) })
    }
}

/// Port 0, which no connection has.
const UNKNOWN: u16 = 0;

/// The port; `None` for 0, which senders write if they don't know it.
pub(super) fn known(port: u16) -> Option<u16> {
    (port != UNKNOWN).then_some(port)
}

/// What `Ipv4Addr`'s own parser takes: four numbers up to 255, without leading zeros. That one wants the text checked for UTF-8 first;
/// this reads each byte once.
fn v4(text: &[u8]) -> Option<IpAddr> {
    let mut octets = [0; 4];
    let (mut index, mut value, mut has_digit) = (0, 0_u8, false);
    for &byte in text {
        match byte {
            b'0'..=b'9' if !has_digit || value != 0 => {
                value = value.checked_mul(10)?.checked_add(byte - b'0')?;
                has_digit = true;
            }
            b'.' if has_digit && index < 3 => {
                octets[index] = value;
                (index, value, has_digit) = (index + 1, 0, false);
            }
            _ => return None,
        }
    }
    octets[3] = value;
    (index == 3 && has_digit).then(|| IpAddr::V4(Ipv4Addr::from(octets)))
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
fn node_port(text: &str) -> Option<u16> {
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
    use proptest::prelude::*;

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
    fn dotted_decimals_are_those_of_the_standard_library() {
        let mut seen = 0;
        for text in [
            "0", "00", "01", "1", "9", "10", "99", "100", "199", "200", "249", "255", "256", "260", "300", "999", "1000", "",
            " 1", "1 ", "+1", "a",
        ] {
            for (before, after) in [
                ("", ".0.0.1"),
                ("1.2.3.", ""),
                ("1.", ".3.4"),
                ("1.2.", ".4"),
                ("", ""),
                ("1.2.3.4.", ""),
                ("", ".2.3"),
                (".", ".2.3.4"),
                ("1..", ".4"),
            ] {
                let text = format!("{before}{text}{after}");
                let standard = text.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
                assert_eq!(v4(text.as_bytes()), standard, "{text}");
                seen += usize::from(standard.is_some());
            }
        }
        assert!(seen > 20, "{seen} of them are addresses");
        assert_eq!(v4(b"1.2.3.\xff"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_if_the_standard_library_says_so(text in "[0-9.]{0,16}|([0-9]{1,3}[.]){3}[0-9]{1,3}") {
            prop_assert_eq!(v4(text.as_bytes()), text.parse::<Ipv4Addr>().ok().map(IpAddr::V4));
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

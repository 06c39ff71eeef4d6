//! The client's address and port, and how addresses are written.

use super::{Context, ResponseHead};
use crate::http::response::decimal;
use crate::http::target::{Target, decoded};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `/ip`, `/source-ip`: the address, without negotiation.
pub fn ip(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    match asked(context) {
        Ok(None) if text(context, content) => ResponseHead::OpenText,
        Ok(None) => ResponseHead::OpenNotFound,
        Ok(Some(ip)) => {
            write(content, &ip);
            context.end_text(content);
            ResponseHead::OpenText
        }
        Err(NoAddress) => no_address(context, content),
    }
}

/// `?ip=` names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAddress;

/// The address that is asked about with `?ip=`; `None`: the client's own. Without databases there is nothing to be asked about others,
/// and the query means nothing.
///
/// # Errors
/// What it names is no address.
pub fn asked(context: &Context<'_>) -> Result<Option<IpAddr>, NoAddress> {
    match (context.databases, context.request.target.query) {
        (Some(_), Some(_)) => named(&context.request.target),
        _ => Ok(None),
    }
}

#[inline(never)] // 30 instructions of /json, with that of `write_v6`.
fn named(target: &Target<'_>) -> Result<Option<IpAddr>, NoAddress> {
    /// `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`
    const LENGTH_MAX: usize = 45;
    let Some(value) = target.parameter(b"ip") else { return Ok(None) };
    let mut text = [0; LENGTH_MAX + 1];
    let mut length = 0;
    for (place, byte) in text.iter_mut().zip(decoded(value)) {
        *place = byte;
        length += 1;
    }
    let text = std::str::from_utf8(&text[..length]).map_err(|_| NoAddress)?;
    text.parse().map(|ip: IpAddr| Some(ip.to_canonical())).map_err(|_| NoAddress)
}

/// What is answered to a question about something else than an address.
pub fn no_address(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    context.sentence(ResponseHead::OpenBadRequest, "?ip= takes an IPv4 or IPv6 address", content)
}

/// `/port`, `/source-port`: the client's own port, if known; never a proxy's.
pub fn port(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    let Some(port) = context.client.port else { return ResponseHead::OpenNotFound };
    decimal(content, port.into());
    context.end_text(content);
    ResponseHead::OpenText
}

/// Appends the address as text; returns false if it is not known.
pub fn text(context: &Context<'_>, content: &mut Vec<u8>) -> bool {
    let Some(ip) = &context.client.address else { return false };
    write(content, ip);
    context.end_text(content);
    true
}

/// Appends an address as `Display` writes it (IPv6 as in RFC 5952). For IPv4 that would be 1,000 instructions more, and number after
/// number 300.
pub fn write(content: &mut Vec<u8>, ip: &IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            let mut text = [0; 16];
            let mut length = 0;
            for octet in ip.octets() {
                let (digits, count) = &OCTETS[usize::from(octet)];
                text[length..length + 4].copy_from_slice(digits);
                length += usize::from(*count);
            }
            // Copying all 16 bytes is two words; then the last dot and the rest are cut off.
            let end = content.len() + length - 1;
            content.extend_from_slice(&text);
            content.truncate(end);
        }
        IpAddr::V6(ip) => write_v6(content, ip),
    }
}

#[inline(never)] // See `named`.
fn write_v6(content: &mut Vec<u8>, ip: &Ipv6Addr) {
    // Writing to a Vec does not fail.
    let _ = write!(content, "{ip}");
}

/// The decimal digits of every octet with a dot after them, and their length.
const OCTETS: [([u8; 4], u8); 256] = {
    let mut table = [([b'.'; 4], 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let digits = [b'0' + (octet / 100) as u8, b'0' + (octet / 10 % 10) as u8, b'0' + (octet % 10) as u8];
        table[octet] = match octet {
            0..10 => ([digits[2], b'.', 0, 0], 2),
            10..100 => ([digits[1], digits[2], b'.', 0], 3),
            _ => ([digits[0], digits[1], digits[2], b'.'], 4),
        };
        octet += 1;
    }
    table
};

/// Appends an address as a decimal number, like echoip's `ip_decimal`.
pub fn write_decimal(content: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => decimal(content, u32::from(ip).into()),
        IpAddr::V6(ip) => drop(write!(content, "{}", u128::from(ip))),
    }
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// That of an address.
    pub fn of(ip: IpAddr) -> Family {
        if ip.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// The one that this is not.
    pub fn other(self) -> Family {
        match self {
            Family::V4 => Family::V6,
            Family::V6 => Family::V4,
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

/// What kind of address this is, if it is not public (global unicast, RFC 6890 and IANA's registries).
pub fn kind(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

/// Whether an address belongs to one host on the Internet. One that is translated or tunnelled to an IPv4 address does not count, because
/// that may be private.
pub fn is_global(ip: IpAddr) -> bool {
    let embeds_ipv4 = match ip {
        IpAddr::V4(_) => false,
        // NAT64 (RFC 6052, 8215), Teredo (RFC 4380), 6to4 (RFC 3056).
        IpAddr::V6(ip) => matches!(ip.segments(), [0x64, 0xff9b, ..] | [0x2001, 0, ..] | [0x2002, ..]),
    };
    !embeds_ipv4 && kind(ip).is_none()
}

fn kind_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        [127, ..] => Some(LOOPBACK),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(PRIVATE),
        [169, 254, ..] => Some(LINK_LOCAL),
        [100, 64..=127, ..] => Some("an address that your provider shares between customers, not a public one"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(DOCUMENTATION),
        [0, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [224..=255, ..] => Some(RESERVED),
        _ => None,
    }
}

fn kind_v6(ip: Ipv6Addr) -> Option<&'static str> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(LOOPBACK),
        [0xfc00..=0xfdff, ..] => Some(PRIVATE),
        [0xfe80..=0xfebf, ..] => Some(LINK_LOCAL),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(DOCUMENTATION),
        // It stands for an IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => kind_v4((u32::from(high) << 16 | u32::from(low)).into()),
        // IANA's own 2001::/23: Teredo, anycast addresses, AMT, AS112, ORCHIDv2 and drones are global there, and nothing else.
        [0x2001, 0 | 3 | 0x20..=0x3f, ..] | [0x2001, 1, 0, 0, 0, 0, 0, 1..=3] | [0x2001, 4, 0x112, ..] => None,
        [0x2001, ..=0x1ff, ..] => Some(RESERVED),
        // All that has been allocated.
        [0x2000..=0x3fff, ..] => None,
        _ => Some(RESERVED),
    }
}

const LOOPBACK: &str = "this machine's own loopback address, not a public one";
const PRIVATE: &str = "a private address, not a public one: you and this server share a network";
const LINK_LOCAL: &str = "a link-local address, not a public one: you and this server share a link";
const DOCUMENTATION: &str = "an address for examples in documentation, not a public one";
const RESERVED: &str = "a reserved address, not a public one";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_std_writes_them() {
        for octet in 0..=255u8 {
            for ip in [[octet, 0, 10, 255], [1, octet, 99, 100], [9, 200, octet, 1], [255, 255, 255, octet]] {
                let mut content = Vec::new();
                write(&mut content, &ip.into());
                assert_eq!(String::from_utf8_lossy(&content), IpAddr::from(ip).to_string());
            }
        }
        let mut content = Vec::new();
        write(&mut content, &"2001:db8::1:0:0:1".parse().unwrap_or(IpAddr::from([0; 4])));
        assert_eq!(content, b"2001:db8::1:0:0:1");
    }

    #[test]
    fn public_is_said_only_of_public_addresses() {
        for (address, expected) in [
            ("9.9.9.9", None),
            ("100.63.255.255", None),
            ("172.32.0.1", None),
            ("2606:4700::1111", None),
            ("64:ff9b::9.9.9.9", None),
            ("64:ff9b::10.0.0.1", Some(PRIVATE)),
            ("2001:1::1", None),
            ("2001:1::4", Some(RESERVED)),
            ("2001:2::1", Some(RESERVED)),
            ("2001:10::1", Some(RESERVED)),
            ("2001:20::1", None),
            ("2001:4:112::1", None),
            ("2001:200::1", None),
            ("127.1.2.3", Some(LOOPBACK)),
            ("::1", Some(LOOPBACK)),
            ("10.0.0.1", Some(PRIVATE)),
            ("172.31.0.1", Some(PRIVATE)),
            ("192.168.1.9", Some(PRIVATE)),
            ("fd00::1", Some(PRIVATE)),
            ("169.254.1.1", Some(LINK_LOCAL)),
            ("fe80::1", Some(LINK_LOCAL)),
            ("203.0.113.9", Some(DOCUMENTATION)),
            ("2001:db8::1", Some(DOCUMENTATION)),
            ("0.1.2.3", Some(RESERVED)),
            ("224.0.0.1", Some(RESERVED)),
            ("240.0.0.1", Some(RESERVED)),
            ("ff02::1", Some(RESERVED)),
            ("::", Some(RESERVED)),
        ] {
            assert_eq!(kind(address.parse().unwrap()), expected, "{address}");
        }
        assert!(kind("100.64.0.1".parse().unwrap()).is_some_and(|kind| kind.contains("provider")));
    }
}

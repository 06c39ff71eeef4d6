//! The client's address and port, and how addresses are written.

use super::{Head, Inquiry};
use crate::http::response::decimal;
use std::io::Write;
use std::net::{IpAddr, Ipv6Addr};

/// `/ip`, `/source-ip`: the address, and no negotiation.
pub fn ip(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    if text(inquiry, content) { Head::OpenText } else { Head::OpenNotFound }
}

/// `/port`, `/source-port`: the client's own port, where it is known; never a proxy's.
pub fn port(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> Head {
    let Some(port) = inquiry.client.port else { return Head::OpenNotFound };
    decimal(content, port.into());
    inquiry.end_text(content);
    Head::OpenText
}

/// Appends the address as text; false, and nothing, where it is not known.
pub fn text(inquiry: &Inquiry<'_>, content: &mut Vec<u8>) -> bool {
    let Some(ip) = &inquiry.client.address else { return false };
    write(content, ip);
    inquiry.end_text(content);
    true
}

/// Appends an address as `Display` writes it (IPv6 as RFC 5952 wants it), five times as fast for IPv4.
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
            // All of it, which the compiler makes two words, without the last dot and what is behind it.
            let end = content.len() + length - 1;
            content.extend_from_slice(&text);
            content.truncate(end);
        }
        IpAddr::V6(ip) => write_v6(content, ip),
    }
}

#[inline(never)]
fn write_v6(content: &mut Vec<u8>, ip: &Ipv6Addr) {
    // Writing to a Vec does not fail.
    let _ = write!(content, "{ip}");
}

/// The decimal digits of every octet and the dot behind them, and how many bytes that is.
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

/// Appends an address as the number that its bits make, as echoip's `ip_decimal`.
pub fn write_decimal(content: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => decimal(content, u32::from(ip).into()),
        IpAddr::V6(ip) => drop(write!(content, "{}", u128::from(ip))),
    }
}

#[cfg(test)]
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
}

//! The PROXY protocol's header (HAProxy's doc/proxy-protocol.txt), read naively, where it is all there and all right.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use swagip::client::proxy_protocol::{Header, V1_MAX, V2_MAX};

/// The header at the beginning of the bytes, and its length.
pub fn read(bytes: &[u8]) -> Option<(Header, usize)> {
    line(bytes).or_else(|| binary(bytes))
}

fn line(bytes: &[u8]) -> Option<(Header, usize)> {
    let line: String = bytes.iter().take(V1_MAX).map(|&byte| char::from(byte)).collect();
    let (line, _) = line.split_once("\r\n").filter(|(line, _)| !line.contains('\r'))?;
    let header = match line.split(' ').collect::<Vec<_>>()[..] {
        ["PROXY", "UNKNOWN", ..] => Header::Unknown,
        ["PROXY", family, source, destination, source_port, destination_port] => {
            let read = |address: &str| match family {
                "TCP4" => address.parse().ok().map(|address: Ipv4Addr| IpAddr::from(address)),
                "TCP6" => address.parse().ok().map(|address: Ipv6Addr| IpAddr::from(address)),
                _ => None,
            };
            let port = |digits: &str| digits.parse::<u16>().ok().filter(|port| port.to_string() == digits);
            let (_, _) = (read(destination)?, port(destination_port)?);
            Header::Source((read(source)?, port(source_port)?).into())
        }
        _ => return None,
    };
    // One byte for each character: they were read as Latin-1.
    Some((header, line.chars().count() + 2))
}

fn binary(bytes: &[u8]) -> Option<(Header, usize)> {
    let block = bytes.strip_prefix(b"\r\n\r\n\0\r\nQUIT\n")?;
    let [command, family, high, low, block @ ..] = block else { return None };
    let length = usize::from(*high) * 256 + usize::from(*low);
    let block = block.get(..length).filter(|_| 16 + length <= V2_MAX)?;
    let port = |at: usize| u16::from_be_bytes([block[at], block[at + 1]]);
    let header = match (command, family) {
        (0x20, _) => Header::Local,
        (0x21, 0x11 | 0x12) => {
            let address: [u8; 4] = block.get(..12)?[..4].try_into().ok()?;
            Header::Source((address, port(8)).into())
        }
        (0x21, 0x21 | 0x22) => {
            let address: [u8; 16] = block.get(..36)?[..16].try_into().ok()?;
            Header::Source((address, port(32)).into())
        }
        (0x21, _) => Header::Unknown,
        _ => return None,
    };
    Some((header, 16 + length))
}

//! The trust list: the addresses of trusted proxies.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `loopback`: RFC 1122 §3.2.1.3, RFC 4291 §2.5.3.
const LOOPBACK: [IpNet; 2] = [v4([127, 0, 0, 0], 8), v6(Ipv6Addr::LOCALHOST, 128)];

/// `private`: RFC 1918, RFC 6598 (carriers), RFC 3927 and RFC 4291 (one link), RFC 4193 (unique local).
const PRIVATE: [IpNet; 7] = [
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v4([100, 64, 0, 0], 10),
    v4([169, 254, 0, 0], 16),
    v6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(address: Ipv6Addr, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(address, length))
}

/// The networks in which every address is a trusted proxy, `--trusted-proxy`. Empty by default.
///
/// A look-up takes O(log networks): there is one for each connection and each hop, and a large CDN has thousands of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustList {
    /// As they were given.
    networks: Vec<IpNet>,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

/// Sorted ranges (first, last) that don't overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges<T>(Vec<(T, T)>);

impl<T: Copy + Ord> Ranges<T> {
    fn new(mut ranges: Vec<(T, T)>) -> Ranges<T> {
        ranges.sort_unstable();
        let mut disjoint: Vec<(T, T)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match disjoint.last_mut() {
                Some((_, end)) if first <= *end => *end = last.max(*end),
                _ => disjoint.push((first, last)),
            }
        }
        Ranges(disjoint)
    }

    fn contains(&self, value: T) -> bool {
        let after = self.0.partition_point(|&(first, _)| first <= value);
        after > 0 && value <= self.0[after - 1].1
    }
}

impl TrustList {
    /// The list of these entries: networks (`10.0.0.0/8`, host bits are dropped), addresses, `loopback` and `private`.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<TrustList, NotANetwork> {
        let mut networks = Vec::new();
        for entry in entries {
            match entry {
                "loopback" => networks.extend(LOOPBACK),
                "private" => networks.extend(PRIVATE),
                _ => networks.push(network(entry).ok_or_else(|| NotANetwork(entry.to_owned()))?),
            }
        }
        Ok(TrustList::of(networks))
    }

    fn of(networks: Vec<IpNet>) -> TrustList {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in &networks {
            match network {
                IpNet::V4(network) => v4.push((network.network().to_bits(), network.broadcast().to_bits())),
                IpNet::V6(network) => v6.push((network.network().to_bits(), network.broadcast().to_bits())),
            }
        }
        TrustList { networks, v4: Ranges::new(v4), v6: Ranges::new(v6) }
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether the address is a trusted proxy's. An IPv4-mapped IPv6 address is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }
}

/// As the start line says it: `trusting 10.0.0.0/8, ::1/128`, `trusting no proxy`.
impl fmt::Display for TrustList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.networks.split_first() else { return f.write_str("no proxy") };
        write!(f, "{first}")?;
        others.iter().try_for_each(|network| write!(f, ", {network}"))
    }
}

/// Whether an address is in a range that proxies usually have and clients of a public site don't.
pub(super) fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    LOOPBACK.iter().chain(&PRIVATE).any(|network| network.contains(&address))
}

fn network(entry: &str) -> Option<IpNet> {
    let (address, length) = match entry.split_once('/') {
        // Digits only: `parse` would accept a sign.
        Some((_, length)) if !length.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (entry, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let network = IpNet::new(address, length.unwrap_or(bits)).ok()?.trunc();
    Some(canonical(network))
}

/// The IPv4 network for an IPv4-mapped one (`::ffff:10.0.0.0/104`), because that is how addresses are compared.
fn canonical(network: IpNet) -> IpNet {
    /// The bits of the prefix before the IPv4 address.
    const MAPPED_BITS: u8 = 96;
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(MAPPED_BITS)) {
        (IpAddr::V4(address), Some(length)) => Ipv4Net::new(address, length).map_or(network, IpNet::V4),
        _ => network,
    }
}

/// An invalid entry; displays as the message for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotANetwork(pub String);

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not a network: try an address, a network like 10.0.0.0/8, loopback or private", self.0)
    }
}

impl std::error::Error for NotANetwork {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn list(entries: &str) -> TrustList {
        TrustList::parse(entries.split_terminator(' ')).unwrap()
    }

    #[test]
    fn membership() {
        for (entries, inside, outside) in [
            ("", "", "127.0.0.1 ::1 0.0.0.0 ::"),
            ("10.1.2.3", "10.1.2.3 ::ffff:10.1.2.3", "10.1.2.2 10.1.2.4 ::10.1.2.3"),
            ("10.1.2.3/8", "10.0.0.0 10.255.255.255 ::ffff:10.9.9.9", "9.255.255.255 11.0.0.0"),
            ("10.1.2.3/31", "10.1.2.2 10.1.2.3", "10.1.2.1 10.1.2.4"),
            ("0.0.0.0/0", "1.2.3.4 ::ffff:1.2.3.4", "::1 2001:db8::1"),
            ("::/0", "::1 2001:db8::1", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::1", "2001:db8:: 2001:db8::2"),
            ("2001:db8:ffff::1/32", "2001:db8:: 2001:db8:ffff::", "2001:db7:ffff:: 2001:db9::"),
            ("::ffff:10.0.0.1", "10.0.0.1 ::ffff:10.0.0.1", "10.0.0.2"),
            ("::ffff:10.0.0.1/104", "10.255.255.255", "11.0.0.0 ::10.0.0.1"),
            ("::ffff:0:0/96", "1.2.3.4", "::1"),
            ("::ffff:0:0/95", "::fffe:0:0", "1.2.3.4"),
            ("192.0.2.1 198.51.100.0/24 ::1", "192.0.2.1 198.51.100.9 ::1", "192.0.2.2 198.51.101.0 ::2"),
            ("loopback", "127.0.0.1 127.255.255.255 ::1", "128.0.0.0 126.255.255.255 ::2 10.0.0.1"),
            (
                "private",
                "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 100.64.0.0 100.127.255.255 \
                 169.254.0.0 169.254.255.255 fc00:: fdff::1 fe80:: febf::1",
                "9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 100.63.255.255 100.128.0.0 \
                 169.253.255.255 169.255.0.0 fbff::1 fe00:: fe7f::1 fec0:: 127.0.0.1 ::1",
            ),
        ] {
            let list = list(entries);
            for address in inside.split_whitespace() {
                assert!(list.contains(address.parse().unwrap()), "{entries} has {address}");
            }
            for address in outside.split_whitespace() {
                assert!(!list.contains(address.parse().unwrap()), "{entries} has no {address}");
            }
        }
    }

    #[test]
    fn networks_that_overlap_make_one_range() {
        let list =
            list("10.0.0.0/8 10.1.0.0/16 10.255.255.255 11.0.0.0/8 9.0.0.1 0.0.0.0/32 255.255.255.255 ::/1 ffff::/16 4000::/3");
        assert_eq!(list.v4.0.len(), 5, "{:?}", list.v4);
        assert_eq!(list.v6.0.len(), 2, "{:?}", list.v6);
        for (address, inside) in [
            ("0.0.0.0", true),
            ("0.0.0.1", false),
            ("9.0.0.1", true),
            ("9.0.0.2", false),
            ("10.200.0.0", true),
            ("11.255.255.255", true),
            ("12.0.0.0", false),
            ("255.255.255.255", true),
            ("7fff::", true),
            ("8000::", false),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
        ] {
            assert_eq!(list.contains(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn local_is_private_or_loopback() {
        for (address, local) in
            [("10.0.0.1", true), ("::ffff:10.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("203.0.113.9", false)]
        {
            assert_eq!(is_local(address.parse().unwrap()), local, "{address}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for entry in [
            "",
            " ",
            "haproxy",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0/8",
            "010.0.0.0/8",
            "[::1]",
            "10.0.0.1:80",
            "Loopback",
        ] {
            let error = TrustList::parse(["::1", entry]).unwrap_err();
            assert_eq!(error, NotANetwork(entry.to_owned()));
            assert!(error.to_string().starts_with(&format!("\"{entry}\" is not a network: try ")), "{error}");
        }
    }

    #[test]
    fn shown_as_the_networks_it_has() {
        assert_eq!(list("").to_string(), "no proxy");
        assert_eq!(list("10.1.2.3/8").to_string(), "10.0.0.0/8");
        assert_eq!(list("10.1.2.3/8 loopback ::ffff:192.0.2.1").to_string(), "10.0.0.0/8, 127.0.0.0/8, ::1/128, 192.0.2.1/32");
    }
}

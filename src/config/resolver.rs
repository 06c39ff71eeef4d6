//! Reads which DNS resolver is asked, and of which addresses.

use super::UsageError;
use super::address::{canonical, is_name, is_number, without_brackets};
use super::given::Given;
use crate::client::TrustList;
use crate::resource::ReverseDns;
use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Where a resolver listens (RFC 1035 §4.2).
const PORT: u16 = 53;

/// Where this machine's resolvers stand (resolv.conf(5)).
const SYSTEM: &str = "/etc/resolv.conf";

/// `off`, `system` or an address.
pub(super) fn resolver(given: &Given) -> Result<Option<SocketAddr>, UsageError> {
    match given.text() {
        "off" => Ok(None),
        "system" => {
            let text = fs::read_to_string(SYSTEM).map_err(|error| {
                given.wrong(format_args!("needs {SYSTEM}, which cannot be read ({error}): try --reverse-dns 127.0.0.53"))
            })?;
            nameserver(&text).map(Some).ok_or_else(|| {
                given
                    .wrong(format_args!("finds no nameserver in {SYSTEM}: try --reverse-dns 127.0.0.53, or the address of yours"))
            })
        }
        _ => given.read(address).map(Some),
    }
}

/// Of which addresses this resolver is asked the names: a private one is the operator's own, and may know private ones.
pub(super) fn scope(resolver: Option<SocketAddr>) -> ReverseDns {
    let is_private = |ip: IpAddr| TrustList::parse(["loopback", "private"]).is_ok_and(|list| list.contains(ip));
    match resolver {
        None => ReverseDns::Off,
        Some(resolver) if is_private(resolver.ip()) => ReverseDns::All,
        Some(_) => ReverseDns::Public,
    }
}

/// The first of a resolv.conf that is an address. One may name an interface (`fe80::1%eth0`), which nothing here looks up.
fn nameserver(text: &str) -> Option<SocketAddr> {
    let address_of = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|word| *word == "nameserver").and_then(|_| words.next()).and_then(bare)
    };
    let is_host = |found: &SocketAddr| !found.ip().is_unspecified() && !found.ip().is_multicast();
    text.lines().filter_map(address_of).find(is_host).map(|ip| with_port(ip, PORT))
}

/// `9.9.9.9`, `9.9.9.9:5353`, `::1`, `[::1]`, `[::1]:5353`, `fe80::1%2`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let address = match (bare(without_brackets(text)), text.parse::<SocketAddr>()) {
        (Some(ip), _) => with_port(ip, PORT),
        (None, Ok(address)) => canonical(address),
        (None, Err(_)) => return Err(no_resolver(text)),
    };
    match address {
        _ if address.port() == 0 => Err(format!("has port 0, which cannot be used: try {}", SocketAddr::new(address.ip(), PORT))),
        _ if address.ip().is_unspecified() => Err("is not a resolver's address: try 127.0.0.1".to_owned()),
        _ if address.ip().is_multicast() => Err("is a multicast address, not that of a resolver: try 127.0.0.53".to_owned()),
        _ => Ok(address),
    }
}

/// An address without a port, as that of a socket with port 0: a zone may stand in it, as a number.
fn bare(text: &str) -> Option<SocketAddr> {
    match text.parse::<IpAddr>() {
        Ok(ip) => Some(canonical(SocketAddr::new(ip, 0))),
        Err(_) => {
            let (ip, zone) = text.split_once('%')?;
            let (ip, zone) = (ip.parse::<Ipv6Addr>().ok()?, zone.parse().ok().filter(|_| is_number(zone))?);
            Some(SocketAddrV6::new(ip, 0, 0, zone).into())
        }
    }
}

fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}

/// Why a text is no resolver.
fn no_resolver(text: &str) -> String {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    match bare(without_brackets(host)) {
        Some(ip) if is_number(port) => format!("has a port above 65535: try {}", with_port(ip, PORT)),
        _ if host == "localhost" || text == "localhost" => {
            "is a hostname: give the resolver's address, as in 127.0.0.1".to_owned()
        }
        _ if is_name(host) && (port.is_empty() || is_number(port)) => {
            "is a hostname: give the resolver's address, or \"system\"".to_owned()
        }
        _ => "is not the address of a resolver: try 127.0.0.53, [::1]:5353 or \"system\"".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn resolvers() {
        for (text, expected, expected_scope) in [
            ("9.9.9.9", "9.9.9.9:53", ReverseDns::Public),
            ("9.9.9.9:5353", "9.9.9.9:5353", ReverseDns::Public),
            ("2620:fe::fe", "[2620:fe::fe]:53", ReverseDns::Public),
            ("127.0.0.53", "127.0.0.53:53", ReverseDns::All),
            ("192.168.1.1", "192.168.1.1:53", ReverseDns::All),
            ("100.100.100.100", "100.100.100.100:53", ReverseDns::All),
            ("::1", "[::1]:53", ReverseDns::All),
            ("[::1]", "[::1]:53", ReverseDns::All),
            ("[::1]:5353", "[::1]:5353", ReverseDns::All),
            ("fe80::1%2", "[fe80::1%2]:53", ReverseDns::All),
            ("[fe80::1%2]:5353", "[fe80::1%2]:5353", ReverseDns::All),
            ("::ffff:10.0.0.1", "10.0.0.1:53", ReverseDns::All),
            ("[::ffff:9.9.9.9]:54", "9.9.9.9:54", ReverseDns::Public),
        ] {
            let found = address(text);
            assert_eq!((found.clone(), scope(found.ok())), (Ok(expected.parse().unwrap()), expected_scope), "{text}");
        }
        assert_eq!(scope(None), ReverseDns::Off);
    }

    #[test]
    fn what_is_no_resolver() {
        let none = "is not the address of a resolver: try 127.0.0.53, [::1]:5353 or \"system\"";
        let name = "is a hostname: give the resolver's address, or \"system\"";
        for (text, reason) in [
            ("", none),
            (":53", none),
            ("9.9.9", none),
            ("https://dns.example/dns-query", none),
            ("fe80::1%eth0", none),
            ("dns.example", name),
            ("dns.example:53", name),
            ("System", name),
            ("localhost", "is a hostname: give the resolver's address, as in 127.0.0.1"),
            ("localhost:53", "is a hostname: give the resolver's address, as in 127.0.0.1"),
            ("9.9.9.9:0", "has port 0, which cannot be used: try 9.9.9.9:53"),
            ("9.9.9.9:65536", "has a port above 65535: try 9.9.9.9:53"),
            ("[::1]:70000", "has a port above 65535: try [::1]:53"),
            ("0.0.0.0", "is not a resolver's address: try 127.0.0.1"),
            ("[::]:53", "is not a resolver's address: try 127.0.0.1"),
            ("224.0.0.251", "is a multicast address, not that of a resolver: try 127.0.0.53"),
        ] {
            assert_eq!(address(text), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_first_nameserver() {
        for (text, expected) in [
            ("# a\nsearch b\nnameserver 127.0.0.53\nnameserver 9.9.9.9\n", Some("127.0.0.53:53")),
            ("; nameserver 9.9.9.9\n#nameserver 9.9.9.9\n\tnameserver\t2001:db8::1 # comment\n", Some("[2001:db8::1]:53")),
            ("nameserver fe80::1%eth0\nnameserver 10.0.0.1", Some("10.0.0.1:53")),
            ("nameserver fe80::1%2", Some("[fe80::1%2]:53")),
            ("nameserver\nnameservers 9.9.9.9\noptions edns0\n", None),
            ("", None),
        ] {
            assert_eq!(nameserver(text), expected.map(|text| text.parse().unwrap()), "{text}");
        }
    }
}

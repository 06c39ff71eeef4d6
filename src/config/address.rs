//! Reads an address to listen on, or a network to trust. An error completes a sentence that begins with the text: what is wrong with
//! it, and what to type instead.

use crate::client::TrustList;
use crate::net::{DEFAULT_PORT, Listen, ListenerKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `8080`, `:8080`, `0.0.0.0:8080`, `[::]:8080`.
pub(super) fn listen(text: &str) -> Result<Listen, String> {
    let digits = text.strip_prefix(':').unwrap_or(text);
    if is_number(digits) {
        return port(digits);
    }
    let address: SocketAddr = text.parse().map_err(|_| no_socket_address(text))?;
    let address = canonical(address);
    if address.ip().is_multicast() {
        return Err(format!("is a multicast address, which TCP cannot use: try {}", address.port()));
    }
    Ok(Listen { address, any: false, kind: ListenerKind::Plain })
}

/// Of an IPv4-mapped IPv6 address the IPv4 address.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

/// Every address of this machine.
pub(super) fn any(port: u16) -> Listen {
    Listen { address: (Ipv6Addr::UNSPECIFIED, port).into(), any: true, kind: ListenerKind::Plain }
}

/// `PORT`, as many hosting providers set it.
pub(super) fn port(text: &str) -> Result<Listen, String> {
    match is_number(text) {
        true => text.parse().map(any).map_err(|_| format!("is not a port, the highest is 65535: try {DEFAULT_PORT}")),
        false => Err(format!("is not a port: try {DEFAULT_PORT}")),
    }
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Why a text is not `ADDRESS:PORT`.
fn no_socket_address(text: &str) -> String {
    if let Ok(ip) = without_brackets(text).parse() {
        return format!("has no port: try {}", SocketAddr::new(ip, DEFAULT_PORT));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let number = port.parse().unwrap_or(DEFAULT_PORT);
    match without_brackets(host).parse() {
        Ok(ip) if is_number(port) => {
            format!("has a port above 65535: try {}", SocketAddr::new(ip, DEFAULT_PORT))
        }
        _ if host == "localhost" => {
            format!("is a hostname; only addresses are accepted: try {}", SocketAddr::from((Ipv4Addr::LOCALHOST, number)))
        }
        _ if is_name(host) && (port.is_empty() || is_number(port)) => {
            format!("is a hostname; only addresses are accepted: try {number}, or the address of that host")
        }
        _ => "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080".to_owned(),
    }
}

/// Whether this may be meant as a host name, not as an address.
pub(super) fn is_name(host: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    host.bytes().all(fits) && host.bytes().any(|byte| byte.is_ascii_alphabetic())
}

pub(super) fn without_brackets(text: &str) -> &str {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text)
}

/// An entry of the trust list.
pub(super) fn network(text: &str) -> Result<(), String> {
    TrustList::parse([text]).map(drop).map_err(|_| no_network(text))
}

/// Whether an entry of the trust list contains every address of its family.
pub(super) fn is_everybody(text: &str) -> bool {
    // They differ in their first bit, so only the network of all addresses has both.
    let ends: [[IpAddr; 2]; 2] = [
        [Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()],
        [Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::from(u128::MAX).into()],
    ];
    TrustList::parse([text]).is_ok_and(|list| ends.iter().any(|ends| ends.iter().all(|&end| list.contains(end))))
}

/// Why a text is neither an address nor a network.
fn no_network(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if TrustList::parse([lower.as_str()]).is_ok() {
        return format!("must be in lower case: try {lower}");
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return format!("has a port, and a proxy connects from any port: try {}", address.ip());
    }
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let bare = without_brackets(address);
    match (bare.parse::<IpAddr>(), length) {
        (Ok(ip), None) => format!("has brackets: try {ip}"),
        (Ok(ip), Some(length)) => match (prefix_length(ip, length), if ip.is_ipv4() { 32 } else { 128 }) {
            (Some(length), _) => format!("is not written as a network: try {ip}/{length}"),
            (None, bits) => format!("needs a prefix length from 0 to {bits}: try {ip}/{bits}"),
        },
        _ if is_name(text) => "is a hostname; only addresses are accepted: try 10.0.0.5".to_owned(),
        _ => "is not an address or a network: try 10.0.0.5 or 10.0.0.0/24".to_owned(),
    }
}

/// The length that was meant: one after brackets, or a netmask like 255.255.255.0.
fn prefix_length(ip: IpAddr, text: &str) -> Option<u32> {
    let from_mask = |mask: Ipv4Addr| {
        let mask = u32::from(mask);
        (mask.leading_ones() + mask.trailing_zeros() == u32::BITS).then_some(mask.leading_ones())
    };
    match (ip, text.parse()) {
        (IpAddr::V4(_), Ok(mask)) => from_mask(mask),
        (IpAddr::V4(_), Err(_)) => None,
        (IpAddr::V6(_), _) => text.parse().ok().filter(|&length| length <= u128::BITS),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        for (text, address, any) in [
            ("8080", "[::]:8080", true),
            (":8080", "[::]:8080", true),
            ("0", "[::]:0", true),
            ("65535", "[::]:65535", true),
            ("[::]:8080", "[::]:8080", false),
            ("0.0.0.0:80", "0.0.0.0:80", false),
            ("[::1]:8080", "[::1]:8080", false),
            ("[fe80::1%2]:80", "[fe80::1%2]:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", false),
        ] {
            assert_eq!(listen(text), Ok(Listen { address: address.parse().unwrap(), any, kind: ListenerKind::Plain }), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_to_listen_on() {
        for (text, reason) in [
            ("", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            (":", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            ("+80", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            (" 80", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            ("*:80", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            ("http://a:80", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            ("-1", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            ("65536", "is not a port, the highest is 65535: try 8080"),
            (":70000", "is not a port, the highest is 65535: try 8080"),
            ("127.0.0.1:70000", "has a port above 65535: try 127.0.0.1:8080"),
            ("[::1]:70000", "has a port above 65535: try [::1]:8080"),
            ("127.0.0.1", "has no port: try 127.0.0.1:8080"),
            ("::1", "has no port: try [::1]:8080"),
            ("[::1]", "has no port: try [::1]:8080"),
            ("::1:80", "has no port: try [::1:80]:8080"),
            ("127.0.0.1:", "is not an address to listen on: try 8080, 127.0.0.1:8080 or [::1]:8080"),
            ("localhost", "is a hostname; only addresses are accepted: try 127.0.0.1:8080"),
            ("localhost:80", "is a hostname; only addresses are accepted: try 127.0.0.1:80"),
            ("web-1:80", "is a hostname; only addresses are accepted: try 80, or the address of that host"),
            ("x", "is a hostname; only addresses are accepted: try 8080, or the address of that host"),
            ("224.0.0.1:80", "is a multicast address, which TCP cannot use: try 80"),
            ("[ff02::1]:80", "is a multicast address, which TCP cannot use: try 80"),
        ] {
            assert_eq!(listen(text), Err(reason.to_owned()), "{text}");
        }
        assert!(port("65535").is_ok());
        for (text, reason) in [
            ("", "is not a port: try 8080"),
            (":80", "is not a port: try 8080"),
            ("tcp://10.0.0.1:80", "is not a port: try 8080"),
            ("65536", "is not a port, the highest is 65535: try 8080"),
        ] {
            assert_eq!(port(text), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in ["10.0.0.1", "10.0.0.1/8", "::1", "2001:db8::/32", "loopback", "private", "0.0.0.0/0"] {
            assert_eq!(network(text), Ok(()), "{text}");
        }
        let name = "is a hostname; only addresses are accepted: try 10.0.0.5";
        let neither = "is not an address or a network: try 10.0.0.5 or 10.0.0.0/24";
        for (text, reason) in [
            ("", neither),
            ("10.0.0", neither),
            ("10.0.0.*", neither),
            ("10.0.0/8", neither),
            ("http://10.0.0.1", neither),
            ("haproxy", name),
            ("proxy.example.org", name),
            ("Loopback", "must be in lower case: try loopback"),
            ("10.0.0.5:8080", "has a port, and a proxy connects from any port: try 10.0.0.5"),
            ("[2001:db8::5]:8080", "has a port, and a proxy connects from any port: try 2001:db8::5"),
            ("[::1]", "has brackets: try ::1"),
            ("[2001:db8::]/32", "is not written as a network: try 2001:db8::/32"),
            ("10.0.0.0/255.0.0.0", "is not written as a network: try 10.0.0.0/8"),
            ("10.0.0.0/255.0.255.0", "needs a prefix length from 0 to 32: try 10.0.0.0/32"),
            ("10.0.0.0/33", "needs a prefix length from 0 to 32: try 10.0.0.0/32"),
            ("10.0.0.0/+8", "needs a prefix length from 0 to 32: try 10.0.0.0/32"),
            ("10.0.0.0/", "needs a prefix length from 0 to 32: try 10.0.0.0/32"),
            ("::/129", "needs a prefix length from 0 to 128: try ::/128"),
        ] {
            assert_eq!(network(text), Err(reason.to_owned()), "{text}");
        }
    }

    #[test]
    fn networks_that_are_everybody() {
        for text in ["0.0.0.0/0", "10.0.0.1/0", "::/0", "2001:db8::1/0", "::ffff:0:0/96"] {
            assert!(is_everybody(text), "{text}");
        }
        for text in ["0.0.0.0/1", "128.0.0.0/1", "::/1", "::", "255.255.255.255", "loopback", "private", "x"] {
            assert!(!is_everybody(text), "{text}");
        }
    }
}

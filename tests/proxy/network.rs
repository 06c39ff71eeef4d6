//! A network namespace for each test: nothing outside is touched or needed, every address and port is free, and clients can
//! have addresses of the internet.
//!
//! ```text
//! client    203.0.113.9   2001:db8:b::9     not trusted
//! insider   10.0.0.9      2001:db8:a::9     a client in the proxies' network
//! outer     10.0.0.2      2001:db8:a::2     a proxy in front of the proxy
//! proxy     10.0.0.1      2001:db8:a::1
//! swagip    10.0.0.80     2001:db8:a::80
//! ```
//!
//! All of them are addresses of the loopback interface. Its routes tell the kernel that the proxy connects to swagip from its own
//! address, and the outer proxy to the proxy: so no proxy's configuration need tell.

#[path = "../support/network.rs"]
mod namespace;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use namespace::scratch;

pub const CLIENT: [IpAddr; 2] = [v4([203, 0, 113, 9]), v6(0xb, 9)];
pub const INSIDER: [IpAddr; 2] = [v4([10, 0, 0, 9]), v6(0xa, 9)];
pub const OUTER: [IpAddr; 2] = [v4([10, 0, 0, 2]), v6(0xa, 2)];
pub const PROXY: [IpAddr; 2] = [v4([10, 0, 0, 1]), v6(0xa, 1)];
pub const SWAGIP: [IpAddr; 2] = [v4([10, 0, 0, 80]), v6(0xa, 0x80)];

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(network: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, host))
}

const SETUP: &str = r#"
for address in 203.0.113.9 10.0.0.9 10.0.0.2 10.0.0.1 10.0.0.80; do ip address add $address/32 dev lo; done
for host in b::9 a::9 a::2 a::1 a::80; do ip address add 2001:db8:$host/128 dev lo nodad; done
# The kernel makes an IPv6 address's route a moment after the address.
gone() { for _ in $(seq 500); do ip "$1" route del local "$2" dev lo table local 2>/dev/null && return; sleep 0.01; done; }
from() { gone "$1" "$2"; ip "$1" route add local "$2" dev lo table local src "$3"; }
from -4 10.0.0.80 10.0.0.1
from -4 10.0.0.1 10.0.0.2
from -6 2001:db8:a::80 2001:db8:a::1
from -6 2001:db8:a::1 2001:db8:a::2
"#;

/// Runs `body`, the whole of the test of that name, in this network.
pub fn alone(test: &str, body: impl FnOnce()) {
    namespace::prepared(test, SETUP, body);
}

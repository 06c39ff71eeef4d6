//! deploy/haproxy.cfg as it stands there, with servers at fixed addresses instead of those that Docker's DNS knows.

use super::network::{PROXY, SWAGIP};
use super::programs::{HaProxy, Proxy};
use std::net::SocketAddr;

/// Where clients connect to: what the file binds.
pub const ENTRY: SocketAddr = SocketAddr::new(PROXY[0], 8080);
pub const ENTRY_IPV6: SocketAddr = SocketAddr::new(PROXY[1], 8080);

/// Ports of the replicas, at swagip's address.
pub const PORTS: [u16; 2] = [9001, 9002];

const FILE: &str = include_str!("../../deploy/haproxy.cfg");

/// What only 3.2 knows, which the file is for. Without it a start is less smooth, which is not what is tested here.
const SINCE_3_2: [&str; 2] = ["    http-request pause 300ms if { nbsrv eq 0 }\n", " init-state fully-down"];

/// Starts the newest HAProxy there is, and waits until it listens at `entry`.
pub fn haproxy(entry: SocketAddr) -> Proxy {
    let template = "    server-template web 1-500 web:8080\n";
    assert_eq!(FILE.matches(template).count(), 1, "the line that names the replicas");
    let servers: String = PORTS.iter().map(|port| format!("    server web{port} {}:{port}\n", SWAGIP[0])).collect();
    let mut configuration = FILE.replace(template, &servers);
    let haproxy = HaProxy::all().pop().unwrap();
    for words in SINCE_3_2 {
        assert!(configuration.contains(words), "{words}");
        if haproxy.version < (3, 2) {
            configuration = configuration.replace(words, "");
        }
    }
    haproxy.start("deployment", &configuration, entry)
}

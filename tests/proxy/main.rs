//! The true address, whatever stands in front: real proxies on one side of a server, and on the other clients that want to be
//! taken for somebody else.
//!
//! Needs `unshare` (util-linux), `ip` (iproute2), HAProxy, nginx, Apache httpd and Caddy, what `tests/proxy/prepare` installs, and
//! the right to make a network namespace. HAProxy's `option forwarded` needs 2.8: where the installed one is older, that of the
//! official image is taken out of Docker, or the one that was prepared, or the one that `SWAGIP_TEST_HAPROXY` names. A test that
//! cannot run for want of these fails and says so.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

mod arrangements;
mod checks;
mod clients;
mod content;
mod deployment;
mod headers;
mod kit;
mod limits;
mod network;
mod programs;
mod recipes;
#[path = "../support/mod.rs"]
mod support;
mod warnings;

use arrangements::{ARRANGEMENTS, Arrangement, PORTS};
use clients::{CLIENTS, REFUSED, Report, Seen};
use network::{CLIENT, SWAGIP};
use programs::HaProxy;
use std::fmt::Write;
use std::net::SocketAddr;
use support::TestServer;
use swagip::client::{Rule, TrustList};
use swagip::net::{Listen, ListenerKind, Settings};

/// The proxies, not their network.
const PROXIES: &str = "10.0.0.1 10.0.0.2 2001:db8:a::1 2001:db8:a::2";

/// swagip at all of its addresses.
fn swagip(trusted: &str, field: &str) -> TestServer {
    swagip_with(trusted, field, |_| {})
}

fn swagip_with(trusted: &str, field: &str, change: impl FnOnce(&mut Settings)) -> TestServer {
    let rule = Rule::new(TrustList::parse(trusted.split_whitespace()).unwrap(), field.parse().unwrap());
    let at = |address, port| [(address, port, false), (address, port + 1, true)];
    let [four, six, both] = [at(SWAGIP[0], PORTS[0]), at(SWAGIP[1], PORTS[1]), at([0; 16].into(), PORTS[2])];
    let kind = |is_proxy| if is_proxy { ListenerKind::Proxy } else { ListenerKind::Plain };
    let listen = |(address, port, is_proxy)| Listen { address: SocketAddr::new(address, port), any: false, kind: kind(is_proxy) };
    TestServer::with(|settings| {
        settings.listeners = [four, six, both].concat().into_iter().map(listen).collect();
        settings.rule = rule;
        settings.site.explain = true;
        change(settings);
    })
}

#[test]
fn the_true_address_in_every_arrangement() {
    network::alone("the_true_address_in_every_arrangement", || {
        let haproxies = HaProxy::all();
        let mut table = String::new();
        for arrangement in &ARRANGEMENTS {
            if arrangement.has_haproxy() {
                let able = haproxies.iter().filter(|haproxy| haproxy.version >= arrangement.since);
                able.for_each(|haproxy| rows(arrangement, Some(haproxy), &mut table));
            } else {
                rows(arrangement, None, &mut table);
            }
        }
        eprintln!("{table}");
    });
}

/// Asks as every client in every way, and writes down what each is taken for.
fn rows(arrangement: &Arrangement, haproxy: Option<&HaProxy>, table: &mut String) {
    let _swagip = swagip(PROXIES, arrangement.field);
    let (_proxies, entries) = arrangement.start(haproxy);
    let name = arrangement.title(haproxy);
    writeln!(table, "\n{name}").unwrap();
    writeln!(table, "{:<38}{:<26}{:<26}{:<26}dual stack: IPv6", "  client", "IPv4", "IPv6", "dual stack: IPv4").unwrap();
    for client in &CLIENTS {
        write!(table, "  {:<36}", client.name).unwrap();
        for (way, &entry) in entries.iter().enumerate() {
            let address = CLIENT[way % 2];
            let Report { seen, port, scheme, explained } = client.ask(address, entry);
            let expected = match client.name {
                name if name == REFUSED.name => Seen::Refused,
                _ => Seen::As { address, port: arrangement.tells_port.then_some(port) },
            };
            assert_eq!(seen, expected, "{name}, {}, {entry}\n{explained}", client.name);
            if arrangement.tells_scheme && seen != Seen::Refused {
                assert_eq!(scheme.as_deref(), Some("http"), "{name}, {}, {entry}\n{explained}", client.name);
            }
            write!(table, "{seen:<26}").unwrap();
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
}

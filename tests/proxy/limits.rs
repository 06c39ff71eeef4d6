//! Where the trust ends: what a client inside the trust list can choose, and the two mistakes as the documentation shows them.

use super::arrangements::{APPENDING, APPENDING_FORWARDED, Arrangement, KEEPING, OVERWRITING, OVERWRITING_FORWARDED};
use super::clients::{Client, HONEST, ONE_LINE, Report, Seen};
use super::network::{self, CLIENT, INSIDER, PROXY};
use super::programs::HaProxy;
use super::{PROXIES, swagip};
use std::net::{IpAddr, Ipv4Addr};

const NETWORKS: &str = "10.0.0.0/8 2001:db8:a::/48";

/// Whom a forging client wants to be taken for.
const FORGED: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(6, 6, 6, 6)); 2];

/// The client from these addresses, IPv4 and IPv6, is taken for those; how it is explained over IPv4.
fn row(trusted: &str, arrangement: &Arrangement, client: &Client, addresses: [IpAddr; 2], expected: [IpAddr; 2]) -> String {
    let mut first = None;
    for haproxy in HaProxy::all().iter().filter(|haproxy| haproxy.version >= arrangement.since) {
        let _swagip = swagip(trusted, arrangement.field);
        let (_proxies, entries) = arrangement.start(Some(haproxy));
        for ((address, expected), &entry) in addresses.into_iter().zip(expected).zip(&entries) {
            let Report { seen, explained, .. } = client.ask(address, entry);
            assert!(matches!(seen, Seen::As { address, .. } if address == expected), "{seen}\n{explained}");
            first.get_or_insert(explained);
        }
    }
    first.unwrap()
}

#[test]
fn a_client_inside_the_trust_list_can_choose_the_answer_where_the_proxy_appends() {
    network::alone("limits::a_client_inside_the_trust_list_can_choose_the_answer_where_the_proxy_appends", || {
        for appending in [APPENDING, APPENDING_FORWARDED] {
            row(NETWORKS, &appending, &ONE_LINE, INSIDER, FORGED);
            row(PROXIES, &appending, &ONE_LINE, INSIDER, INSIDER);
        }
    });
}

#[test]
fn a_client_inside_the_trust_list_cannot_choose_the_answer_where_the_proxy_overwrites() {
    network::alone("limits::a_client_inside_the_trust_list_cannot_choose_the_answer_where_the_proxy_overwrites", || {
        for overwriting in [OVERWRITING, OVERWRITING_FORWARDED] {
            let explained = row(NETWORKS, &overwriting, &ONE_LINE, INSIDER, INSIDER);
            assert!(explained.contains("\nnote=the client's address is inside the trust list: "), "{explained}");
        }
    });
}

#[test]
fn a_proxy_that_keeps_what_the_client_sent_lets_everybody_choose() {
    network::alone("limits::a_proxy_that_keeps_what_the_client_sent_lets_everybody_choose", || {
        row(PROXIES, &KEEPING, &ONE_LINE, CLIENT, FORGED);
        row(PROXIES, &KEEPING, &HONEST, CLIENT, CLIENT);
    });
}

#[test]
fn the_two_mistakes_are_explained_as_documented() {
    network::alone("limits::the_two_mistakes_are_explained_as_documented", || {
        let text = include_str!("../../docs/behind-a-proxy.md").replace("\n    ", "\n");
        for (trusted, answer) in [(PROXIES, CLIENT), ("", PROXY), ("0.0.0.0/0 ::/0", FORGED)] {
            let explained = row(trusted, &APPENDING, &ONE_LINE, CLIENT, answer);
            assert!(text.contains(&format!("\n\n{explained}\n")), "not in the documentation:\n{explained}");
        }
    });
}

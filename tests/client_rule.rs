//! Properties of the address rule: what a client makes up never becomes the answer, and `/explain` tells what was answered.
//!
//! The requests are made by a model of what happens outside: a client sends field lines of its own invention, and each proxy on
//! the way appends the address it saw, to the last line or on a new one.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use swagip::client::proxy_protocol::{self, Header, Malformed};
use swagip::client::{Client, Hop, Peer, Rule, Scheme, TrustList, Verdict};
use swagip::http::Field;

const CASES: u32 = 4000;

fn rule(field: &str) -> Rule {
    Rule::new(TrustList::parse(["10.0.0.0/8", "2001:db8:a::/48"]).unwrap(), field.parse().unwrap())
}

/// Inside the trust list.
fn proxy() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<[u8; 3]>(), 1u16..).prop_map(|([b, c, d], port)| ([10, b, c, d], port).into()),
        (any::<u16>(), 1u16..).prop_map(|(end, port)| ([0x2001, 0xdb8, 0xa, 0, 0, 0, 0, end], port).into()),
    ]
}

/// Outside the trust list, and nobody that a forged field names.
fn stranger() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<u8>(), 1u16..).prop_map(|(d, port)| ([203, 0, 113, d], port).into()),
        (any::<u16>(), 1u16..).prop_map(|(end, port)| ([0x2001, 0xdb8, 0xb, 0, 0, 0, 0, end], port).into()),
    ]
}

/// What a client writes to be taken for another, or to break the parser for what follows.
fn forged_value() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "6.6.6.6",
        "[2001:db8:6::6]:6",
        "::ffff:6.6.6.6",
        "10.0.0.6",
        "2001:db8:a::6",
        "for=6.6.6.6",
        "For=10.0.0.6",
        "for=\"[2001:db8:6::6]:6\"",
        "for=",
        "\"",
        "\\",
        "\\\"",
        ",",
        ", ",
        ";",
        "=",
        " ",
        "unknown",
        "_hidden",
        "proto=https",
        ";proto=https",
        "x=\"",
        "by",
        "\u{e9}",
        "[",
        "]",
    ]);
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn forged_lines() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(forged_value(), 0..4)
}

/// One proxy on the way: how it spells the address it saw, and whether it adds a line of its own.
#[derive(Clone, Copy, Debug)]
struct Style {
    with_port: bool,
    own_line: bool,
    mapped: bool,
    odd: bool,
}

fn style() -> impl Strategy<Value = Style> {
    any::<[bool; 4]>().prop_map(|[with_port, own_line, mapped, odd]| Style { with_port, own_line, mapped, odd })
}

/// A client, what it made up, and the proxies that its request passed, the nearest to the client first.
#[derive(Clone, Debug)]
struct Journey {
    client: SocketAddr,
    forged: Vec<String>,
    proxies: Vec<(SocketAddr, Style)>,
}

fn journey() -> impl Strategy<Value = Journey> {
    (prop_oneof![stranger(), proxy()], forged_lines(), prop::collection::vec((proxy(), style()), 1..5))
        .prop_map(|(client, forged, proxies)| Journey { client, forged, proxies })
}

impl Journey {
    /// The values of the field's lines as they arrive.
    fn lines(&self, element: fn(SocketAddr, Style) -> String) -> Vec<String> {
        let mut lines = self.forged.clone();
        let mut seen = self.client;
        for &(proxy, style) in &self.proxies {
            let added = element(seen, style);
            match lines.last_mut() {
                Some(last) if !style.own_line => *last = format!("{last}, {added}"),
                _ => lines.push(added),
            }
            seen = proxy;
        }
        lines
    }

    fn peer(&self, rule: &Rule) -> Peer {
        rule.peer(self.proxies.last().unwrap().0)
    }

    fn is_outside(&self, rule: &Rule) -> bool {
        !rule.trusts(self.client.ip())
    }
}

fn address(address: IpAddr, style: Style) -> String {
    match address {
        IpAddr::V4(v4) if style.mapped => v4.to_ipv6_mapped().to_string(),
        IpAddr::V6(v6) if style.mapped => format!("{v6}%eth0"),
        address => address.to_string(),
    }
}

/// The entry of a list.
fn entry(seen: SocketAddr, style: Style) -> String {
    let text = address(seen.ip(), style);
    let brackets = text.contains(':') && (style.with_port || style.odd);
    let text = if brackets { format!("[{text}]") } else { text };
    if style.with_port { format!("{text}:{}", seen.port()) } else { text }
}

/// The element of `Forwarded`.
fn element(seen: SocketAddr, style: Style) -> String {
    let node = entry(seen, Style { odd: true, ..style });
    let node = if style.with_port || node.contains('[') || style.odd { format!("\"{node}\"") } else { node };
    if style.odd { format!("Proto=https;host=\"a,\\\";for=6.6.6.6\";FOR={node}") } else { format!("for={node};proto=http") }
}

fn fields<'b>(name: &'b str, lines: &'b [String]) -> Vec<Field<'b>> {
    lines.iter().map(|line| Field { name, value: line.as_bytes() }).collect()
}

/// The contract once more, as plainly as it can be said, over the hops that `/explain` shows.
fn oracle(rule: &Rule, peer: &Peer, hops: &[Hop<'_>]) -> Option<IpAddr> {
    let mut last_good = peer.address;
    for hop in hops.iter().rev() {
        match hop.address {
            Some(address) if rule.trusts(address) => last_good = Some(address),
            Some(address) => return Some(address),
            None => return last_good,
        }
    }
    last_good
}

/// What `/explain` says is what was answered: in a trusted row to the right of the client, and nothing left of it counts.
fn explained(rule: &Rule, peer: &Peer, fields: &[Field<'_>], client: &Client) -> Result<(), TestCaseError> {
    let mut hops = Vec::new();
    rule.explain(peer, fields, |hop| hops.push(hop));
    prop_assert_eq!(oracle(rule, peer, &hops), client.address);

    let mut verdicts = hops.iter().rev().map(|hop| hop.verdict).skip_while(|&verdict| verdict == Verdict::Trusted).peekable();
    let named = verdicts.next_if_eq(&Verdict::Client).is_some();
    let found = hops.iter().find(|hop| hop.verdict == Verdict::Client);
    prop_assert_eq!(found.is_some(), named);
    prop_assert_eq!(client.address, found.map_or(peer.address, |hop| hop.address));
    let invalid = verdicts.next_if_eq(&Verdict::Invalid).is_some();
    prop_assert!(!invalid || client.address.is_some_and(|address| rule.trusts(address)));
    prop_assert!(verdicts.all(|verdict| verdict == Verdict::Ignored));
    Ok(())
}

/// Runs the property over journeys of clients inside and outside the trust list, and sees to it that there are enough of each.
fn check(field: &str, property: impl Fn(&Rule, &Journey, bool) -> Result<(), TestCaseError>) {
    let rule = rule(field);
    let outside = Cell::new(0u32);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let result = runner.run(&journey(), |journey| {
        let is_outside = journey.is_outside(&rule);
        outside.set(outside.get() + u32::from(is_outside));
        property(&rule, &journey, is_outside)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let share = f64::from(outside.get()) / f64::from(CASES);
    assert!((0.4..0.6).contains(&share), "{share} of the clients were outside the trust list");
}

#[test]
fn in_a_list_the_answer_is_whom_the_first_trusted_proxy_saw() {
    check("x-forwarded-for", |rule, journey, is_outside| {
        let lines = journey.lines(entry);
        let (peer, fields) = (journey.peer(rule), fields("X-Forwarded-For", &lines));
        let client = rule.client(&peer, &fields);
        if is_outside {
            prop_assert_eq!(client.address, Some(journey.client.ip()));
            prop_assert_eq!(client.port, journey.proxies[0].1.with_port.then_some(journey.client.port()));
        }
        explained(rule, &peer, &fields, &client)
    });
}

#[test]
fn in_forwarded_the_answer_is_whom_the_first_trusted_proxy_saw() {
    check("forwarded", |rule, journey, is_outside| {
        // A proxy that added to a line which a client has broken says nothing that can be relied on: see the next test.
        let mut journey = journey.clone();
        journey.proxies[0].1.own_line = true;
        let lines = journey.lines(element);
        let (peer, fields) = (journey.peer(rule), fields("Forwarded", &lines));
        let client = rule.client(&peer, &fields);
        if is_outside {
            let first = journey.proxies[0].1;
            prop_assert_eq!(client.address, Some(journey.client.ip()));
            prop_assert_eq!(client.port, first.with_port.then_some(journey.client.port()));
            prop_assert_eq!(client.scheme, Some(if first.odd { Scheme::Https } else { Scheme::Http }));
        }
        explained(rule, &peer, &fields, &client)
    });
}

#[test]
fn in_forwarded_no_open_quote_makes_a_forged_address_the_answer() {
    let broken = Cell::new(0u32);
    check("forwarded", |rule, journey, is_outside| {
        let lines = journey.lines(element);
        let (peer, fields) = (journey.peer(rule), fields("Forwarded", &lines));
        let client = rule.client(&peer, &fields);
        if is_outside && client.address != Some(journey.client.ip()) {
            broken.set(broken.get() + 1);
            prop_assert!(journey.proxies.iter().any(|(proxy, _)| client.address == Some(proxy.ip())), "{:?}", client);
        }
        explained(rule, &peer, &fields, &client)
    });
    assert!(broken.get() > CASES / 50, "only {} lines were broken", broken.get());
}

#[test]
fn from_an_untrusted_peer_nothing_is_read() {
    proptest!(|(socket in stranger(), lines in forged_lines())| {
        for (field, name) in [("x-forwarded-for", "X-Forwarded-For"), ("forwarded", "Forwarded")] {
            let rule = rule(field);
            let (peer, fields) = (rule.peer(socket), fields(name, &lines));
            let client = Client { address: Some(socket.ip()), port: Some(socket.port()), scheme: None };
            prop_assert_eq!(rule.client(&peer, &fields), client);
            rule.explain(&peer, &fields, |hop| panic!("{hop:?}"));
        }
    });
}

/// A well-formed PROXY header.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let endpoints = prop_oneof![
        (any::<[u8; 4]>(), any::<[u8; 4]>()).prop_map(|(source, destination)| (source.into(), destination.into())),
        (any::<[u16; 8]>(), any::<[u16; 8]>()).prop_map(|(source, destination)| (source.into(), destination.into())),
    ];
    let ports = any::<(u16, u16)>();
    let line = (endpoints.clone(), ports).prop_map(|((source, destination), (from, to)): ((IpAddr, IpAddr), _)| {
        let family = if source.is_ipv4() { 4 } else { 6 };
        format!("PROXY TCP{family} {source} {destination} {from} {to}\r\n").into_bytes()
    });
    let unknown = "PROXY UNKNOWN( [ -~]{0,80})?\r\n".prop_map(String::into_bytes);
    let families = select(vec![0x00, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x31, 0x41, 0xff]);
    let binary =
        (select(vec![0x20, 0x21]), families, prop::collection::vec(any::<u8>(), 36..300)).prop_map(|(command, family, block)| {
            let length = u16::try_from(block.len()).unwrap().to_be_bytes();
            [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length, &block].concat()
        });
    prop_oneof![3 => line, 1 => unknown, 3 => binary]
}

/// A header, or what became of one: a few bytes replaced, added or lost, and others after it.
fn damaged_header() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), select(b" \r\n.:0159afPTU\x20\x21\x11\x00".to_vec())];
    let change = (any::<Index>(), prop::option::of(byte), any::<bool>());
    (header(), prop::collection::vec(change, 0..3), prop::collection::vec(any::<u8>(), 0..4)).prop_map(
        |(mut bytes, changes, more)| {
            for (index, byte, inserted) in changes {
                // Most of what decides stands in the first 60 bytes.
                let at = index.index(bytes.len().min(60));
                match byte {
                    Some(byte) if inserted => bytes.insert(at, byte),
                    Some(byte) => bytes[at] = byte,
                    None => drop(bytes.remove(at)),
                }
            }
            bytes.extend(more);
            bytes
        },
    )
}

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() })
}

#[test]
fn cutting_a_proxy_header_anywhere_changes_nothing() {
    let (whole, partial, malformed) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let result = runner().run(&damaged_header(), |bytes| {
        let result = proxy_protocol::parse(&bytes);
        let counter = match result {
            Ok(Some(_)) => &whole,
            Ok(None) => &partial,
            Err(_) => &malformed,
        };
        counter.set(counter.get() + 1);
        for cut in 0..bytes.len() {
            let earlier = proxy_protocol::parse(&bytes[..cut]);
            match result {
                Ok(Some((_, length))) if cut >= length => prop_assert_eq!(earlier, result),
                Ok(_) => prop_assert_eq!(earlier, Ok(None), "{} bytes", cut),
                Err(_) => prop_assert!(earlier == Ok(None) || earlier == result, "{} bytes: {:?}", cut, earlier),
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let counts = [whole.get(), partial.get(), malformed.get()];
    assert!(counts.into_iter().all(|count| count > CASES / 50), "whole, partial, malformed: {counts:?}");
}

/// What `ppp` reads, in the terms of this crate. It takes a leading `+` in a port and addresses without a transport, and judges
/// families by itself; those differences are known and wanted.
fn ppp_source(bytes: &[u8]) -> Option<SocketAddr> {
    use ppp::{v1, v2};
    if bytes.starts_with(b"\r") {
        let header = v2::Header::try_from(bytes).ok()?;
        return match header.addresses {
            _ if header.command == v2::Command::Local || header.protocol == v2::Protocol::Unspecified => None,
            v2::Addresses::IPv4(ends) => Some((ends.source_address, ends.source_port).into()),
            v2::Addresses::IPv6(ends) => Some((ends.source_address, ends.source_port).into()),
            v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
        };
    }
    let header = v1::Header::try_from(bytes).ok()?;
    match header.addresses {
        _ if header.header.contains('+') => None,
        v1::Addresses::Tcp4(ends) => Some((ends.source_address, ends.source_port).into()),
        v1::Addresses::Tcp6(ends) => Some((ends.source_address, ends.source_port).into()),
        v1::Addresses::Unknown => None,
    }
}

#[test]
fn the_source_is_the_one_that_ppp_reads() {
    let sources = Cell::new(0);
    let result = runner().run(&damaged_header(), |bytes| {
        let source = match proxy_protocol::parse(&bytes) {
            Ok(Some((Header::Source(source), _))) => Some(source),
            Err(Malformed::Long) => return Ok(()),
            _ => None,
        };
        sources.set(sources.get() + u32::from(source.is_some()));
        prop_assert_eq!(source, ppp_source(&bytes));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(sources.get() > CASES / 5, "only {} sources", sources.get());
}

#[test]
fn a_well_formed_proxy_header_is_taken_whole_and_nothing_behind_it() {
    proptest!(|(bytes in header(), more in prop::collection::vec(any::<u8>(), 0..40))| {
        let parsed = proxy_protocol::parse(&[&bytes[..], &more].concat()).unwrap();
        prop_assert_eq!(parsed.map(|(_, length)| length), Some(bytes.len()));
    });
}
